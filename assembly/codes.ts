// SPDX-License-Identifier: Apache-2.0
/* Huffman codes of DEFLATE (RFC 1951, section 3.2.2) as tables to look them up in; the map of memory is in `inflate.ts`. */

export const LITERALS: usize = 0x0400;
const LITERAL_ENTRIES: u32 = 0x1000;
const LITERAL_BITS: u32 = 11;
export const LITERAL_MASK: u32 = (1 << 11) - 1;
export const DISTANCES: usize = 0x4400;
const DISTANCE_ENTRIES: u32 = 0x400;
const DISTANCE_BITS: u32 = 8;
export const DISTANCE_MASK: u32 = (1 << 8) - 1;
/** Codes of code lengths. */
export const LENGTHS: usize = 0x5400;
const LENGTH_ENTRIES: u32 = 0x80;
const LENGTH_BITS: u32 = 7;
export const LENGTH_MASK: u32 = (1 << 7) - 1;
/** The code length of each symbol: u8[320], and of distances while literals are built. */
export const SYMBOL_LENGTHS: usize = 0x5600;
export const DISTANCE_LENGTHS: usize = 0x5760;
/** u16[16] each: symbols of a length, and where the next of them goes in SORTED, u16[320]. */
const COUNTS: usize = 0x5800;
const PLACES: usize = 0x5840;
const SORTED: usize = 0x5880;

/*
 * An entry of a table:  31..16 value   15..12 kind   11..8 length of its code   5..0 bits to drop
 * Value: a literal, or the base of a length or distance, whose extra bits are among those to drop; of a second table
 * its first entry, and 11..8 say how many bits choose in it.
 */
export const LITERAL: u32 = 0x8000;
export const SPECIAL: u32 = 0x4000;
export const SECOND: u32 = 0x2000;
export const END_OF_BLOCK: u32 = 0x1000;

export const OF_LITERALS: u32 = 0;
export const OF_DISTANCES: u32 = 1;
export const OF_LENGTHS: u32 = 2;

const LENGTH_BASE: StaticArray<u16> = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA: StaticArray<u8> = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: StaticArray<u16> = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: StaticArray<u8> = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/**
 * Makes a kind's table of the codes whose lengths are in SYMBOL_LENGTHS. Those longer than its bits go on in second tables.
 * False when the code is over-subscribed, or incomplete in a way that zlib refuses.
 */
export function build(symbols: u32, kind: u32): bool {
  const table = tableOf(kind);
  const bits = bitsOf(kind);
  const longest = countLengths(symbols);
  const open = openCodes();
  if (open < 0) return false;
  if (open > 0 && (kind == OF_LENGTHS || longest > 1 || (longest == 0 && kind != OF_DISTANCES))) return false;
  if (open > 0) for (let index: u32 = 0; index < (<u32>1) << bits; index++) store<u32>(table + (index << 2), SPECIAL);
  sortSymbols(symbols);
  return fill(table, bits, kind, longest);
}

/** Counts the codes of each length; the longest length. */
function countLengths(symbols: u32): u32 {
  memory.fill(COUNTS, 0, 32);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const place = COUNTS + ((<usize>load<u8>(SYMBOL_LENGTHS + symbol)) << 1);
    store<u16>(place, load<u16>(place) + 1);
  }
  store<u16>(COUNTS, 0);
  let longest: u32 = 15;
  while (longest > 0 && load<u16>(COUNTS + (longest << 1)) == 0) longest--;
  return longest;
}

/** Codes of 15 bits that mean nothing; less than 0 when there are too many codes. */
function openCodes(): i32 {
  let left: i32 = 1;
  for (let length: u32 = 1; length < 16; length++) left = (left << 1) - <i32>load<u16>(COUNTS + (length << 1));
  return left;
}

function sortSymbols(symbols: u32): void {
  store<u16>(PLACES + 2, 0);
  for (let length: u32 = 1; length < 15; length++) {
    const at = length << 1;
    store<u16>(PLACES + at + 2, load<u16>(PLACES + at) + load<u16>(COUNTS + at));
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length = <u32>load<u8>(SYMBOL_LENGTHS + symbol);
    if (length == 0) continue;
    const place = load<u16>(PLACES + (length << 1));
    store<u16>(SORTED + ((<usize>place) << 1), <u16>symbol);
    store<u16>(PLACES + (length << 1), place + 1);
  }
}

/** Canonical codes in turn, with their bits reversed, as they are looked up. */
function fill(table: usize, bits: u32, kind: u32, longest: u32): bool {
  const size: u32 = 1 << bits;
  let next = size;
  let second: u32 = 0;
  let secondBits: u32 = 0;
  let prefix: u32 = 0xffffffff;
  let code: u32 = 0;
  let index: usize = 0;
  for (let length: u32 = 1; length <= longest; length++) {
    for (let left = <u32>load<u16>(COUNTS + (length << 1)); left > 0; left--) {
      const symbol = load<u16>(SORTED + (index << 1));
      index++;
      if (length <= bits) put(table, code, size, length, meaning(kind, symbol));
      else {
        if ((code & (size - 1)) != prefix) {
          prefix = code & (size - 1);
          second = next;
          secondBits = bitsOfSecond(length, left, bits, longest);
          next += (<u32>1) << secondBits;
          if (next > entriesOf(kind)) return false;
          store<u32>(table + (prefix << 2), SPECIAL | SECOND | (second << 16) | (secondBits << 8) | bits);
        }
        put(table + (second << 2), code >> bits, 1 << secondBits, length - bits, meaning(kind, symbol));
      }
      code = following(code, length);
    }
  }
  return true;
}

function tableOf(kind: u32): usize {
  if (kind == OF_LITERALS) return LITERALS;
  return kind == OF_DISTANCES ? DISTANCES : LENGTHS;
}

function bitsOf(kind: u32): u32 {
  if (kind == OF_LITERALS) return LITERAL_BITS;
  return kind == OF_DISTANCES ? DISTANCE_BITS : LENGTH_BITS;
}

function entriesOf(kind: u32): u32 {
  if (kind == OF_LITERALS) return LITERAL_ENTRIES;
  return kind == OF_DISTANCES ? DISTANCE_ENTRIES : LENGTH_ENTRIES;
}

/** So many that all codes with the same first bits have a place. */
function bitsOfSecond(length: u32, left: u32, bits: u32, longest: u32): u32 {
  let secondBits = length - bits;
  let open = (1 << secondBits) - <i32>left;
  for (let at = length + 1; open > 0 && at <= longest; at++) {
    open = (open << 1) - <i32>load<u16>(COUNTS + (at << 1));
    secondBits++;
  }
  return secondBits;
}

function put(table: usize, code: u32, size: u32, length: u32, meant: u32): void {
  let entry = meant | length;
  if ((meant & (LITERAL | SPECIAL)) == 0) {
    entry = (meant & 0xffff0000) | (length << 8) | (((meant >> 8) & 31) + length);
  }
  for (let at = code; at < size; at += (<u32>1) << length) store<u32>(table + (at << 2), entry);
}

/** The next code of a length, reversed; after the last one it does not matter. */
function following(code: u32, length: u32): u32 {
  const zeros = code ^ (((<u32>1) << length) - 1);
  if (zeros == 0) return code;
  const highest = (<u32>1) << (31 - clz<u32>(zeros));
  return (code & (highest - 1)) | highest;
}

/** An entry without lengths; extra bits are in 12..8. */
function meaning(kind: u32, symbol: u32): u32 {
  if (kind == OF_LENGTHS) return LITERAL | (symbol << 16);
  if (kind == OF_DISTANCES) {
    if (symbol >= 30) return SPECIAL;
    return ((<u32>unchecked(DISTANCE_BASE[symbol])) << 16) | ((<u32>unchecked(DISTANCE_EXTRA[symbol])) << 8);
  }
  if (symbol < 256) return LITERAL | (symbol << 16);
  if (symbol == 256) return SPECIAL | END_OF_BLOCK;
  if (symbol >= 286) return SPECIAL;
  return ((<u32>unchecked(LENGTH_BASE[symbol - 257])) << 16) | ((<u32>unchecked(LENGTH_EXTRA[symbol - 257])) << 8);
}
