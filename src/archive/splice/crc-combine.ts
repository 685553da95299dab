// SPDX-License-Identifier: Apache-2.0
/*
 * CRC-32 of joined data from the CRCs of its parts: appending n bytes multiplies the first part's CRC by x^(8n) modulo
 * the polynomial. Polynomials are bit-reversed as in gzip: bit 31 is x^0.
 */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

/** x^(2^n) for n below 32; the sequence repeats after that. */
const POWERS: Uint32Array = powers();

function powers(): Uint32Array {
  const table = new Uint32Array(32);
  let value = ONE >>> 1;
  for (let index = 0; index < 32; index += 1) {
    table[index] = value;
    value = multiply(value, value);
  }
  return table;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit -= 1) {
    if (((a >>> bit) & 1) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** The CRC-32 of a first part with CRC `first`, followed by `size` bytes with CRC `second`. */
export function combineCrc(first: number, second: number, size: number): number {
  let factor = ONE;
  let power = 3;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) factor = multiply(POWERS[power & 31] ?? 0, factor);
    power += 1;
  }
  return (multiply(factor, first) ^ second) >>> 0;
}
