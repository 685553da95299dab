// SPDX-License-Identifier: Apache-2.0
/*
 * LZ77 of Tare's DEFLATE encoder as WebAssembly (see `src/archive/splice/encoder.ts`): bytes become symbols, of which the
 * caller makes blocks. Hash chains over four bytes, one step of lazy matching.
 *
 *   0x10000  the last position of each hash        0x91000  symbols: a literal, or the length of a copy
 *   0x30000  for each position the one before      0x99000  symbols: 0, or the distance of a copy
 *   0x50000  the window, and room behind it        0xa1000  counts of literals and lengths, 0xa1800 of distances
 *                                                  0xa2000  symbols of lengths, 0xa2400 of distances (from the caller)
 *
 * The window may have a gap: bytes that others wrote into the same stream. Before a gap stays one part to copy from:
 *
 *   [ part before the gap | current part ............ | free ]
 *    0                     start     at         end
 *
 * A byte's position in the stream is its place plus `shift`, or plus `oldShift` before `start`.
 */
const HEADS: usize = 0x10000;
const CHAINS: usize = 0x30000;
const ROOM: usize = 0x50000;
const VALUES: usize = 0x91000;
const DISTANCES: usize = 0x99000;
const LITERAL_COUNTS: usize = 0xa1000;
const DISTANCE_COUNTS: usize = 0xa1800;
const LENGTH_SYMBOLS: usize = 0xa2000;
const DISTANCE_SYMBOLS: usize = 0xa2400;

const SIZE: i32 = 1 << 18;
const WINDOW: i32 = 32768;
const MASK: i32 = WINDOW - 1;
const HASHES: i32 = 32768;
const SHORTEST: i32 = 4;
const LONGEST: i32 = 258;
/** Candidates looked at, and with a match of this length already good enough for a short look. */
const CHAIN: i32 = 32;
const GOOD: i32 = 8;
const NICE: i32 = 128;
/** A match this long is taken without a look at the next place. */
const LAZY: i32 = 32;
const BLOCK_SYMBOLS: i32 = 16384;
const BLOCK_BYTES: i32 = 65535 - LONGEST;
/** Far from any position that is used: nothing there can be reached. */
const NEVER: i32 = -(1 << 30);
const LAST_POSITION: i32 = 1 << 30;

let start: i32 = 0;
let at: i32 = 0;
let end: i32 = 0;
let shift: i32 = 0;
let oldShift: i32 = 0;
/** The first place whose hash is not in the chains. */
let hashed: i32 = 0;
let blockStart: i32 = 0;
let matchAt: i32 = 0;
let symbols: i32 = 0;
/** A match that waits for a better one at the next place. */
let length: i32 = 0;
let found: i32 = 0;

forget();

/** How many bytes were added; the address where more go is the room's start plus this. */
export function filled(): i32 {
  return end;
}

/** Symbols of the block so far. */
export function symbolCount(): i32 {
  return symbols;
}

/** What the block stands for, from and to, as places. */
export function blockFrom(): i32 {
  return blockStart;
}

export function blockTo(): i32 {
  return at;
}

/** The block was written. */
export function startBlock(): void {
  blockStart = at;
  symbols = 0;
  memory.fill(LITERAL_COUNTS, 0, 286 * 4);
  memory.fill(DISTANCE_COUNTS, 0, 30 * 4);
}

/** Says that `count` bytes were put behind the others. */
export function grow(count: i32): void {
  end += count;
}

/** Makes room; keeps what can be copied and the bytes of the current block. */
export function slide(): void {
  const from = max(start, min(at - WINDOW, blockStart));
  memory.copy(ROOM, ROOM + from, end - from);
  shift += from;
  start = 0;
  at -= from;
  end -= from;
  hashed -= from;
  blockStart -= from;
  if (shift > LAST_POSITION) forget();
}

/** After the last block: others write `count` bytes of the stream, or a window or more. */
export function skip(count: i32): void {
  const kept = count >= WINDOW ? 0 : min(WINDOW - count, end - start);
  memory.copy(ROOM, ROOM + end - kept, kept);
  oldShift = shift + end - kept;
  shift = oldShift + min(count, WINDOW);
  start = kept;
  at = kept;
  end = kept;
  hashed = kept;
  blockStart = kept;
  if (shift > LAST_POSITION) forget();
}

/** Positions start anew; there is nothing to copy from. */
function forget(): void {
  for (let index = 0; index < HASHES; index += 1) store<i32>(HEADS + (index << 2), NEVER);
  for (let index = 0; index < WINDOW; index += 1) store<i32>(CHAINS + (index << 2), NEVER);
  oldShift -= shift;
  shift = 0;
}

/** Encodes up to `beforeEnd` bytes before the end; 1 when a block is full, and is to be written first. */
export function encode(beforeEnd: i32): i32 {
  const limit = end - beforeEnd;
  while (length != 0 || at < limit) {
    if (length == 0) {
      length = match(at, SHORTEST - 1);
      if (length == 0) {
        literal();
        if (isFull()) return 1;
        continue;
      }
      found = matchAt;
    }
    while (length < LAZY && at + 1 < end) {
      const better = match(at + 1, length);
      if (better == 0) break;
      literal();
      length = better;
      found = matchAt;
      if (isFull()) return 1;
    }
    copy(length, at + shift - found);
    at += length;
    length = 0;
    if (isFull()) return 1;
  }
  return 0;
}

function isFull(): bool {
  return symbols == BLOCK_SYMBOLS || at - blockStart > BLOCK_BYTES;
}

function literal(): void {
  const byte: usize = load<u8>(ROOM + at);
  symbol(<u32>byte, 0);
  count(LITERAL_COUNTS, byte);
  at += 1;
}

function copy(size: i32, distance: i32): void {
  symbol(size, distance);
  count(LITERAL_COUNTS, 257 + <usize>load<u8>(LENGTH_SYMBOLS + size));
  const place = distance <= 256 ? distance - 1 : 256 + ((distance - 1) >>> 7);
  count(DISTANCE_COUNTS, load<u8>(DISTANCE_SYMBOLS + place));
}

function symbol(value: u32, distance: u32): void {
  store<u16>(VALUES + (symbols << 1), value);
  store<u16>(DISTANCES + (symbols << 1), distance);
  symbols += 1;
}

function count(counts: usize, index: usize): void {
  const place = counts + (index << 2);
  store<u32>(place, load<u32>(place) + 1);
}

/** The length of the longest match at a place, its position in `matchAt`; 0 when none is longer than `than`. */
function match(place: i32, than: i32): i32 {
  const most = min(LONGEST, end - place);
  if (most < SHORTEST || than >= most) return 0;
  const before = insert(place);
  const oldest = max(place + shift - WINDOW, start == 0 ? shift : oldShift);
  if (before < oldest) return 0;
  const longest = search(place, than, before, oldest);
  return longest > than ? longest : 0;
}

/** Follows the chain of places with the same hash. */
function search(place: i32, than: i32, newest: i32, oldest: i32): i32 {
  const most = min(LONGEST, end - place);
  const here = ROOM + place;
  const newPart = start + shift;
  const first = load<u8>(here);
  let longest = than;
  let tail = load<u8>(here + longest);
  let candidate = newest;
  for (let left = than >= GOOD ? CHAIN >> 2 : CHAIN; left > 0 && candidate >= oldest; left -= 1) {
    const isNew = candidate >= newPart;
    const from = isNew ? candidate - shift : candidate - oldShift;
    const there = ROOM + from;
    if (load<u8>(there + longest) == tail && load<u8>(there) == first) {
      const size = common(there, here, isNew ? most : min(most, start - from));
      if (size > longest) {
        longest = size;
        matchAt = candidate;
        if (size >= NICE || size == most) break;
        tail = load<u8>(here + longest);
      }
    }
    const next = load<i32>(CHAINS + ((candidate & MASK) << 2));
    if (next >= candidate) break;
    candidate = next;
  }
  return longest;
}

/** How many of `most` bytes are equal. */
function common(there: usize, here: usize, most: i32): i32 {
  let size: i32 = 0;
  while (size + 8 <= most) {
    const other = load<u64>(there + size) ^ load<u64>(here + size);
    if (other != 0) return size + <i32>(ctz(other) >> 3);
    size += 8;
  }
  while (size < most && load<u8>(there + size) == load<u8>(here + size)) size += 1;
  return size;
}

/** Puts all places up to `place` into the chains, and gives the position that was last before it with its hash. */
function insert(place: i32): i32 {
  let before = NEVER;
  for (; hashed <= place; hashed += 1) {
    const hash = (load<u32>(ROOM + hashed) * 0x9e3779b1) >>> 17;
    const head = HEADS + (hash << 2);
    before = load<i32>(head);
    store<i32>(CHAINS + (((hashed + shift) & MASK) << 2), before);
    store<i32>(head, hashed + shift);
  }
  return before;
}
