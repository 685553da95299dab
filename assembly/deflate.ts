// SPDX-License-Identifier: Apache-2.0
/*
 * Tare's DEFLATE encoder as WebAssembly (see `src/archive/splice/encoder.ts`): bytes become symbols, of which the caller
 * makes blocks with codes (`block.ts`). Hash chains over four bytes, one step of lazy matching; where nothing was found
 * for long, places are left out, for there will be no match soon.
 *
 * The window may have a gap: bytes that others wrote into the same stream. Before a gap stays one part to copy from:
 *
 *   [ part before the gap | current part ............ | free ]
 *    0                     start     at         end
 *
 * A byte's position in the stream is its place plus `shift`, or plus `oldShift` before `start`.
 */
import {
  CHAINS,
  DISTANCE_COUNTS,
  DISTANCE_SYMBOLS,
  HEADS,
  LENGTH_SYMBOLS,
  LITERAL_COUNTS,
  ROOM,
  SYMBOLS,
} from "./memory";
import { writeSymbols } from "./block";

export { heldBits, heldCount } from "./block";

const WINDOW: i32 = 32768;
const MASK: i32 = WINDOW - 1;
const HASHES: i32 = 65536;
const SHORTEST: i32 = 4;
const LONGEST: i32 = 258;
/** Candidates looked at, and with a match of this length already good enough for a short look. */
const CHAIN: i32 = 12;
const GOOD: i32 = 8;
const NICE: i32 = 128;
/** A match this long is taken without a look at the next place. */
const LAZY: i32 = 12;
/** So that matches, and all lazy looks of one step, do not depend on the pieces of the input. */
const LOOKAHEAD: i32 = LONGEST + LAZY + SHORTEST;
/** After so many places without a match some are left out: one for each 64 more, up to a limit. */
const PATIENCE: i32 = 256;
const STEP_BITS: i32 = 6;
const MOST_SKIPPED: i32 = 32;
/** A block is full at this weight, a literal being one and a copy two, or at so many bytes. */
const BLOCK_WEIGHT: i32 = 16384;
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
let weight: i32 = 0;
/** A match that waits for a better one at the next place. */
let length: i32 = 0;
let found: i32 = 0;
/** Places without a match, one after another, and how many of the next ones are left out. */
let misses: i32 = 0;
let skipped: i32 = 0;

forget();

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

/** Writes the block's symbols after some bits, at most seven; gives the number of whole bytes. */
export function write(held: i32, heldCount: i32): i32 {
  return writeSymbols(symbols, held, heldCount);
}

/** The block was written. */
export function startBlock(): void {
  blockStart = at;
  symbols = 0;
  weight = 0;
  memory.fill(LITERAL_COUNTS, 0, 286 * 4);
  memory.fill(DISTANCE_COUNTS, 0, 30 * 4);
}

/** Makes room; keeps what can be copied and the bytes of the current block. Gives the place where more bytes go. */
export function slide(): i32 {
  const from = max(start, min(at - WINDOW, blockStart));
  memory.copy(ROOM, ROOM + from, end - from);
  shift += from;
  start = 0;
  at -= from;
  end -= from;
  hashed -= from;
  blockStart -= from;
  if (shift > LAST_POSITION) forget();
  return end;
}

/** After the last block: others write `count` bytes of the stream, at most a window. Gives the place as above. */
export function skip(count: i32): i32 {
  const kept = min(WINDOW - count, end - start);
  memory.copy(ROOM, ROOM + end - kept, kept);
  oldShift = shift + end - kept;
  shift = oldShift + count;
  start = kept;
  at = kept;
  end = kept;
  hashed = kept;
  blockStart = kept;
  misses = 0;
  skipped = 0;
  if (shift > LAST_POSITION) forget();
  return end;
}

/** Positions start anew; there is nothing to copy from. */
function forget(): void {
  for (let index = 0; index < HASHES; index += 1) store<i32>(HEADS + (index << 2), NEVER);
  for (let index = 0; index < WINDOW; index += 1) store<i32>(CHAINS + (index << 2), NEVER);
  oldShift -= shift;
  shift = 0;
}

/**
 * Takes `count` more bytes and encodes them, those at the end only when no more come (`isEnd`); 1 when a block is full: it
 * is written first.
 */
export function encode(count: i32, isEnd: i32): i32 {
  end += count;
  const limit = isEnd != 0 ? end : end - LOOKAHEAD;
  const lastStart = blockStart + BLOCK_BYTES;
  let place = at;
  let size = length;
  let next = symbols;
  let total = weight;
  while ((size != 0 || place < limit) && total < BLOCK_WEIGHT && place <= lastStart) {
    if (size == 0) {
      size = skipped > 0 ? 0 : match(place, SHORTEST - 1);
      if (size == 0) {
        literal(place, next);
        place += 1;
        next += 1;
        total += 1;
        missed(place);
        continue;
      }
      misses = 0;
      found = matchAt;
    }
    const better = size < LAZY ? match(place + 1, size) : 0;
    if (better != 0) {
      literal(place, next);
      place += 1;
      total += 1;
      size = better;
      found = matchAt;
    } else {
      copy(size, place + shift - found, next);
      place += size;
      total += 2;
      size = 0;
    }
    next += 1;
  }
  at = place;
  length = size;
  symbols = next;
  weight = total;
  return total >= BLOCK_WEIGHT || place > lastStart ? 1 : 0;
}

/** No match before `place`: says how many places are left out from there on. */
// @inline
function missed(place: i32): void {
  if (skipped > 0) {
    skipped -= 1;
    hashed = place;
    return;
  }
  misses += 1;
  if (misses > PATIENCE) skipped = min((misses - PATIENCE) >> STEP_BITS, MOST_SKIPPED);
}

// @inline
function literal(place: i32, next: i32): void {
  const byte: usize = load<u8>(ROOM + place);
  store<u32>(SYMBOLS + (next << 2), <u32>byte);
  count(LITERAL_COUNTS, byte);
}

// @inline
function copy(size: i32, distance: i32, next: i32): void {
  store<u32>(SYMBOLS + (next << 2), (distance << 16) | size);
  count(LITERAL_COUNTS, 257 + <usize>load<u8>(LENGTH_SYMBOLS + size));
  const place = distance <= 256 ? distance - 1 : 256 + ((distance - 1) >>> 7);
  count(DISTANCE_COUNTS, load<u8>(DISTANCE_SYMBOLS + place));
}

// @inline
function count(counts: usize, index: usize): void {
  const place = counts + (index << 2);
  store<u32>(place, load<u32>(place) + 1);
}

/** The length of the longest match at a place, its position in `matchAt`; 0 when none is longer than `than`. */
// @inline
function match(place: i32, than: i32): i32 {
  const most = min(LONGEST, end - place);
  if (most < SHORTEST || than >= most) return 0;
  const moved = shift;
  for (let put = hashed; put < place; put += 1) insert(put, moved);
  const before = insert(place, moved);
  hashed = place + 1;
  const oldest = max(place + moved - WINDOW, start == 0 ? moved : oldShift);
  if (before < oldest) return 0;
  const longest = search(place, than, before, oldest, most);
  return longest > than ? longest : 0;
}

/** Puts a place into the chains, and gives the position that was last before it with its hash. */
// @inline
function insert(place: i32, moved: i32): i32 {
  const head = HEADS + (((load<u32>(ROOM + place) * 0x9e3779b1) >>> 16) << 2);
  const position = place + moved;
  const before = load<i32>(head);
  store<i32>(CHAINS + ((position & MASK) << 2), before);
  store<i32>(head, position);
  return before;
}

/** Follows the chain of places with the same hash. */
function search(place: i32, than: i32, newest: i32, oldest: i32, most: i32): i32 {
  const here = ROOM + place;
  const newPart = start + shift;
  const first = load<u32>(here);
  let longest = than;
  let tail = load<u32>(here + longest - 3);
  let candidate = newest;
  for (let left = than >= GOOD ? CHAIN >> 2 : CHAIN; left > 0 && candidate >= oldest; left -= 1) {
    const isNew = candidate >= newPart;
    const from = isNew ? candidate - shift : candidate - oldShift;
    const there = ROOM + from;
    if (load<u32>(there + longest - 3) == tail && load<u32>(there) == first) {
      const size = common(there, here, isNew ? most : min(most, start - from));
      if (size > longest) {
        longest = size;
        matchAt = candidate;
        if (size >= NICE || size == most) break;
        tail = load<u32>(here + longest - 3);
      }
    }
    const next = load<i32>(CHAINS + ((candidate & MASK) << 2));
    if (next >= candidate) break;
    candidate = next;
  }
  return longest;
}

/** How many of `most` bytes are equal, where the first four are; 0 when `most` is less. */
// @inline
function common(there: usize, here: usize, most: i32): i32 {
  if (most < SHORTEST) return 0;
  let size = SHORTEST;
  while (size + 8 <= most) {
    const other = load<u64>(there + size) ^ load<u64>(here + size);
    if (other != 0) return size + <i32>(ctz(other) >> 3);
    size += 8;
  }
  while (size < most && load<u8>(there + size) == load<u8>(here + size)) size += 1;
  return size;
}
