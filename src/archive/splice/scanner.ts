// SPDX-License-Identifier: Apache-2.0
/*
 * A DEFLATE reader that makes no output: it finds where the last block starts and the data ends, and checks all that
 * zlib checks (RFC 1951), so that the blocks can be put among others. Its input is hostile. It counts what the output
 * would be, refuses distances before its start, and reads by 4-byte looks at a window: at least 25 bits are valid.
 */
import { COPY, DecodeTable, END, FIRST_BITS, KIND, LITERAL, LONGER } from "./decode-table.ts";
import { CODE_ORDER, END_OF_BLOCK, FIXED_DISTANCES, FIXED_LITERALS } from "./deflate-tables.ts";

/** Where things are in DEFLATE data, in bits from its start. */
export interface ScanResult {
  /** The header of the last block: its first bit says that it is the last. */
  readonly lastBlock: number;
  readonly end: number;
  /** Bytes of output. */
  readonly size: number;
}

/** Data that can be read anywhere; reads never go past `length`. */
export interface ScanInput {
  readonly length: number;
  read(target: Uint8Array, offset: number): void;
}

/** Data is read through a window of this size; shorter data is in it as a whole after a scan. */
export const SCAN_WINDOW: number = 1 << 18;
/** Longest code and extra bits of a length and a distance are 48 bits, in a look that reads 4 bytes. */
const SLACK = 16;
const FIRST_MASK = (1 << FIRST_BITS) - 1;
const MAX_LITERALS = 286;
const MAX_DISTANCES = 30;

class ScanFailure extends Error {}

/** A scanner with its tables and window, to be used for many entries one after the other. */
export class DeflateScanner {
  readonly window: Uint8Array = new Uint8Array(SCAN_WINDOW + SLACK);
  readonly #view: DataView = new DataView(this.window.buffer);
  readonly #literals = new DecodeTable("literals");
  readonly #distances = new DecodeTable("distances");
  readonly #lengths = new DecodeTable("lengths");
  readonly #codeLengths = new Uint8Array(19);
  readonly #symbolLengths = new Uint8Array(320);
  #input: ScanInput = { length: 0, read: () => undefined };
  /** Where the window starts in the data, and how much of it is filled. */
  #base = 0;
  #filled = 0;
  /** The next bit, from the window's start. */
  #bit = 0;
  #size = 0;

  /** Undefined when the data is not one complete DEFLATE stream that ends in its last byte. */
  scan(input: ScanInput): ScanResult | undefined {
    this.#input = input;
    this.#size = 0;
    this.#load(0);
    try {
      for (;;) {
        this.#refill();
        const lastBlock = this.#base * 8 + this.#bit;
        const isLast = this.#take(1) === 1;
        this.#block(this.#take(2));
        if (isLast) return this.#result(lastBlock);
      }
    } catch (error) {
      if (error instanceof ScanFailure) return undefined;
      throw error;
    }
  }

  #result(lastBlock: number): ScanResult | undefined {
    const end = this.#base * 8 + this.#bit;
    return Math.ceil(end / 8) === this.#input.length ? { lastBlock, end, size: this.#size } : undefined;
  }

  #block(type: number): void {
    if (type === 0) return this.#storedBlock();
    if (type === 1) {
      this.#literals.build(FIXED_LITERALS);
      this.#distances.build(FIXED_DISTANCES);
    } else if (type === 2) this.#readCodes();
    else throw new ScanFailure();
    this.#symbols();
  }

  #storedBlock(): void {
    this.#bit = (this.#bit + 7) & ~7;
    this.#refill();
    const length = this.#take(16);
    if ((this.#take(16) ^ 0xffff) !== length) throw new ScanFailure();
    const next = this.#base + (this.#bit >>> 3) + length;
    if (next > this.#input.length) throw new ScanFailure();
    this.#size += length;
    if (next <= this.#base + this.#filled) this.#bit = (next - this.#base) * 8;
    else this.#load(next);
  }

  /** The codes of a dynamic block (section 3.2.7). */
  #readCodes(): void {
    this.#refill();
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const count = this.#take(4) + 4;
    if (literals > MAX_LITERALS || distances > MAX_DISTANCES) throw new ScanFailure();
    this.#codeLengths.fill(0);
    for (let index = 0; index < count; index += 1) this.#codeLengths[CODE_ORDER[index] ?? 0] = this.#take(3);
    if (!this.#lengths.build(this.#codeLengths)) throw new ScanFailure();
    this.#readLengths(literals + distances);
    if (this.#symbolLengths[END_OF_BLOCK] === 0) throw new ScanFailure();
    const areGood =
      this.#literals.build(this.#symbolLengths.subarray(0, literals)) &&
      this.#distances.build(this.#symbolLengths.subarray(literals, literals + distances));
    if (!areGood) throw new ScanFailure();
  }

  #readLengths(total: number): void {
    const lengths = this.#symbolLengths;
    for (let at = 0; at < total;) {
      this.#refill();
      const entry = this.#lengths.entries[this.#look() & FIRST_MASK] ?? 0;
      if (entry === 0) throw new ScanFailure();
      this.#bit += entry & 31;
      const symbol = entry >>> 16;
      if (symbol < 16) {
        lengths[at] = symbol;
        at += 1;
        continue;
      }
      if (symbol === 16 && at === 0) throw new ScanFailure();
      const value = symbol === 16 ? (lengths[at - 1] ?? 0) : 0;
      const count = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (at + count > total) throw new ScanFailure();
      lengths.fill(value, at, at + count);
      at += count;
    }
  }

  /** The symbols of a block up to its end: the hot loop, all its state in local variables. */
  #symbols(): void {
    const view = this.#view;
    const literals = this.#literals.entries;
    const literalMask = this.#literals.secondMask;
    const distances = this.#distances.entries;
    const distanceMask = this.#distances.secondMask;
    let bit = this.#bit;
    let size = this.#size;
    let limit = (this.#filled - SLACK) * 8;
    for (;;) {
      if (bit >= limit) {
        this.#bit = bit;
        this.#refill();
        bit = this.#bit;
        limit = (this.#filled - SLACK) * 8;
      }
      let bits = view.getUint32(bit >>> 3, true) >>> (bit & 7);
      let entry = literals[bits & FIRST_MASK] ?? 0;
      if ((entry & KIND) === LITERAL) {
        // A code of the first part has at most 10 bits: 15 valid ones are left, enough for any code.
        bit += entry & 31;
        size += 1;
        bits >>>= entry & 31;
        entry = literals[bits & FIRST_MASK] ?? 0;
        if ((entry & KIND) === LITERAL) {
          bit += entry & 31;
          size += 1;
          continue;
        }
        bits = view.getUint32(bit >>> 3, true) >>> (bit & 7);
      }
      const isLong = (entry & KIND) === LONGER;
      if (isLong) {
        entry = literals[(entry >>> 16) + ((bits >>> FIRST_BITS) & literalMask)] ?? 0;
        if ((entry & KIND) === LITERAL) {
          bit += entry & 31;
          size += 1;
          continue;
        }
      }
      if ((entry & KIND) === END) {
        this.#bit = bit + (entry & 31);
        this.#size = size;
        return this.#checkBit();
      }
      if ((entry & KIND) !== COPY) throw new ScanFailure();
      const extra = (entry >>> 5) & 15;
      bits >>>= entry & 31;
      const length = (entry >>> 16) + (bits & ((1 << extra) - 1));
      bit += (entry & 31) + extra;
      // At most 15 bits are used when the length's code is of the first part: 10 are left for that of the distance.
      bits = isLong ? view.getUint32(bit >>> 3, true) >>> (bit & 7) : bits >>> extra;
      entry = distances[bits & FIRST_MASK] ?? 0;
      if ((entry & KIND) === LONGER) {
        bits = view.getUint32(bit >>> 3, true) >>> (bit & 7);
        entry = distances[(entry >>> 16) + ((bits >>> FIRST_BITS) & distanceMask)] ?? 0;
      }
      if (entry === 0) throw new ScanFailure();
      bit += entry & 31;
      const more = (entry >>> 5) & 15;
      bits = view.getUint32(bit >>> 3, true) >>> (bit & 7);
      if ((entry >>> 16) + (bits & ((1 << more) - 1)) > size) throw new ScanFailure();
      bit += more;
      size += length;
    }
  }

  #take(count: number): number {
    const value = this.#look() & ((1 << count) - 1);
    this.#bit += count;
    return value;
  }

  #look(): number {
    return this.#view.getUint32(this.#bit >>> 3, true) >>> (this.#bit & 7);
  }

  /** Afterwards at least `SLACK` bytes can be looked at from the current bit on, be they zeros after the data's end. */
  #refill(): void {
    this.#checkBit();
    const at = this.#bit >>> 3;
    if (at + SLACK <= this.#filled || this.#base + this.#filled >= this.#input.length) return;
    const rest = this.#bit & 7;
    this.#load(this.#base + at);
    this.#bit += rest;
  }

  #checkBit(): void {
    if (this.#bit > this.#filled * 8) throw new ScanFailure();
  }

  /** Fills the window from an offset on; what is left of it are zeros. */
  #load(offset: number): void {
    const length = Math.min(SCAN_WINDOW, this.#input.length - offset);
    this.#input.read(this.window.subarray(0, length), offset);
    this.window.fill(0, length, length + SLACK);
    this.#base = offset;
    this.#filled = length;
    this.#bit = 0;
  }
}
