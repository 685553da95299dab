// SPDX-License-Identifier: Apache-2.0
/* A DEFLATE block's symbols as bits (RFC 1951, section 3.2.5), by codes that the caller gives. */
import { DISTANCE_CODES, DISTANCE_SYMBOLS, LENGTH_SYMBOLS, LITERAL_CODES, OUTPUT, SYMBOLS } from "./memory";

const END_OF_BLOCK: usize = 256;
const CODE: u64 = 0xffff;

/** Bits on their way: the next one lowest, fewer than eight between two symbols. */
let bits: u64 = 0;
let count: u64 = 0;
let output: usize = OUTPUT;

/** Bits after the last whole byte, the first one lowest. */
export function heldBits(): i32 {
  return <i32>bits;
}

export function heldCount(): i32 {
  return <i32>count;
}

/** Writes the symbols and the block's end after some bits; gives the number of whole bytes. */
export function writeSymbols(symbols: i32, held: i32, heldCount: i32): i32 {
  bits = <u64>held;
  count = <u64>heldCount;
  output = OUTPUT;
  for (let index = 0; index < symbols; index += 1) {
    const symbol = load<u32>(SYMBOLS + (index << 2));
    if (symbol < 256) put(load<u32>(LITERAL_CODES + (symbol << 2)));
    else putCopy(symbol & 0x1ff, symbol >>> 16);
    flush();
  }
  put(load<u32>(LITERAL_CODES + (END_OF_BLOCK << 2)));
  flush();
  return <i32>(output - OUTPUT);
}

/** At most 48 bits: 15 and 5 for the length, 15 and 13 for the distance. */
function putCopy(length: u32, distance: u32): void {
  const lengthSymbol = <u32>load<u8>(LENGTH_SYMBOLS + length);
  put(load<u32>(LITERAL_CODES + ((257 + lengthSymbol) << 2)));
  if (lengthSymbol >= 8 && lengthSymbol < 28) putExtra(length - 3, (lengthSymbol >> 2) - 1);
  const place = distance <= 256 ? distance - 1 : 256 + ((distance - 1) >>> 7);
  const distanceSymbol = <u32>load<u8>(DISTANCE_SYMBOLS + place);
  put(load<u32>(DISTANCE_CODES + (distanceSymbol << 2)));
  if (distanceSymbol >= 4) putExtra(distance - 1, (distanceSymbol >> 1) - 1);
}

/** A code, with its length above. */
function put(code: u32): void {
  bits |= (<u64>code & CODE) << count;
  count += <u64>(code >>> 16);
}

/** The lowest bits of a length minus 3 or of a distance minus 1: their symbol's base is a multiple of 2 ** size. */
function putExtra(value: u32, size: u32): void {
  bits |= (<u64>(value & ((1 << size) - 1))) << count;
  count += <u64>size;
}

/** Whole bytes leave. */
function flush(): void {
  store<u64>(output, bits);
  output += <usize>(count >> 3);
  bits >>= count & ~7;
  count &= 7;
}
