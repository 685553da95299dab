// SPDX-License-Identifier: Apache-2.0
/*
 * Where the encoder's memory has what (see `deflate.ts`); `src/archive/splice/encoder.ts` uses the same addresses.
 *
 *   0x10000  the last position of each hash        0xc1000  counts of literals and lengths, 0xc1800 of distances
 *   0x50000  for each position the one before      0xc2000  symbols of lengths, 0xc2400 of distances (from the caller)
 *   0x70000  the window, and room behind it        0xc3000  codes of literals and lengths, 0xc3800 of distances
 *   0xb1000  symbols of the block                  0xc4000  the block's bits
 *
 * A symbol is a literal, or the length of a copy with its distance above. A code has its length above.
 */
export const HEADS: usize = 0x10000;
export const CHAINS: usize = 0x50000;
export const ROOM: usize = 0x70000;
export const SYMBOLS: usize = 0xb1000;
export const LITERAL_COUNTS: usize = 0xc1000;
export const DISTANCE_COUNTS: usize = 0xc1800;
export const LENGTH_SYMBOLS: usize = 0xc2000;
export const DISTANCE_SYMBOLS: usize = 0xc2400;
export const LITERAL_CODES: usize = 0xc3000;
export const DISTANCE_CODES: usize = 0xc3800;
export const OUTPUT: usize = 0xc4000;
