// SPDX-License-Identifier: Apache-2.0
/*
 * Tare's own DEFLATE encoder: its output is a function of its input alone, whatever the machine and the pieces it comes
 * in, so that layers have the same digest everywhere. LZ77 with hash chains over four bytes, one step of lazy matching.
 *
 * Its input may have gaps: bytes that others wrote into the same stream. Before a gap stays one part to copy from, for
 * a tar header is like the one before it:
 *
 *   window:  [ part before the gap | current part ............ | free ]
 *             0                     #start     #at       #end
 *
 * A byte's position in the stream is its place plus #shift, or plus #oldShift before #start.
 */
import { BLOCK_SYMBOLS, BlockWriter } from "./block-writer.ts";
import type { BlobWriter } from "./blob-writer.ts";
import { LONGEST_MATCH, WINDOW } from "./deflate-tables.ts";

const SIZE = 1 << 18;
const SHORTEST = 4;
const HASH_BITS = 15;
const MASK = WINDOW - 1;
/** Candidates looked at, and with a match of this length already good enough for a short look. */
const CHAIN = 32;
const GOOD = 8;
const NICE = 128;
/** A match this long is taken without a look at the next place. */
const LAZY = 32;
/** So that matches, and all lazy looks of one step, do not depend on the pieces of the input. */
const LOOKAHEAD: number = LONGEST_MATCH + LAZY + SHORTEST;
const BLOCK_BYTES: number = 65535 - LONGEST_MATCH;
/** Far from any position that is used: nothing there can be reached. */
const NEVER = -(1 << 30);
const LAST_POSITION: number = 1 << 30;

/** Writes bytes as DEFLATE blocks. `write` gets at most 64 KiB at a time, so that little waits in the blob writer. */
export class Encoder {
  readonly #out: BlobWriter;
  readonly #blocks = new BlockWriter();
  readonly #window = new Uint8Array(SIZE);
  readonly #view: DataView = new DataView(this.#window.buffer);
  /** The last position of each hash, and for each position the one before with the same hash. */
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(NEVER);
  readonly #chain = new Int32Array(WINDOW).fill(NEVER);
  #start = 0;
  #at = 0;
  #end = 0;
  #shift = 0;
  #oldShift = 0;
  /** The first place whose hash is not in the chains. */
  #hashed = 0;
  #blockStart = 0;
  #matchAt = 0;

  constructor(out: BlobWriter) {
    this.#out = out;
  }

  /** Adds bytes; those at the end wait for more or for `flush`. */
  write(data: Uint8Array): void {
    for (let from = 0; from < data.length;) {
      if (this.#end === SIZE) this.#slide();
      const part = data.subarray(from, from + SIZE - this.#end);
      this.#window.set(part, this.#end);
      this.#end += part.length;
      from += part.length;
      this.#encode(this.#end - LOOKAHEAD);
    }
  }

  /** Writes what waits and ends the block; the last block of a stream is written even when it is empty. */
  flush(isLast: boolean): void {
    this.#encode(this.#end);
    if (isLast || this.#blocks.symbols > 0) this.#block(isLast);
  }

  /** After `flush`: others write `count` bytes of the stream. */
  skip(count: number): void {
    const kept = count >= WINDOW ? 0 : Math.min(WINDOW - count, this.#end - this.#start);
    this.#window.copyWithin(0, this.#end - kept, this.#end);
    this.#oldShift = this.#shift + this.#end - kept;
    this.#shift = this.#oldShift + Math.min(count, WINDOW);
    this.#begin(kept);
    if (this.#shift > LAST_POSITION) this.#forget();
  }

  /** After `flush`: a new stream starts. */
  reset(): void {
    this.skip(WINDOW);
  }

  #begin(place: number): void {
    this.#start = place;
    this.#at = place;
    this.#end = place;
    this.#hashed = place;
    this.#blockStart = place;
  }

  /** Positions start anew; there is nothing to copy from. */
  #forget(): void {
    this.#heads.fill(NEVER);
    this.#chain.fill(NEVER);
    this.#oldShift -= this.#shift;
    this.#shift = 0;
  }

  /** Makes room; keeps what can be copied and the bytes of the current block. */
  #slide(): void {
    const from = Math.max(this.#start, Math.min(this.#at - WINDOW, this.#blockStart));
    this.#window.copyWithin(0, from, this.#end);
    this.#shift += from;
    this.#start = 0;
    this.#at -= from;
    this.#end -= from;
    this.#hashed -= from;
    this.#blockStart -= from;
    if (this.#shift > LAST_POSITION) this.#forget();
  }

  #encode(limit: number): void {
    while (this.#at < limit) {
      let length = this.#match(this.#at, SHORTEST - 1);
      if (length === 0) {
        this.#literal();
        continue;
      }
      let found = this.#matchAt;
      while (length < LAZY && this.#at + 1 < this.#end) {
        const better = this.#match(this.#at + 1, length);
        if (better === 0) break;
        this.#literal();
        length = better;
        found = this.#matchAt;
      }
      this.#blocks.copy(length, this.#at + this.#shift - found);
      this.#at += length;
      this.#endOfSymbol();
    }
  }

  #literal(): void {
    this.#blocks.literal(this.#window[this.#at] ?? 0);
    this.#at += 1;
    this.#endOfSymbol();
  }

  #endOfSymbol(): void {
    if (this.#blocks.symbols === BLOCK_SYMBOLS || this.#at - this.#blockStart > BLOCK_BYTES) this.#block(false);
  }

  #block(isLast: boolean): void {
    this.#blocks.write(this.#out, this.#window.subarray(this.#blockStart, this.#at), isLast);
    this.#blockStart = this.#at;
  }

  /** The length of the longest match at a place, its position in `#matchAt`; 0 when none is longer than `than`. */
  #match(place: number, than: number): number {
    const most = Math.min(LONGEST_MATCH, this.#end - place);
    if (most < SHORTEST || than >= most) return 0;
    const before = this.#insert(place);
    const position = place + this.#shift;
    const oldest = Math.max(position - WINDOW, this.#start === 0 ? this.#shift : this.#oldShift);
    if (before < oldest) return 0;
    const longest = this.#search(place, than, before, oldest);
    return longest > than ? longest : 0;
  }

  /** Follows the chain of places with the same hash. */
  #search(place: number, than: number, newest: number, oldest: number): number {
    const most = Math.min(LONGEST_MATCH, this.#end - place);
    const window = this.#window;
    const chain = this.#chain;
    const start = this.#start;
    const shift = this.#shift;
    const oldShift = this.#oldShift;
    const newPart = start + shift;
    let candidate = newest;
    let longest = than;
    let tail = window[place + longest] ?? 0;
    const first = window[place] ?? 0;
    for (let left = than >= GOOD ? CHAIN >> 2 : CHAIN; left > 0 && candidate >= oldest; left -= 1) {
      const isNew = candidate >= newPart;
      const at = isNew ? candidate - shift : candidate - oldShift;
      if (window[at + longest] === tail && window[at] === first) {
        const room = isNew ? most : Math.min(most, start - at);
        let length = 1;
        while (length < room && window[at + length] === window[place + length]) length += 1;
        if (length > longest) {
          longest = length;
          this.#matchAt = candidate;
          if (length >= NICE || length === most) break;
          tail = window[place + longest] ?? 0;
        }
      }
      const next = chain[candidate & MASK] ?? NEVER;
      if (next >= candidate) break;
      candidate = next;
    }
    return longest;
  }

  /** Puts all places up to `place` into the chains, and gives the position that was last before it with its hash. */
  #insert(place: number): number {
    const view = this.#view;
    const heads = this.#heads;
    const chain = this.#chain;
    const shift = this.#shift;
    let before = NEVER;
    for (let at = this.#hashed; at <= place; at += 1) {
      const hash = Math.imul(view.getUint32(at, true), 0x9e3779b1) >>> (32 - HASH_BITS);
      before = heads[hash] ?? NEVER;
      chain[(at + shift) & MASK] = before;
      heads[hash] = at + shift;
    }
    this.#hashed = place + 1;
    return before;
  }
}
