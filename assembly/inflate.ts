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
import {
  DISTANCES,
  DISTANCE_LENGTHS,
  DISTANCE_MASK,
  END_OF_BLOCK,
  LENGTHS,
  LENGTH_MASK,
  LITERAL,
  LITERALS,
  LITERAL_MASK,
  OF_DISTANCES,
  OF_LENGTHS,
  OF_LITERALS,
  SECOND,
  SPECIAL,
  SYMBOL_LENGTHS,
  build,
} from "./codes";
import { copy } from "./copy";

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
/** Where the last block starts and where it ends, in bits from the stream's start. */
let lastBlock: f64 = 0;
let endOfLast: f64 = 0;
/** Bytes that were fed since the start. */
let fed: f64 = 0;
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
  fed = 0;
}

/** The first bit of the last block's header, once all is decoded. */
export function lastBlockAt(): f64 {
  return lastBlock;
}

/** The bit after the last block, once all is decoded. */
export function endAt(): f64 {
  return endOfLast;
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
  fed += <f64>count;
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

/** The next bit, from the stream's start. */
function position(): f64 {
  return (fed - <f64>inputEnd + <f64>input) * 8 - <f64>have;
}

function end(): i32 {
  endOfLast = position();
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
  lastBlock = position();
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
  build(288, OF_LITERALS);
  memory.fill(SYMBOL_LENGTHS, 5, 32);
  build(32, OF_DISTANCES);
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
  if (!build(19, OF_LENGTHS)) return DAMAGED;
  if (!symbolLengths(literals + distances)) return DAMAGED;
  if (load<u8>(SYMBOL_LENGTHS + 256) == 0) return DAMAGED;
  memory.copy(DISTANCE_LENGTHS, SYMBOL_LENGTHS + literals, distances);
  if (!build(literals, OF_LITERALS)) return DAMAGED;
  memory.copy(SYMBOL_LENGTHS, DISTANCE_LENGTHS, distances);
  return build(distances, OF_DISTANCES) ? GOES_ON : DAMAGED;
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

/** The symbols of a block. This is where the time goes: state is local, and what a call could do is written out. */
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
