// SPDX-License-Identifier: Apache-2.0
/* Contents that come from zip entries: as a member of their own, as blocks among others, or as stored blocks. */
import * as zlib from "node:zlib";
import { shown, zipError } from "../zip/errors.ts";
import type { BlobWriter } from "./blob-writer.ts";
import type { MemberWriter } from "./member-writer.ts";
import { DeflateScanner, SCAN_WINDOW } from "./scanner.ts";
import type { ScanResult } from "./scanner.ts";
import type { SpliceLayout, SpliceOptions, SpliceSource } from "./types.ts";

/** Compressed bytes from which on an entry gets a member of its own. */
const LARGE = 1 << 16;
const STORED = 0;
const DEFLATE = 8;

/** Puts zip entries into a blob. */
export class Contents {
  /** Memory for pieces of files. */
  readonly room: Uint8Array = new Uint8Array(1 << 20);
  readonly #blob: BlobWriter;
  readonly #members: MemberWriter;
  readonly #layout: SpliceLayout;
  readonly #isVerified: boolean;
  readonly #scanner = new DeflateScanner();

  constructor(blob: BlobWriter, members: MemberWriter, options: SpliceOptions) {
    this.#blob = blob;
    this.#members = members;
    this.#layout = options.layout ?? "ms";
    this.#isVerified = options.verify === true;
  }

  /** False when the entry can't be spliced: its content must be compressed here. Nothing was written then. */
  async splice(source: SpliceSource, pause: () => Promise<void>): Promise<boolean> {
    const { zip, entry } = source;
    if (this.#isVerified) await zip.extractEntry(entry, { write: () => undefined });
    if (entry.method !== STORED && entry.method !== DEFLATE) return false;
    if (entry.method === STORED) await this.#stored(source, pause);
    else if (entry.compressedSize >= LARGE && this.#layout !== "m1") await this.#whole(source, pause);
    else return this.#blocks(source, pause);
    return true;
  }

  /** A checksum made here would hide damage: it is compared. */
  async #stored({ zip, entry }: SpliceSource, pause: () => Promise<void>): Promise<void> {
    let crc = 0;
    for await (const piece of this.#pieces({ zip, entry }, entry.size, pause)) {
      crc = zlib.crc32(piece, crc);
      this.#members.stored(piece);
      await this.#blob.drain();
    }
    if (crc === entry.crc32) return;
    throw zipError("E_ZIP_CONTENT", zip.path, `entry \`${shown(entry.name)}\`: its checksum is wrong`);
  }

  async #whole(source: SpliceSource, pause: () => Promise<void>): Promise<void> {
    this.#members.startWhole();
    for await (const piece of this.#pieces(source, source.entry.compressedSize, pause)) await this.#blob.pass(piece);
    this.#members.endWhole(source.entry);
  }

  async #blocks(source: SpliceSource, pause: () => Promise<void>): Promise<boolean> {
    const { zip, entry } = source;
    const start = zip.dataOffset(entry);
    const found = this.#scanner.scan({
      length: entry.compressedSize,
      read: (target, offset) => zip.readAt(target, start + offset),
    });
    if (found === undefined || found.size !== entry.size) return false;
    this.#members.startSplice();
    if (entry.compressedSize <= SCAN_WINDOW)
      this.#add(this.#scanner.window.subarray(0, entry.compressedSize), 0, found);
    else {
      for (let at = 0; at < entry.compressedSize; at += this.room.length) {
        const piece = this.room.subarray(0, Math.min(this.room.length, entry.compressedSize - at));
        zip.readAt(piece, start + at);
        this.#add(piece, at, found);
        await this.#blob.drain();
        await pause();
      }
    }
    this.#members.spliced(entry);
    if (this.#blob.isFull) await this.#blob.drain();
    return true;
  }

  /** Adds a piece of DEFLATE data without the mark of its last block, and without the bits after its end. */
  #add(piece: Uint8Array, offset: number, found: ScanResult): void {
    const mark = Math.floor(found.lastBlock / 8) - offset;
    if (mark >= 0 && mark < piece.length) piece[mark] = (piece[mark] ?? 0) & ~(1 << (found.lastBlock % 8));
    const whole = Math.floor(found.end / 8) - offset;
    if (whole >= piece.length) return this.#blob.bytes(piece);
    this.#blob.bytes(piece.subarray(0, whole));
    const rest = found.end % 8;
    this.#blob.reserve(8);
    if (rest > 0) this.#blob.bits((piece[whole] ?? 0) & ((1 << rest) - 1), rest);
  }

  async *#pieces(source: SpliceSource, length: number, pause: () => Promise<void>): AsyncGenerator<Uint8Array> {
    const start = source.zip.dataOffset(source.entry);
    for (let at = 0; at < length; at += this.room.length) {
      const piece = this.room.subarray(0, Math.min(this.room.length, length - at));
      source.zip.readAt(piece, start + at);
      yield piece;
      await pause();
    }
  }
}
