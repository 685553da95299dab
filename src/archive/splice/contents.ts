// SPDX-License-Identifier: Apache-2.0
/* Contents that come from zip entries: as a member of their own, as blocks among others, or as stored blocks. */
import * as zlib from "node:zlib";
import { shown, zipError } from "../zip/errors.ts";
import type { InflateEnd } from "../inflate/inflate.ts";
import type { ZipEntry } from "../zip/types.ts";
import type { BlobWriter } from "./blob-writer.ts";
import type { MemberWriter } from "./member-writer.ts";
import type { SpliceLayout, SpliceOptions, SpliceSource } from "./types.ts";

/** Compressed bytes from which on an entry gets a member of its own. */
const LARGE = 1 << 16;
const STORED = 0;
const DEFLATE = 8;

/** What a splice of one content needs besides its place. */
export interface SpliceTurn {
  readonly pause: () => Promise<void>;
  /** Sees all of the content in its order, each piece valid during the call. Without it large ones are not decoded. */
  readonly see?: (piece: Uint8Array) => void;
}

/** Puts zip entries into a blob. */
export class Contents {
  /** Memory for pieces of files. */
  readonly room: Uint8Array = new Uint8Array(1 << 20);
  readonly #blob: BlobWriter;
  readonly #members: MemberWriter;
  readonly #layout: SpliceLayout;
  readonly #isVerified: boolean;

  constructor(blob: BlobWriter, members: MemberWriter, options: SpliceOptions) {
    this.#blob = blob;
    this.#members = members;
    this.#layout = options.layout ?? "ms";
    this.#isVerified = options.verify === true;
  }

  /**
   * False when the entry can't be spliced: its content must be compressed here, and nothing was written. Throws
   * `E_ZIP…` for one that is not what it says, as far as it is decoded.
   */
  async splice(source: SpliceSource, turn: SpliceTurn): Promise<boolean> {
    const { zip, entry } = source;
    if (entry.method !== STORED && entry.method !== DEFLATE) return false;
    if (entry.method === STORED) await this.#stored(source, turn);
    else if (entry.compressedSize < LARGE || this.#layout === "m1") await this.#blocks(source, turn);
    else if (turn.see === undefined) {
      if (this.#isVerified) await zip.extractEntry(entry, { write: () => undefined });
      await this.#whole(source, turn);
    } else await this.#wholeSeen(source, turn.see);
    return true;
  }

  /** A checksum made here would hide damage: it is compared. */
  async #stored({ zip, entry }: SpliceSource, { see, pause }: SpliceTurn): Promise<void> {
    let crc = 0;
    for await (const piece of this.#pieces({ zip, entry }, entry.size, pause)) {
      crc = zlib.crc32(piece, crc);
      see?.(piece);
      this.#members.stored(piece);
      await this.#blob.drain();
    }
    if (crc === entry.crc32) return;
    throw zipError("E_ZIP_CONTENT", zip.path, `entry \`${shown(entry.name)}\`: its checksum is wrong`);
  }

  async #whole(source: SpliceSource, { pause }: SpliceTurn): Promise<void> {
    this.#members.startWhole();
    for await (const piece of this.#pieces(source, source.entry.compressedSize, pause)) await this.#blob.pass(piece);
    this.#members.endWhole(source.entry);
  }

  /** The same bytes in one go with decoding them. */
  async #wholeSeen({ zip, entry }: SpliceSource, see: (piece: Uint8Array) => void): Promise<void> {
    this.#members.startWhole();
    const write = (piece: Uint8Array): void | Promise<void> => {
      see(piece);
      return this.#blob.isFull ? this.#blob.drain() : undefined;
    };
    const watch = { compressed: (piece: Uint8Array) => this.#blob.bytes(piece), end: () => undefined };
    await zip.extractEntry(entry, { write }, { watch });
    this.#members.endWhole(entry);
  }

  /** Small ones are read and decoded once: where the last block is shows when the end is reached. */
  async #blocks(source: SpliceSource, turn: SpliceTurn): Promise<void> {
    const { entry } = source;
    const isHeld = entry.compressedSize <= this.room.length;
    const end = await this.#decoded(source, turn.see, isHeld ? this.room : undefined);
    this.#members.startSplice();
    if (isHeld) this.#add(this.room.subarray(0, entry.compressedSize), 0, end);
    else await this.#addPieces(source, turn, end);
    this.#members.spliced(entry);
    if (this.#blob.isFull) await this.#blob.drain();
  }

  /** Decodes and verifies an entry, and keeps its compressed bytes. */
  async #decoded(
    { zip, entry }: SpliceSource,
    see: ((piece: Uint8Array) => void) | undefined,
    kept: Uint8Array | undefined,
  ): Promise<InflateEnd> {
    let at = 0;
    let found: InflateEnd | undefined;
    const watch = {
      compressed: (piece: Uint8Array): void => {
        kept?.set(piece, at);
        at += piece.length;
      },
      end: (end: InflateEnd): void => {
        found = end;
      },
    };
    await zip.extractEntry(entry, { write: (piece) => see?.(piece) }, { watch });
    return found ?? endless(entry);
  }

  async #addPieces({ zip, entry }: SpliceSource, { pause }: SpliceTurn, end: InflateEnd): Promise<void> {
    let at = 0;
    for await (const piece of this.#pieces({ zip, entry }, entry.compressedSize, pause)) {
      this.#add(piece, at, end);
      at += piece.length;
      await this.#blob.drain();
    }
  }

  /** Adds a piece of DEFLATE data without the mark of its last block, and without the bits after its end. */
  #add(piece: Uint8Array, offset: number, found: InflateEnd): void {
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

function endless(entry: ZipEntry): never {
  throw new Error(`\`${entry.name}\` was decoded, and has no end`);
}
