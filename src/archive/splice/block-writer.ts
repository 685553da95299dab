// SPDX-License-Identifier: Apache-2.0
/* Symbols of one DEFLATE block, and the smallest of the three ways to write them (RFC 1951, section 3.2.3). */
import type { BlobWriter } from "./blob-writer.ts";
import { codeLengths } from "./code-lengths.ts";
import {
  CODE_ORDER,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  END_OF_BLOCK,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LONGEST_MATCH,
  canonicalCodes,
} from "./deflate-tables.ts";

/** Below this number of symbols codes of a block's own never pay, or hardly. */
const FEW_SYMBOLS = 96;
const LITERALS = 286;
const DISTANCES = 30;
const STORED_OVERHEAD = 40;

/** Codes and their lengths. */
interface Codes {
  readonly literals: Uint8Array;
  readonly literalCodes: Uint16Array;
  readonly distances: Uint8Array;
  readonly distanceCodes: Uint16Array;
}

/** A block's own codes, and how its header sends them. */
interface OwnCodes extends Codes {
  readonly header: CodeHeader;
}

interface CodeHeader {
  readonly literals: number;
  readonly distances: number;
  /** Symbol, then its extra value, in turns. */
  readonly steps: readonly number[];
  readonly lengths: Uint8Array;
  readonly lengthCount: number;
  readonly bits: number;
}

const FIXED: Codes = {
  literals: FIXED_LITERALS,
  literalCodes: canonicalCodes(FIXED_LITERALS),
  distances: FIXED_DISTANCES,
  distanceCodes: canonicalCodes(FIXED_DISTANCES),
};
/** The symbol of each length of a copy, after 256. */
export const LENGTH_SYMBOL: Uint8Array = lengthSymbols();
/** The symbol of each distance, as the module looks it up: see `distanceSymbols`. */
export const DISTANCE_SYMBOL: Uint8Array = distanceSymbols();
const STEP_EXTRA: readonly number[] = [2, 3, 7];

/** Symbols of a block, which somebody else collects and writes. */
export interface BlockSymbols {
  /** How often each symbol is there. */
  readonly literalCounts: Uint32Array;
  readonly distanceCounts: Uint32Array;
  /** Where the codes go that they are written by: 16 bits, and above them how many of these count. */
  readonly literalCodes: Uint32Array;
  readonly distanceCodes: Uint32Array;
  /** Writes the symbols and the block's end to `bits` after some bits that are held; gives the number of whole bytes. */
  writeSymbols(held: number, count: number): number;
  readonly bits: Uint8Array;
  /** What is left after the last whole byte. */
  heldBits(): number;
  heldCount(): number;
}

/** A block to write. */
interface Block {
  /** Of symbols. */
  readonly count: number;
  /** What they stand for, at most 65,535 bytes. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Writes blocks. */
export class BlockWriter {
  readonly #symbols: BlockSymbols;

  constructor(symbols: BlockSymbols) {
    this.#symbols = symbols;
  }

  /** Writes the block that the symbols make. */
  write(out: BlobWriter, { count, bytes, isLast }: Block): void {
    this.#symbols.literalCounts[END_OF_BLOCK] = 1;
    const extra = this.#extraBits();
    const fixed = this.#codeBits(FIXED) + extra;
    const own = count < FEW_SYMBOLS || this.#isNoise(count) ? undefined : this.#ownCodes();
    const ownBits = own === undefined ? Infinity : this.#codeBits(own) + own.header.bits + extra;
    const stored = bytes.length * 8 + STORED_OVERHEAD;
    out.reserve(Math.ceil(Math.min(fixed, ownBits, stored) / 8) + 64);
    const last = isLast ? 1 : 0;
    if (stored < Math.min(fixed, ownBits)) writeStored(out, bytes, isLast);
    else if (own === undefined || fixed <= ownBits) {
      out.bits(last | 2, 3);
      this.#writeSymbols(out, FIXED);
    } else {
      out.bits(last | 4, 3);
      writeHeader(out, own.header);
      this.#writeSymbols(out, own);
    }
  }

  /**
   * Literals only, so evenly spread that codes would save less than their own description takes: entropy is at least
   * -log2 of the sum of squared probabilities, here 7.97 bits.
   */
  #isNoise(count: number): boolean {
    const { literalCounts } = this.#symbols;
    let [literals, squares] = [0, 0];
    for (let symbol = 0; symbol < 256; symbol += 1) {
      const value = literalCounts[symbol] ?? 0;
      literals += value;
      squares += value * value;
    }
    return literals === count && squares * 256 <= count * count * 1.02;
  }

  #extraBits(): number {
    const { literalCounts, distanceCounts } = this.#symbols;
    let bits = 0;
    for (let symbol = 0; symbol < 29; symbol += 1) {
      bits += (literalCounts[257 + symbol] ?? 0) * (LENGTH_EXTRA[symbol] ?? 0);
    }
    for (let symbol = 0; symbol < DISTANCES; symbol += 1) {
      bits += (distanceCounts[symbol] ?? 0) * (DISTANCE_EXTRA[symbol] ?? 0);
    }
    return bits + 3;
  }

  #codeBits(codes: Codes): number {
    const { literalCounts, distanceCounts } = this.#symbols;
    let bits = 0;
    for (let symbol = 0; symbol < LITERALS; symbol += 1) {
      bits += (literalCounts[symbol] ?? 0) * (codes.literals[symbol] ?? 0);
    }
    for (let symbol = 0; symbol < DISTANCES; symbol += 1) {
      bits += (distanceCounts[symbol] ?? 0) * (codes.distances[symbol] ?? 0);
    }
    return bits;
  }

  #ownCodes(): OwnCodes {
    const { literalCounts, distanceCounts } = this.#symbols;
    const literals = codeLengths(literalCounts, 15);
    const distances = codeLengths(twoAtLeast(distanceCounts), 15);
    return {
      literals,
      literalCodes: canonicalCodes(literals),
      distances,
      distanceCodes: canonicalCodes(distances),
      header: codeHeader(literals, distances),
    };
  }

  #writeSymbols(out: BlobWriter, codes: Codes): void {
    const { literalCodes, distanceCodes, bits } = this.#symbols;
    setCodes(literalCodes, codes.literalCodes, codes.literals);
    setCodes(distanceCodes, codes.distanceCodes, codes.distances);
    const size = this.#symbols.writeSymbols(out.held.value, out.held.count);
    const held = { value: this.#symbols.heldBits(), count: this.#symbols.heldCount() };
    out.continueWith(bits.subarray(0, size), held);
  }
}

function setCodes(target: Uint32Array, codes: Uint16Array, lengths: Uint8Array): void {
  for (let symbol = 0; symbol < target.length; symbol += 1) {
    target[symbol] = (codes[symbol] ?? 0) | ((lengths[symbol] ?? 0) << 16);
  }
}

/** A stored block; at most 65,535 bytes. */
export function writeStored(out: BlobWriter, bytes: Uint8Array, isLast: boolean): void {
  out.reserve(bytes.length + 8);
  out.bits(isLast ? 1 : 0, 3);
  out.align();
  out.bits(bytes.length, 16);
  out.bits(bytes.length ^ 0xffff, 16);
  out.bytes(bytes);
}

/** Some decoders want a full distance code: one with two symbols is. */
function twoAtLeast(counts: Uint32Array): Uint32Array {
  const result = Uint32Array.from(counts);
  let used = 0;
  for (const count of result) if (count > 0) used += 1;
  for (let symbol = 0; used < 2; symbol += 1) {
    if (result[symbol] !== 0) continue;
    result[symbol] = 1;
    used += 1;
  }
  return result;
}

function codeHeader(literalLengths: Uint8Array, distanceLengths: Uint8Array): CodeHeader {
  const literals = Math.max(257, usedLength(literalLengths));
  const distances = Math.max(1, usedLength(distanceLengths));
  const all = new Uint8Array(literals + distances);
  all.set(literalLengths.subarray(0, literals));
  all.set(distanceLengths.subarray(0, distances), literals);
  const steps = runSteps(all);
  const counts = new Uint32Array(19);
  let extra = 0;
  for (let index = 0; index < steps.length; index += 2) {
    const symbol = steps[index] ?? 0;
    counts[symbol] = (counts[symbol] ?? 0) + 1;
    extra += STEP_EXTRA[symbol - 16] ?? 0;
  }
  const lengths = codeLengths(twoAtLeast(counts), 7);
  let lengthCount = 19;
  while (lengthCount > 4 && lengths[CODE_ORDER[lengthCount - 1] ?? 0] === 0) lengthCount -= 1;
  let bits = 14 + 3 * lengthCount + extra;
  for (let symbol = 0; symbol < 19; symbol += 1) bits += (counts[symbol] ?? 0) * (lengths[symbol] ?? 0);
  return { literals, distances, steps, lengths, lengthCount, bits };
}

function usedLength(lengths: Uint8Array): number {
  let length = lengths.length;
  while (length > 0 && lengths[length - 1] === 0) length -= 1;
  return length;
}

/** Code lengths as runs (section 3.2.7): 16 repeats the last one 3 … 6 times, 17 and 18 are zeros, 3 … 10 and 11 … 138. */
function runSteps(all: Uint8Array): number[] {
  const steps: number[] = [];
  for (let at = 0; at < all.length;) {
    const value = all[at] ?? 0;
    let run = 1;
    while (at + run < all.length && all[at + run] === value) run += 1;
    at += run;
    if (value !== 0) {
      steps.push(value, 0);
      run -= 1;
    }
    for (; run >= 3; run -= addRun(steps, value, run));
    for (; run > 0; run -= 1) steps.push(value, 0);
  }
  return steps;
}

/** Adds one run of at least 3 and says how long it is. */
function addRun(steps: number[], value: number, run: number): number {
  const [symbol, smallest, most] = value !== 0 ? [16, 3, 6] : run > 10 ? [18, 11, 138] : [17, 3, 10];
  const count = Math.min(run, most);
  steps.push(symbol, count - smallest);
  return count;
}

function writeHeader(out: BlobWriter, header: CodeHeader): void {
  out.bits(header.literals - 257, 5);
  out.bits(header.distances - 1, 5);
  out.bits(header.lengthCount - 4, 4);
  for (let index = 0; index < header.lengthCount; index += 1) out.bits(header.lengths[CODE_ORDER[index] ?? 0] ?? 0, 3);
  const codes = canonicalCodes(header.lengths);
  for (let index = 0; index < header.steps.length; index += 2) {
    const symbol = header.steps[index] ?? 0;
    out.bits(codes[symbol] ?? 0, header.lengths[symbol] ?? 0);
    if (symbol >= 16) out.bits(header.steps[index + 1] ?? 0, STEP_EXTRA[symbol - 16] ?? 0);
  }
}

function lengthSymbols(): Uint8Array {
  const symbols = new Uint8Array(LONGEST_MATCH + 1);
  for (let symbol = 0; symbol < 29; symbol += 1) symbols.fill(symbol, LENGTH_BASE[symbol]);
  return symbols;
}

/** Distances to 256 by themselves, larger ones by their upper bits: 256 + (distance - 1 >> 7). */
function distanceSymbols(): Uint8Array {
  const symbols = new Uint8Array(512);
  for (let symbol = 0; symbol < DISTANCES; symbol += 1) {
    const from = (DISTANCE_BASE[symbol] ?? 0) - 1;
    if (from < 256) symbols.fill(symbol, from, 256);
    else symbols.fill(symbol, 256 + (from >>> 7));
  }
  return symbols;
}
