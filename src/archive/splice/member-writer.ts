// SPDX-License-Identifier: Apache-2.0
import * as zlib from "node:zlib";
import { writeStored } from "./block-writer.ts";
import type { BlobWriter } from "./blob-writer.ts";
import { combineCrc } from "./crc-combine.ts";
import { Encoder } from "./encoder.ts";

/** No name, no time, unknown system (RFC 1952). */
const HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
const MOST_STORED = 65535;

/** What a piece of DEFLATE data stands for. */
export interface Content {
  readonly crc32: number;
  readonly size: number;
}

/** Writes gzip members; each is opened by the first thing that goes into it. */
export class MemberWriter {
  readonly #out: BlobWriter;
  readonly #encoder: Encoder;
  #isOpen = false;
  #crc = 0;
  #size = 0;
  #members = 0;
  #total = 0;

  constructor(out: BlobWriter) {
    this.#out = out;
    this.#encoder = new Encoder(out);
  }

  get members(): number {
    return this.#members;
  }

  /** Bytes of content in all members. */
  get total(): number {
    return this.#total;
  }

  /** Bytes that are compressed here; at most 64 KiB at a time. */
  plain(data: Uint8Array): void {
    this.#open();
    this.#encoder.write(data);
    this.#crc = zlib.crc32(data, this.#crc);
    this.#size += data.length;
    this.#total += data.length;
  }

  /** Ends what was compressed here; whole bytes of non-final blocks can follow. `spliced` must come after them. */
  startSplice(): void {
    this.#open();
    this.#encoder.flush(false);
    if (!this.#out.isAligned) this.#emptyBlock();
  }

  /** Says what the blocks of others since `startSplice` stand for. */
  spliced(content: Content): void {
    this.#encoder.skip(content.size);
    this.#crc = combineCrc(this.#crc, content.crc32, content.size);
    this.#size += content.size;
    this.#total += content.size;
  }

  /** Bytes as they are, in stored blocks. */
  stored(data: Uint8Array): void {
    this.#open();
    this.#encoder.flush(false);
    for (let at = 0; at < data.length; at += MOST_STORED) {
      writeStored(this.#out, data.subarray(at, at + MOST_STORED), false);
    }
    this.spliced({ crc32: zlib.crc32(data), size: data.length });
  }

  /** Starts a member that is one complete DEFLATE stream of others; its bytes follow, then `endWhole`. */
  startWhole(): void {
    this.close();
    this.#out.bytes(HEADER);
  }

  endWhole(content: Content): void {
    this.#trailer(content);
    this.#total += content.size;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#encoder.flush(true);
    this.#out.align();
    this.#trailer({ crc32: this.#crc, size: this.#size });
    this.#isOpen = false;
  }

  /** Closes the last member; nothing can follow. */
  end(): void {
    this.close();
    this.#encoder.close();
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#out.bytes(HEADER);
    this.#encoder.reset();
    this.#isOpen = true;
    this.#crc = 0;
    this.#size = 0;
  }

  /** An empty stored block ends at a whole byte. */
  #emptyBlock(): void {
    writeStored(this.#out, new Uint8Array(0), false);
  }

  #trailer(content: Content): void {
    const trailer = Buffer.allocUnsafe(8);
    trailer.writeUInt32LE(content.crc32, 0);
    trailer.writeUInt32LE(content.size % 2 ** 32, 4);
    this.#out.bytes(trailer);
    this.#members += 1;
  }
}
