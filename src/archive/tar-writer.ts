// SPDX-License-Identifier: Apache-2.0
import { Hasher, asDiffId } from "../base/index.ts";
import type { ByteSink, DiffId, Digest } from "../base/index.ts";
import { encodeHeader, encodePax, writtenFields } from "./tar-encode.ts";
import type { TarFields } from "./tar-encode.ts";
import { BLOCK } from "./tar-header.ts";

const BUFFER = 1 << 18;

/** Writes a tar archive to a sink and hashes it on the way. */
export class TarWriter {
  readonly #sink: ByteSink;
  readonly #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER);
  readonly #hasher: Hasher = new Hasher();
  #used = 0;
  #flushed = 0;
  #entries = 0;
  #left = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#flushed + this.#used;
  }

  /** Entries written so far. */
  get entries(): number {
    return this.#entries;
  }

  /**
   * Starts an entry. A file's content follows by `write`, or by `space` and `advance`, exactly `size` bytes.
   * Directories get their trailing slash here.
   */
  async entry(fields: TarFields): Promise<void> {
    if (this.#left > 0) throw new Error(`tar writer: the entry before \`${fields.name}\` is not complete`);
    const written = writtenFields(fields);
    const pax = encodePax(written);
    if (pax !== undefined) {
      this.#left = pax.length;
      await this.write(pax);
    }
    if (this.#used === BUFFER) await this.#flush();
    encodeHeader(this.#buffer, this.#used, written);
    this.#used += BLOCK;
    this.#entries += 1;
    this.#left = written.size;
  }

  /** Adds content of the current file. */
  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      const room = await this.space();
      const part = data.subarray(at, at + room.length);
      room.set(part);
      at += part.length;
      await this.advance(part.length);
    }
  }

  /** Free room in the output buffer, to fill with the current file's content; never longer than what is missing. */
  async space(): Promise<Uint8Array> {
    if (this.#left === 0) throw new Error("tar writer: more content than the entry's size");
    if (this.#used === BUFFER) await this.#flush();
    return this.#buffer.subarray(this.#used, Math.min(BUFFER, this.#used + this.#left));
  }

  /** Says that the first `count` bytes of `space()` were filled. */
  async advance(count: number): Promise<void> {
    this.#used += count;
    this.#left -= count;
    if (this.#left === 0) this.#pad();
    if (this.#used === BUFFER) await this.#flush();
  }

  /** The digest of what was written so far, between two entries. */
  async digest(): Promise<Digest> {
    if (this.#left > 0) throw new Error("tar writer: an entry is not complete");
    if (this.#used > 0) await this.#flush();
    return this.#hasher.digestWith(new Uint8Array(0));
  }

  /** Writes the two closing blocks and everything that waits. Returns the size and the digest of the whole archive. */
  async finish(): Promise<{ size: number; diffId: DiffId }> {
    if (this.#left > 0) throw new Error("tar writer: the last entry is not complete");
    for (let block = 0; block < 2; block += 1) {
      if (this.#used === BUFFER) await this.#flush();
      this.#buffer.fill(0, this.#used, this.#used + BLOCK);
      this.#used += BLOCK;
    }
    await this.#flush();
    return { size: this.#flushed, diffId: asDiffId(this.#hasher.digest()) };
  }

  /** The buffer is a multiple of the block size, so padding always fits. */
  #pad(): void {
    const rest = (BLOCK - (this.size % BLOCK)) % BLOCK;
    this.#buffer.fill(0, this.#used, this.#used + rest);
    this.#used += rest;
  }

  async #flush(): Promise<void> {
    const chunk = this.#buffer.subarray(0, this.#used);
    this.#hasher.update(chunk);
    const pending = this.#sink.write(chunk);
    if (pending !== undefined) await pending;
    this.#flushed += this.#used;
    this.#used = 0;
  }
}
