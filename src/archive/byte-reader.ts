// SPDX-License-Identifier: Apache-2.0
import { compressionError } from "./transform.ts";

/** Reads a stream by exact amounts. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #kind: string;
  #buffer: Buffer = Buffer.alloc(0);
  #isDone = false;

  constructor(source: AsyncIterable<Uint8Array>, kind: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#kind = kind;
  }

  /** What is buffered now. */
  get buffered(): Buffer {
    return this.#buffer;
  }

  /** Buffers at least `count` bytes; false when the stream ends before. */
  async fill(count: number): Promise<boolean> {
    if (this.#buffer.length >= count) return true;
    const parts = [this.#buffer];
    let length = this.#buffer.length;
    while (length < count && !this.#isDone) {
      const next = await this.#source.next();
      if (next.done === true) this.#isDone = true;
      else {
        parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length));
        length += next.value.length;
      }
    }
    this.#buffer = parts.length === 1 ? this.#buffer : Buffer.concat(parts, length);
    return length >= count;
  }

  /** The next `count` bytes without consuming them. Throws `E_COMPRESSION` when the stream is shorter. */
  async peek(count: number): Promise<Buffer> {
    if (!(await this.fill(count))) throw compressionError(this.#kind, "it ends too early");
    return this.#buffer.subarray(0, count);
  }

  /** Consumes bytes that are buffered. */
  skip(count: number): void {
    this.#buffer = this.#buffer.subarray(count);
  }

  /** Consumes the next `count` bytes, in pieces as they come. */
  async *take(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0;) {
      await this.peek(1);
      const piece = this.#buffer.subarray(0, left);
      this.skip(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
