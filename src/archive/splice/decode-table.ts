// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding tables: the next 10 bits index the first part; longer codes lead to a second part. An entry is
 *   bits 0-4 code length   5-8 extra bits   9-11 kind   16-31 base value, or the place of the second part
 */
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  END_OF_BLOCK,
  LENGTH_BASE,
  LENGTH_EXTRA,
  reverseBits,
} from "./deflate-tables.ts";

export const FIRST_BITS = 10;
export const KIND: number = 7 << 9;
export const LITERAL: number = 1 << 9;
export const COPY: number = 2 << 9;
export const END: number = 3 << 9;
export const LONGER: number = 4 << 9;
const LONGEST_CODE = 15;
const REVERSED: Uint16Array = Uint16Array.from({ length: 1 << LONGEST_CODE }, (_, code) =>
  reverseBits(code, LONGEST_CODE),
);

/** What symbols mean. */
export type Alphabet = "literals" | "distances" | "lengths";

/** A table that is filled again for each block. */
export class DecodeTable {
  /** An entry of 0 is an invalid code. */
  readonly entries: Int32Array = new Int32Array((1 << FIRST_BITS) + (1 << LONGEST_CODE));
  /** Mask of the bits of the second part's index. */
  secondMask = 0;
  readonly #meanings: Uint32Array;
  readonly #mayBeIncomplete: boolean;
  readonly #counts = new Uint16Array(LONGEST_CODE + 2);

  constructor(alphabet: Alphabet) {
    this.#meanings = Uint32Array.from({ length: 288 }, (_, symbol) => meaning(alphabet, symbol));
    this.#mayBeIncomplete = alphabet !== "lengths";
  }

  /**
   * Fills the table for code lengths (0 … 15). False for what zlib refuses: more codes than bits allow, or fewer,
   * unless it is a single code of one bit, or none.
   */
  build(lengths: Uint8Array): boolean {
    const counts = this.#counts.fill(0);
    for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
    counts[0] = 0;
    let longest = 0;
    let left = 1;
    for (let length = 1; length <= LONGEST_CODE; length += 1) {
      const count = counts[length] ?? 0;
      if (count > 0) longest = length;
      left = left * 2 - count;
      if (left < 0) return false;
    }
    if (left > 0 && longest > 0 && (longest > 1 || !this.#mayBeIncomplete)) return false;
    this.#fill(lengths, longest);
    return true;
  }

  #fill(lengths: Uint8Array, longest: number): void {
    const { entries } = this;
    const next = firstCodes(this.#counts);
    entries.fill(0, 0, 1 << FIRST_BITS);
    const secondBits = Math.max(0, longest - FIRST_BITS);
    this.secondMask = (1 << secondBits) - 1;
    let free = 1 << FIRST_BITS;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      const length = lengths[symbol] ?? 0;
      if (length === 0) continue;
      const code = (REVERSED[next[length] ?? 0] ?? 0) >>> (LONGEST_CODE - length);
      next[length] = (next[length] ?? 0) + 1;
      const known = this.#meanings[symbol] ?? 0;
      const entry = known === 0 ? 0 : known | length;
      if (length <= FIRST_BITS) {
        for (let at = code; at < 1 << FIRST_BITS; at += 1 << length) entries[at] = entry;
        continue;
      }
      const first = code & ((1 << FIRST_BITS) - 1);
      if (entries[first] === 0) {
        entries[first] = (free << 16) | LONGER;
        entries.fill(0, free, free + (1 << secondBits));
        free += 1 << secondBits;
      }
      const start = (entries[first] ?? 0) >>> 16;
      const step = 1 << (length - FIRST_BITS);
      for (let at = code >>> FIRST_BITS; at < 1 << secondBits; at += step) entries[start + at] = entry;
    }
  }
}

function firstCodes(counts: Uint16Array): Uint16Array {
  const next = new Uint16Array(LONGEST_CODE + 1);
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    next[length] = ((next[length - 1] ?? 0) + (counts[length - 1] ?? 0)) << 1;
  }
  return next;
}

/** An entry without its code length; 0 for symbols that are never valid. */
function meaning(alphabet: Alphabet, symbol: number): number {
  if (alphabet === "lengths") return LITERAL | (symbol << 16);
  if (alphabet === "distances") {
    if (symbol >= 30) return 0;
    return COPY | ((DISTANCE_EXTRA[symbol] ?? 0) << 5) | ((DISTANCE_BASE[symbol] ?? 0) << 16);
  }
  if (symbol < END_OF_BLOCK) return LITERAL | (symbol << 16);
  if (symbol === END_OF_BLOCK) return END;
  if (symbol >= 286) return 0;
  return COPY | ((LENGTH_EXTRA[symbol - 257] ?? 0) << 5) | ((LENGTH_BASE[symbol - 257] ?? 0) << 16);
}
