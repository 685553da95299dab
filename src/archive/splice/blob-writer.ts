// SPDX-License-Identifier: Apache-2.0
import { Hasher } from "../../base/index.ts";
import type { ByteSink, Digest } from "../../base/index.ts";

const FULL = 1 << 18;

/** Fewer than eight bits, the first one lowest. */
export interface Bits {
  readonly value: number;
  readonly count: number;
}

/**
 * Bits and bytes on their way to a sink, hashed. What is written waits in memory until `drain`; who writes much calls
 * it whenever `isFull`.
 */
export class BlobWriter {
  readonly #sink: ByteSink;
  readonly #hasher = new Hasher();
  #buffer: Uint8Array = new Uint8Array(FULL * 2);
  #used = 0;
  #drained = 0;
  /** Bits that make no whole byte yet, the next one lowest. */
  #held = 0;
  #count = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Whole bytes so far. */
  get size(): number {
    return this.#drained + this.#used;
  }

  get isFull(): boolean {
    return this.#used >= FULL;
  }

  /** Makes sure that `count` bytes can follow without a look at the buffer's end. */
  reserve(count: number): void {
    if (this.#used + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + count));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }

  /** At most 24 bits, the first one lowest; `reserve` comes before. */
  bits(value: number, count: number): void {
    let held = this.#held | (value << this.#count);
    let have = this.#count + count;
    while (have >= 8) {
      this.#buffer[this.#used] = held & 0xff;
      this.#used += 1;
      held >>>= 8;
      have -= 8;
    }
    this.#held = held;
    this.#count = have;
  }

  /** Bits that make no whole byte yet, the first one lowest. */
  get held(): Bits {
    return { value: this.#held, count: this.#count };
  }

  /** Takes whole bytes that begin with the held bits, and the bits after them; `reserve` comes before. */
  continueWith(bytes: Uint8Array, held: Bits): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#held = held.value;
    this.#count = held.count;
  }

  /** Fills the last byte with zeros. */
  align(): void {
    if (this.#count > 0) this.bits(0, 8 - this.#count);
  }

  get isAligned(): boolean {
    return this.#count === 0;
  }

  /** Whole bytes, after `align`. */
  bytes(data: Uint8Array): void {
    if (this.#count > 0) throw new Error("blob writer: bytes in the middle of a byte");
    this.reserve(data.length);
    this.#buffer.set(data, this.#used);
    this.#used += data.length;
  }

  /** Hands over what waits; a last byte that is not whole stays. */
  async drain(): Promise<void> {
    if (this.#used === 0) return;
    const chunk = this.#buffer.subarray(0, this.#used);
    this.#hasher.update(chunk);
    const pending = this.#sink.write(chunk);
    if (pending !== undefined) await pending;
    this.#drained += this.#used;
    this.#used = 0;
  }

  /** Bytes that go to the sink without a copy. */
  async pass(data: Uint8Array): Promise<void> {
    if (this.#count > 0) throw new Error("blob writer: bytes in the middle of a byte");
    await this.drain();
    this.#hasher.update(data);
    const pending = this.#sink.write(data);
    if (pending !== undefined) await pending;
    this.#drained += data.length;
  }

  /** The digest of all bytes. */
  async finish(): Promise<Digest> {
    await this.drain();
    return this.#hasher.digest();
  }
}
