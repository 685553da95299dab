// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from "../../base/index.ts";
import type { InflateEnd } from "../inflate/inflate.ts";

/** One entry of a zip archive, from its central directory, checked. */
export interface ZipEntry {
  /** Relative and cleaned: no `.`, `..` or empty components; a directory's ends with `/`. */
  readonly name: string;
  /** The name's bytes (always UTF-8). */
  readonly rawName: Buffer;
  /** 0 stored, 8 deflate, 93 zstd; others are refused. */
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** The unix mode with its type bits (`0o100755`) where one is given; never that of a link or a device. */
  readonly mode: number | undefined;
  readonly isDirectory: boolean;
  /** Where the local header starts. */
  readonly headerOffset: number;
}

/** What `openZip` accepts at most; generous defaults, made for wheels. */
export interface ZipLimits {
  /** Default 100,000: an entry takes up to a kilobyte of memory. */
  readonly entries?: number;
  /** Bytes of the central directory. Default 48 MiB. */
  readonly directory?: number;
  /** Bytes of all contents. Default 64 GiB. */
  readonly total?: number;
  /** Largest expansion of one entry, past 100 MB of content. Default 1,000. */
  readonly ratio?: number;
  /** Largest expansion of the whole archive, past 1 GB of content. Default 200. */
  readonly totalRatio?: number;
  /** Longest name in bytes. Default 4,096; components 255. */
  readonly path?: number;
}

/** How an entry is extracted. */
export interface ExtractOptions {
  readonly signal?: AbortSignal;
  /** Sees how a deflated entry is compressed; of no use for others. */
  readonly watch?: DeflateWatch;
}

/** Looks on while DEFLATE data is decoded. */
export interface DeflateWatch {
  /** The compressed bytes in their order, each piece valid during the call. */
  compressed(piece: Uint8Array): void;
  /** All of it was decoded and is one stream. */
  end(end: InflateEnd): void;
}

/** An open zip archive: the descriptor is held until `close`. Methods may be called in any order. */
export interface ZipFile {
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: number;
  /** In the order of the central directory. */
  readonly entries: readonly ZipEntry[];
  readonly comment: Buffer;
  /** The entry of a name (a directory's ends with `/`). */
  find(name: string): ZipEntry | undefined;
  /**
   * Where an entry's data starts, from its local header, which must agree with the central directory. Throws
   * `E_ZIP`, `E_ZIP_AMBIGUOUS`.
   */
  dataOffset(entry: ZipEntry): number;
  /** Reads raw bytes of the archive; throws `E_ZIP` when it ends before. */
  readAt(target: Uint8Array, position: number): void;
  /** A small entry's content, verified. More than `limit` bytes (default 64 MiB): `E_ZIP_LIMIT`. Throws `E_ZIP_CONTENT`. */
  readEntry(entry: ZipEntry, limit?: number): Buffer;
  /**
   * Writes an entry's content to an open file or a sink, in bounded memory. Resolves only when size, CRC-32 and the
   * end of the compressed data are as announced; otherwise throws `E_ZIP_CONTENT`, and what was written is worthless.
   */
  extractEntry(entry: ZipEntry, target: number | ByteSink, options?: ExtractOptions): Promise<void>;
  close(): void;
}
