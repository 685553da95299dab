// SPDX-License-Identifier: Apache-2.0
/*
 * The LZMA decoder as LZMA2 uses it: a range coder with adaptive bit models, literals and matches, and a sliding
 * window that doubles as the output. One call decodes one LZMA2 chunk (at most 2 MiB), all of it in memory.
 */
import { compressionError } from "./transform.ts";

const TOP = 0x1000000;
const HALF = 1024;
const STATES = 12;
const END_POSITION_MODEL = 14;
const FULL_DISTANCES = 128;

/** The lengths of matches: short, middle and long codes. */
class LengthDecoder {
  readonly choice: Uint16Array = new Uint16Array(2);
  readonly low: Uint16Array = new Uint16Array(16 << 3);
  readonly middle: Uint16Array = new Uint16Array(16 << 3);
  readonly high: Uint16Array = new Uint16Array(256);

  reset(): void {
    for (const models of [this.choice, this.low, this.middle, this.high]) models.fill(HALF);
  }
}

/** Decodes LZMA2 chunks into a sliding window. */
export class LzmaDecoder {
  readonly #window: Buffer;
  #cursor = 0;
  /** Bytes decoded, of which only the lowest bits matter. */
  #position = 0;
  #filled = 0;
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;
  #literalContext = 0;
  #literalPosition = 0;
  #positionMask = 0;
  #state = 0;
  #distance0 = 0;
  #distance1 = 0;
  #distance2 = 0;
  #distance3 = 0;
  #literals: Uint16Array = new Uint16Array(0);
  readonly #isMatch: Uint16Array = new Uint16Array(STATES << 4);
  readonly #isRepeat: Uint16Array = new Uint16Array(STATES);
  readonly #isRepeat0: Uint16Array = new Uint16Array(STATES);
  readonly #isRepeat1: Uint16Array = new Uint16Array(STATES);
  readonly #isRepeat2: Uint16Array = new Uint16Array(STATES);
  readonly #isRepeat0Long: Uint16Array = new Uint16Array(STATES << 4);
  readonly #slots: Uint16Array = new Uint16Array(4 << 6);
  readonly #special: Uint16Array = new Uint16Array(FULL_DISTANCES);
  readonly #align: Uint16Array = new Uint16Array(16);
  readonly #lengths: LengthDecoder = new LengthDecoder();
  readonly #repeatLengths: LengthDecoder = new LengthDecoder();

  constructor(windowSize: number) {
    this.#window = Buffer.alloc(Math.max(windowSize, 4096));
  }

  /** Forgets what was decoded so far. */
  resetWindow(): void {
    this.#filled = 0;
    this.#position = 0;
  }

  /** Sets lc, lp and pb from their byte and resets the models. */
  setProperties(byte: number): void {
    const [lc, lp, pb] = [byte % 9, Math.floor(byte / 9) % 5, Math.floor(byte / 45)];
    if (byte >= 225 || lc + lp > 4) throw compressionError("xz", "a chunk's properties are wrong");
    this.#literalContext = lc;
    this.#literalPosition = (1 << lp) - 1;
    this.#positionMask = (1 << pb) - 1;
    this.#literals = new Uint16Array(0x300 << (lc + lp));
    this.resetState();
  }

  /** Resets the models and the match history. */
  resetState(): void {
    this.#state = 0;
    [this.#distance0, this.#distance1, this.#distance2, this.#distance3] = [0, 0, 0, 0];
    const tables = [this.#isMatch, this.#isRepeat, this.#isRepeat0, this.#isRepeat1, this.#isRepeat2];
    const more = [this.#isRepeat0Long, this.#slots, this.#special, this.#align, this.#literals];
    for (const table of [...tables, ...more]) table.fill(HALF);
    this.#lengths.reset();
    this.#repeatLengths.reset();
  }

  /** Takes bytes over as they are. */
  copy(data: Uint8Array): void {
    for (const byte of data) this.#put(byte);
  }

  /** Decodes one chunk to `size` bytes. Throws `E_COMPRESSION`. */
  decode(input: Uint8Array, size: number): Buffer {
    this.#input = input;
    this.#code = 0;
    this.#range = 0xffffffff;
    for (this.#at = 1; this.#at < 5; this.#at += 1) this.#code = ((this.#code << 8) | (input[this.#at] ?? 0)) >>> 0;
    const output = Buffer.allocUnsafe(size);
    for (let done = 0; done < size;) done += this.#next(output, done);
    if (this.#at > input.length || this.#literals.length === 0) throw damaged();
    return output;
  }

  /** Decodes one literal or match; returns its length. */
  #next(output: Buffer, done: number): number {
    const positionState = this.#position & this.#positionMask;
    if (this.#bit(this.#isMatch, (this.#state << 4) + positionState) === 0) {
      output[done] = this.#literal();
      return 1;
    }
    const length =
      this.#bit(this.#isRepeat, this.#state) === 0 ? this.#match(positionState) : this.#repeat(positionState);
    if (this.#distance0 >= this.#filled || length > output.length - done) throw damaged();
    this.#copyMatch(output, done, length);
    return length;
  }

  #copyMatch(output: Buffer, done: number, length: number): void {
    const window = this.#window;
    const size = window.length;
    let to = this.#cursor;
    let from = to - this.#distance0 - 1;
    if (from < 0) from += size;
    for (let index = done; index < done + length; index += 1) {
      const byte = window[from] ?? 0;
      window[to] = byte;
      output[index] = byte;
      from = from + 1 === size ? 0 : from + 1;
      to = to + 1 === size ? 0 : to + 1;
    }
    this.#cursor = to;
    this.#position = (this.#position + length) & 0xffff;
    this.#filled = Math.min(size, this.#filled + length);
  }

  #put(byte: number): number {
    this.#window[this.#cursor] = byte;
    this.#cursor = this.#cursor + 1 === this.#window.length ? 0 : this.#cursor + 1;
    this.#position = (this.#position + 1) & 0xffff;
    if (this.#filled < this.#window.length) this.#filled += 1;
    return byte;
  }

  #back(distance: number): number {
    const place = this.#cursor - distance - 1;
    return this.#window[place < 0 ? place + this.#window.length : place] ?? 0;
  }

  #literal(): number {
    const previous = this.#filled > 0 ? this.#back(0) : 0;
    const place = this.#position & this.#literalPosition;
    const context = (place << this.#literalContext) + (previous >> (8 - this.#literalContext));
    const base = 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = this.#back(this.#distance0);
      while (symbol < 0x100) {
        const expected = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(this.#literals, base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(this.#literals, base + symbol);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
    return this.#put(symbol & 0xff);
  }

  #match(positionState: number): number {
    const length = this.#length(this.#lengths, positionState);
    this.#state = this.#state < 7 ? 7 : 10;
    const distance = this.#distance(Math.min(length - 2, 3));
    this.#distance3 = this.#distance2;
    this.#distance2 = this.#distance1;
    this.#distance1 = this.#distance0;
    this.#distance0 = distance;
    return length;
  }

  #repeat(positionState: number): number {
    if (this.#bit(this.#isRepeat0, this.#state) === 0) {
      if (this.#bit(this.#isRepeat0Long, (this.#state << 4) + positionState) === 0) {
        this.#state = this.#state < 7 ? 9 : 11;
        return 1;
      }
    } else this.#chooseRepeat();
    const length = this.#length(this.#repeatLengths, positionState);
    this.#state = this.#state < 7 ? 8 : 11;
    return length;
  }

  /** Takes an older distance and puts it before the newer ones. */
  #chooseRepeat(): void {
    let distance = this.#distance1;
    if (this.#bit(this.#isRepeat1, this.#state) === 1) {
      distance = this.#distance2;
      if (this.#bit(this.#isRepeat2, this.#state) === 1) {
        distance = this.#distance3;
        this.#distance3 = this.#distance2;
      }
      this.#distance2 = this.#distance1;
    }
    this.#distance1 = this.#distance0;
    this.#distance0 = distance;
  }

  #length(decoder: LengthDecoder, positionState: number): number {
    if (this.#bit(decoder.choice, 0) === 0) return 2 + this.#tree(decoder.low, positionState << 3, 3);
    if (this.#bit(decoder.choice, 1) === 0) return 10 + this.#tree(decoder.middle, positionState << 3, 3);
    return 18 + this.#tree(decoder.high, 0, 8);
  }

  #distance(lengthState: number): number {
    const slot = this.#tree(this.#slots, lengthState << 6, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < END_POSITION_MODEL) return base + this.#reverseTree(this.#special, base - slot, bits);
    let direct = 0;
    for (let index = 0; index < bits - 4; index += 1) direct = direct * 2 + this.#directBit();
    return base + direct * 16 + this.#reverseTree(this.#align, 0, 4);
  }

  #tree(models: Uint16Array, base: number, bits: number): number {
    let symbol = 1;
    for (let index = 0; index < bits; index += 1) symbol = (symbol << 1) | this.#bit(models, base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(models: Uint16Array, base: number, bits: number): number {
    let [symbol, value] = [1, 0];
    for (let index = 0; index < bits; index += 1) {
      const bit = this.#bit(models, base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << index;
    }
    return value;
  }

  #directBit(): number {
    this.#range >>>= 1;
    const isOne = this.#code >= this.#range;
    if (isOne) this.#code -= this.#range;
    this.#normalise();
    return isOne ? 1 : 0;
  }

  #bit(models: Uint16Array, index: number): number {
    const model = models[index] ?? 0;
    const bound = (this.#range >>> 11) * model;
    if (this.#code < bound) {
      this.#range = bound;
      models[index] = model + ((2048 - model) >> 5);
      if (bound < TOP) this.#normalise();
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    models[index] = model - (model >> 5);
    if (this.#range < TOP) this.#normalise();
    return 1;
  }

  #normalise(): void {
    if (this.#range >= TOP) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | (this.#input[this.#at] ?? 0)) >>> 0;
    this.#at += 1;
  }
}

function damaged(): Error {
  return compressionError("xz", "the data is damaged");
}
