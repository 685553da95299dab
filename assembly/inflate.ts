// SPDX-License-Identifier: Apache-2.0
/*
 * DEFLATE to bytes (RFC 1951) as WebAssembly. Its input is hostile: all that zlib refuses is refused here, and a fault
 * could reach nothing but this module's own memory. It makes no garbage, which is why it is not zlib: Node's gives a
 * new buffer for each piece, and their collection costs more memory and time than the decoding.
 *
 *   0x00000  decode tables and code lengths     (static data of the compiler at 0x08000)
 *   0x10000  input, 256 KiB, and zeros after it
 *   0x60000  the last 32 KiB of output, then 256 KiB of new output, then room for copies that run over
 *
 * Bits wait in `held`, the next one lowest; `have` says how many are valid. A look reads eight bytes, so after each
 * refill there are 56 bits or more, and what is above them is right too.
 */

/** More input is wanted, the output is full, all is decoded, the data is damaged: what `run` answers. */
const WANTS_INPUT: i32 = 0;
const IS_FULL: i32 = 1;
const IS_DONE: i32 = 2;
const DAMAGED: i32 = -1;
/** A block's symbols are at their end, or their input is. */
const GOES_ON: i32 = 3;

const IN_HEADER: i32 = 0;
const IN_SYMBOLS: i32 = 1;
const IN_STORED: i32 = 2;
const AFTER_LAST: i32 = 3;

const LITERALS: usize = 0x0400;
const LITERAL_ENTRIES: u32 = 0x1000;
const LITERAL_BITS: u32 = 11;
const LITERAL_MASK: u32 = (1 << 11) - 1;
const DISTANCES: usize = 0x4400;
const DISTANCE_ENTRIES: u32 = 0x400;
const DISTANCE_BITS: u32 = 8;
const DISTANCE_MASK: u32 = (1 << 8) - 1;
/** Codes of code lengths. */
const LENGTHS: usize = 0x5400;
const LENGTH_ENTRIES: u32 = 0x80;
const LENGTH_BITS: u32 = 7;
const LENGTH_MASK: u32 = (1 << 7) - 1;
/** The code length of each symbol: u8[320], and of distances while literals are built. */
const SYMBOL_LENGTHS: usize = 0x5600;
const DISTANCE_LENGTHS: usize = 0x5760;
/** u16[16] each: symbols of a length, and where the next of them goes in SORTED, u16[320]. */
const COUNTS: usize = 0x5800;
const PLACES: usize = 0x5840;
const SORTED: usize = 0x5880;

const INPUT: usize = 0x10000;
const INPUT_ROOM: usize = 0x40000;
/** Zeros after the last input: what a decoder that runs over its end reads first. */
const SLACK: usize = 32;
const WINDOW: usize = 0x8000;
const OUTPUT: usize = 0x68000;
const OUTPUT_END: usize = 0xa8000;
/** Longest match, and how far a copy runs over. */
const OUTPUT_SLACK: usize = 280;
/** More than the header of any block. */
const HEADER_ROOM: usize = 1024;

/*
 * An entry of a table:  31..16 value   15..12 kind   11..8 length of its code   5..0 bits to drop
 * Value: a literal, or the base of a length or distance, whose extra bits are among those to drop; of a second table
 * its first entry, and 11..8 say how many bits choose in it.
 */
const LITERAL: u32 = 0x8000;
const SPECIAL: u32 = 0x4000;
const SECOND: u32 = 0x2000;
const END_OF_BLOCK: u32 = 0x1000;

const OF_LITERALS: u32 = 0;
const OF_DISTANCES: u32 = 1;
const OF_LENGTHS: u32 = 2;

// prettier-ignore
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
const CODE_ORDER: StaticArray<u8> = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

let input: usize = INPUT;
let inputEnd: usize = INPUT;
let isLastInput: bool = false;
let output: usize = OUTPUT;
/** The first byte that a match may copy. */
let history: usize = OUTPUT;
let held: u64 = 0;
let have: u32 = 0;
let state: i32 = IN_HEADER;
let isLastBlock: bool = false;
let storedLeft: usize = 0;

/** Starts a new stream. */
export function reset(): void {
  input = INPUT;
  inputEnd = INPUT;
  isLastInput = false;
  output = OUTPUT;
  history = OUTPUT;
  held = 0;
  have = 0;
  state = IN_HEADER;
  isLastBlock = false;
}

/**
 * Moves input that was not read to the front; the address where more goes. Bytes that wait as bits are given back
 * before: there is nothing in front of the front where they could be given back to later.
 */
export function inputAt(): usize {
  giveBack();
  const left = inputEnd - input;
  memory.copy(INPUT, input, left);
  input = INPUT;
  inputEnd = INPUT + left;
  return inputEnd;
}

/** Bytes that may go there. */
export function inputRoom(): usize {
  return INPUT + INPUT_ROOM - inputEnd;
}

/** Says that `count` bytes were put there. */
export function feed(count: usize, isLast: bool): void {
  inputEnd += count;
  isLastInput = isLast;
  memory.fill(inputEnd, 0, SLACK);
}

/** Bytes of input that were not read; after the end those behind it. */
export function inputLeft(): usize {
  return inputEnd - input;
}

/** The address of new output, and its size. */
export function outputAt(): usize {
  return OUTPUT;
}

export function outputSize(): usize {
  return output - OUTPUT;
}

/** Decodes until something is wanted. Output from before is overwritten. */
export function run(): i32 {
  keepWindow();
  while (state != AFTER_LAST) {
    if (!isLastInput && inputEnd - input < HEADER_ROOM) return WANTS_INPUT;
    let answer = GOES_ON;
    if (state == IN_HEADER) answer = isLastBlock ? end() : header();
    else if (state == IN_STORED) answer = stored();
    else answer = symbols();
    if (answer != GOES_ON) return answer;
  }
  return IS_DONE;
}

function keepWindow(): void {
  const kept = min<usize>(output - history, WINDOW);
  memory.copy(OUTPUT - kept, output - kept, kept);
  history = OUTPUT - kept;
  output = OUTPUT;
}

/** Whole bytes that wait were not read. */
function giveBack(): void {
  input -= have >> 3;
  have &= 7;
  held &= ((<u64>1) << have) - 1;
}

function end(): i32 {
  giveBack();
  if (input > inputEnd) return DAMAGED;
  state = AFTER_LAST;
  return GOES_ON;
}

function refill(): void {
  held |= load<u64>(input) << have;
  input += 7 - ((have >> 3) & 7);
  have |= 56;
}

function take(count: u32): u32 {
  const value = <u32>held & ((1 << count) - 1);
  held >>= count;
  have -= count;
  return value;
}

function header(): i32 {
  refill();
  isLastBlock = take(1) == 1;
  const type = take(2);
  if (type == 0) return startStored();
  if (type == 3) return DAMAGED;
  state = IN_SYMBOLS;
  return type == 1 ? fixedCodes() : ownCodes();
}

function startStored(): i32 {
  take(have & 7);
  giveBack();
  if (input + 4 > inputEnd) return DAMAGED;
  storedLeft = load<u16>(input);
  if ((<u32>storedLeft ^ 0xffff) != <u32>load<u16>(input + 2)) return DAMAGED;
  input += 4;
  state = IN_STORED;
  return GOES_ON;
}

function stored(): i32 {
  const count = min<usize>(min<usize>(storedLeft, inputEnd - input), OUTPUT_END - output);
  memory.copy(output, input, count);
  output += count;
  input += count;
  storedLeft -= count;
  if (storedLeft == 0) state = IN_HEADER;
  else if (output == OUTPUT_END) return IS_FULL;
  else if (isLastInput && input == inputEnd) return DAMAGED;
  return GOES_ON;
}

function fixedCodes(): i32 {
  memory.fill(SYMBOL_LENGTHS, 8, 144);
  memory.fill(SYMBOL_LENGTHS + 144, 9, 112);
  memory.fill(SYMBOL_LENGTHS + 256, 7, 24);
  memory.fill(SYMBOL_LENGTHS + 280, 8, 8);
  build(288, LITERALS, LITERAL_BITS, OF_LITERALS);
  memory.fill(SYMBOL_LENGTHS, 5, 32);
  build(32, DISTANCES, DISTANCE_BITS, OF_DISTANCES);
  return GOES_ON;
}

function ownCodes(): i32 {
  const literals = take(5) + 257;
  const distances = take(5) + 1;
  const lengths = take(4) + 4;
  if (literals > 286 || distances > 30) return DAMAGED;
  memory.fill(SYMBOL_LENGTHS, 0, 19);
  for (let index: u32 = 0; index < lengths; index++) {
    refill();
    store<u8>(SYMBOL_LENGTHS + unchecked(CODE_ORDER[index]), <u8>take(3));
  }
  if (!build(19, LENGTHS, LENGTH_BITS, OF_LENGTHS)) return DAMAGED;
  if (!symbolLengths(literals + distances)) return DAMAGED;
  if (load<u8>(SYMBOL_LENGTHS + 256) == 0) return DAMAGED;
  memory.copy(DISTANCE_LENGTHS, SYMBOL_LENGTHS + literals, distances);
  if (!build(literals, LITERALS, LITERAL_BITS, OF_LITERALS)) return DAMAGED;
  memory.copy(SYMBOL_LENGTHS, DISTANCE_LENGTHS, distances);
  return build(distances, DISTANCES, DISTANCE_BITS, OF_DISTANCES) ? GOES_ON : DAMAGED;
}

/** Reads code lengths, in which 16 repeats the last one and 17 and 18 are zeros (section 3.2.7). */
function symbolLengths(total: u32): bool {
  for (let index: u32 = 0; index < total;) {
    refill();
    const entry = load<u32>(LENGTHS + ((<usize>(<u32>held & LENGTH_MASK)) << 2));
    take(entry & 63);
    const symbol = entry >> 16;
    let value: u32 = symbol;
    let times: u32 = 1;
    if (symbol == 16) {
      if (index == 0) return false;
      value = load<u8>(SYMBOL_LENGTHS + index - 1);
      times = 3 + take(2);
    } else if (symbol > 16) {
      value = 0;
      times = symbol == 17 ? 3 + take(3) : 11 + take(7);
    }
    if (index + times > total) return false;
    memory.fill(SYMBOL_LENGTHS + index, <u8>value, times);
    index += times;
  }
  return true;
}

/**
 * Makes a table of the codes whose lengths are in SYMBOL_LENGTHS. Codes longer than `bits` go on in second tables.
 * False when the code is over-subscribed, or incomplete in a way that zlib refuses.
 */
function build(symbols: u32, table: usize, bits: u32, kind: u32): bool {
  const longest = countLengths(symbols);
  if (longest == 0xff) return false;
  const open = openCodes();
  if (open > 0 && (kind == OF_LENGTHS || longest > 1 || (longest == 0 && kind != OF_DISTANCES))) return false;
  if (open > 0) for (let index: u32 = 0; index < (<u32>1) << bits; index++) store<u32>(table + (index << 2), SPECIAL);
  sortSymbols(symbols);
  return fill(table, bits, kind, longest);
}

/** The longest code length; 0xff when there are too many codes. */
function countLengths(symbols: u32): u32 {
  memory.fill(COUNTS, 0, 32);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const place = COUNTS + ((<usize>load<u8>(SYMBOL_LENGTHS + symbol)) << 1);
    store<u16>(place, load<u16>(place) + 1);
  }
  store<u16>(COUNTS, 0);
  let longest: u32 = 0;
  let left: i32 = 1;
  for (let length: u32 = 1; length < 16; length++) {
    const count = <i32>load<u16>(COUNTS + (length << 1));
    left = (left << 1) - count;
    if (left < 0) return 0xff;
    if (count > 0) longest = length;
  }
  return longest;
}

/** Codes of 15 bits that mean nothing. */
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

/** The symbols of a block. All state is local here: this is where the time goes. */
function symbols(): i32 {
  const stop = isLastInput ? inputEnd + 8 : inputEnd - SLACK;
  const full = OUTPUT_END - OUTPUT_SLACK;
  let at = input;
  let to = output;
  let bits = held;
  let count = have;
  let answer = GOES_ON;
  bits |= load<u64>(at) << count;
  at += 7 - ((count >> 3) & 7);
  count |= 56;
  let entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
  while (true) {
    if (to > full) {
      answer = IS_FULL;
      break;
    }
    if (at > stop) {
      answer = isLastInput ? DAMAGED : GOES_ON;
      break;
    }
    if ((entry & LITERAL) != 0) {
      // Three of them are 33 bits at most.
      bits >>= entry;
      count -= entry & 63;
      store<u8>(to++, <u8>(entry >> 16));
      entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
      if ((entry & LITERAL) != 0) {
        bits >>= entry;
        count -= entry & 63;
        store<u8>(to++, <u8>(entry >> 16));
        entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
        if ((entry & LITERAL) != 0) {
          bits >>= entry;
          count -= entry & 63;
          store<u8>(to++, <u8>(entry >> 16));
          bits |= load<u64>(at) << count;
          at += 7 - ((count >> 3) & 7);
          count |= 56;
          entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
          continue;
        }
      }
      bits |= load<u64>(at) << count;
      at += 7 - ((count >> 3) & 7);
      count |= 56;
    }
    if ((entry & SPECIAL) != 0) {
      if ((entry & SECOND) != 0) {
        bits >>= entry;
        count -= entry & 63;
        const chosen = <u32>bits & (((<u32>1) << ((entry >> 8) & 15)) - 1);
        entry = load<u32>(LITERALS + ((<usize>((entry >> 16) + chosen)) << 2));
      }
      if ((entry & LITERAL) != 0) {
        bits >>= entry;
        count -= entry & 63;
        store<u8>(to++, <u8>(entry >> 16));
        bits |= load<u64>(at) << count;
        at += 7 - ((count >> 3) & 7);
        count |= 56;
        entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
        continue;
      }
      if ((entry & SPECIAL) != 0) {
        if ((entry & END_OF_BLOCK) == 0) answer = DAMAGED;
        bits >>= entry;
        count -= entry & 63;
        state = IN_HEADER;
        break;
      }
    }
    // A length of 20 bits and a distance of 28 at most.
    let total = entry & 63;
    const length = <usize>((entry >> 16) + ((<u32>bits & (((<u32>1) << total) - 1)) >> ((entry >> 8) & 15)));
    bits >>= entry;
    count -= total;
    entry = load<u32>(DISTANCES + ((<usize>(<u32>bits & DISTANCE_MASK)) << 2));
    if ((entry & SPECIAL) != 0) {
      if ((entry & SECOND) == 0) {
        answer = DAMAGED;
        break;
      }
      bits >>= entry;
      count -= entry & 63;
      const chosen = <u32>bits & (((<u32>1) << ((entry >> 8) & 15)) - 1);
      entry = load<u32>(DISTANCES + ((<usize>((entry >> 16) + chosen)) << 2));
      if ((entry & SPECIAL) != 0) {
        answer = DAMAGED;
        break;
      }
    }
    total = entry & 63;
    const distance = <usize>((entry >> 16) + ((<u32>bits & (((<u32>1) << total) - 1)) >> ((entry >> 8) & 15)));
    bits >>= entry;
    count -= total;
    if (to - distance < history) {
      answer = DAMAGED;
      break;
    }
    bits |= load<u64>(at) << count;
    at += 7 - ((count >> 3) & 7);
    count |= 56;
    entry = load<u32>(LITERALS + ((<usize>(<u32>bits & LITERAL_MASK)) << 2));
    copy(to, distance, length);
    to += length;
  }
  input = at;
  output = to;
  held = bits;
  have = count & 63;
  return answer;
}

/** Copies earlier output; writes up to 31 bytes more than `length`, which what follows overwrites. */
function copy(start: usize, distance: usize, length: usize): void {
  const end = start + length;
  let to = start;
  let from = start - distance;
  if (distance >= 16) {
    v128.store(to, v128.load(from));
    if (length <= 16) return;
    v128.store(to, v128.load(from, 16), 16);
    for (to += 32, from += 32; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
  } else if (distance >= 8) {
    for (; to < end; to += 8, from += 8) store<u64>(to, load<u64>(from));
  } else if (distance == 1) {
    const bytes = v128.splat<u8>(load<u8>(from));
    for (; to < end; to += 16) v128.store(to, bytes);
  } else {
    for (; to < end; to++, from++) store<u8>(to, load<u8>(from));
  }
}
