// SPDX-License-Identifier: Apache-2.0
/* Constants of RFC 1951 that reading and writing share. */

/** The smallest length of each length symbol (257 …), and how many extra bits follow it. */
export const LENGTH_BASE: Uint16Array = new Uint16Array(29);
export const LENGTH_EXTRA: Uint8Array = Uint8Array.from([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]);
/** The smallest distance of each distance symbol, and how many extra bits follow it. */
export const DISTANCE_BASE: Uint16Array = new Uint16Array(30);
export const DISTANCE_EXTRA: Uint8Array = new Uint8Array(30);
/** The order in which a block's header gives the lengths of the code length code. */
export const CODE_ORDER: readonly number[] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** Code lengths of blocks with fixed codes; symbols 286, 287 and 30, 31 take part in the code but are never valid. */
export const FIXED_LITERALS: Uint8Array = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
export const FIXED_DISTANCES: Uint8Array = new Uint8Array(32).fill(5);
export const END_OF_BLOCK = 256;
export const LONGEST_MATCH = 258;
export const WINDOW = 32768;

fillBases();

function fillBases(): void {
  let length = 3;
  for (let symbol = 0; symbol < 28; symbol += 1) {
    LENGTH_BASE[symbol] = length;
    length += 1 << (LENGTH_EXTRA[symbol] ?? 0);
  }
  LENGTH_BASE[28] = LONGEST_MATCH;
  let distance = 1;
  for (let symbol = 0; symbol < 30; symbol += 1) {
    DISTANCE_EXTRA[symbol] = symbol < 4 ? 0 : (symbol >> 1) - 1;
    DISTANCE_BASE[symbol] = distance;
    distance += 1 << (DISTANCE_EXTRA[symbol] ?? 0);
  }
}

/** The lowest `count` bits of a value in reverse order: codes are sent from their highest bit. */
function reverseBits(value: number, count: number): number {
  let result = 0;
  for (let bit = 0; bit < count; bit += 1) result |= ((value >>> bit) & 1) << (count - 1 - bit);
  return result;
}

/** The canonical codes (bit-reversed, as they are sent) of code lengths up to 15. */
export function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const counts = new Uint16Array(16);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const next = new Uint16Array(16);
  for (let length = 1; length < 16; length += 1) {
    next[length] = ((next[length - 1] ?? 0) + (counts[length - 1] ?? 0)) << 1;
  }
  const codes = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    const length = lengths[symbol] ?? 0;
    if (length === 0) continue;
    codes[symbol] = reverseBits(next[length] ?? 0, length);
    next[length] = (next[length] ?? 0) + 1;
  }
  return codes;
}
