// SPDX-License-Identifier: Apache-2.0
/* Contents of entries, decoded and verified. Deflated ones are inflated in this thread, in memory that is used again. */
import * as zlib from "node:zlib";
import { isTareError, messageOf, writeAll } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import { InflateError, inflated } from "../inflate/inflate.ts";
import { through } from "../transform.ts";
import { Turns } from "../turns.ts";
import { shown, zipError } from "./errors.ts";
import type { DeflateWatch, ExtractOptions, ZipEntry, ZipFile } from "./types.ts";

/** Up to this size one call is faster than a stream on zlib's threads. */
const SMALL = 1 << 20;
const CHUNK = 1 << 18;
const STORED = 0;
const DEFLATE = 8;
const WINDOW_LOG = 27;

/** A whole content in memory. */
export function readContent(zip: ZipFile, entry: ZipEntry): Buffer {
  const content = entry.method === DEFLATE ? inflateAtOnce(zip, entry) : readOther(zip, entry);
  checkContent(zip, entry, content.length, zlib.crc32(content));
  return content;
}

function inflateAtOnce(zip: ZipFile, entry: ZipEntry): Buffer {
  const content = Buffer.allocUnsafe(entry.size);
  let size = 0;
  for (const piece of inflatedPieces(zip, entry)) {
    if (size + piece.length > entry.size) throw tooLong(zip, entry);
    content.set(piece, size);
    size += piece.length;
  }
  return content.subarray(0, size);
}

/** The pieces of a deflated entry, in memory that is valid until the next one. */
function* inflatedPieces(zip: ZipFile, entry: ZipEntry, watch?: DeflateWatch): Generator<Uint8Array, void, undefined> {
  const start = zip.dataOffset(entry);
  const read = (target: Uint8Array, offset: number): void => {
    zip.readAt(target, start + offset);
    watch?.compressed(target);
  };
  try {
    const end = yield* inflated({ length: entry.compressedSize, read });
    checkEnd(zip, entry, end.length);
    watch?.end(end);
  } catch (error) {
    if (error instanceof InflateError) throw damaged(zip, entry, error.message, error);
    throw error;
  }
}

function readOther(zip: ZipFile, entry: ZipEntry): Buffer {
  const raw = Buffer.allocUnsafe(entry.compressedSize);
  zip.readAt(raw, zip.dataOffset(entry));
  return entry.method === STORED ? raw : decompressAtOnce(zip, entry, raw);
}

function decompressAtOnce(zip: ZipFile, entry: ZipEntry, raw: Buffer): Buffer {
  // One byte more than announced: content that is too long shows, and never more memory is used.
  const options = {
    info: true,
    chunkSize: Math.max(64, entry.size + 1),
    maxOutputLength: Math.max(64, entry.size + 1),
    params: { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  };
  let result: unknown;
  try {
    result = zlib.zstdDecompressSync(raw, options);
  } catch (error) {
    throw damaged(zip, entry, messageOf(error), error);
  }
  if (!isDecoded(result)) throw new Error("zlib gave no information about its input");
  checkEnd(zip, entry, result.engine.bytesWritten);
  return result.buffer;
}

/** What node:zlib gives with `info`. */
interface Decoded {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function isDecoded(value: unknown): value is Decoded {
  return typeof value === "object" && value !== null && "buffer" in value && "engine" in value;
}

/**
 * Decodes in bounded memory and passes the pieces on, each valid until the sink is done with it; lets others have their
 * turn now and then.
 */
export async function streamContent(
  zip: ZipFile,
  entry: ZipEntry,
  target: number | ByteSink,
  { signal, watch }: ExtractOptions = {},
): Promise<void> {
  const sink = typeof target === "number" ? { write: (chunk: Uint8Array) => writeAll(target, chunk) } : target;
  const state = { size: 0, crc: 0 };
  const turns = new Turns(`extracting \`${shown(entry.name)}\``, signal);
  for await (const chunk of decodedPieces(zip, entry, watch)) {
    state.size += chunk.length;
    if (state.size > entry.size) throw tooLong(zip, entry);
    state.crc = zlib.crc32(chunk, state.crc);
    const pending = sink.write(chunk);
    if (pending !== undefined) await pending;
    await turns.give();
  }
  checkContent(zip, entry, state.size, state.crc);
}

function decodedPieces(
  zip: ZipFile,
  entry: ZipEntry,
  watch: DeflateWatch | undefined,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (entry.method === DEFLATE) return inflatedPieces(zip, entry, watch);
  if (entry.method === STORED) return rawPieces(zip, entry);
  const isSmall = Math.max(entry.size, entry.compressedSize) <= SMALL;
  return isSmall ? [readOther(zip, entry)] : decompressedPieces(zip, entry);
}

async function* decompressedPieces(zip: ZipFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  const decoder = zlib.createZstdDecompress({ chunkSize: CHUNK, params });
  try {
    yield* through(decoder, rawPieces(zip, entry), "zstd");
  } catch (error) {
    if (!isTareError(error, "E_COMPRESSION")) throw error;
    throw damaged(zip, entry, messageOf(error), error);
  }
  checkEnd(zip, entry, decoder.bytesWritten);
}

/**
 * The compressed bytes, each piece in the same memory: a decoder takes another one only when it has read all of the
 * last, since every piece but the final one is larger than what it lets wait.
 */
function* rawPieces(zip: ZipFile, entry: ZipEntry): Generator<Buffer> {
  const start = zip.dataOffset(entry);
  const room = Buffer.allocUnsafe(Math.min(CHUNK, entry.compressedSize));
  for (let at = 0; at < entry.compressedSize; at += CHUNK) {
    const piece = room.subarray(0, Math.min(CHUNK, entry.compressedSize - at));
    zip.readAt(piece, start + at);
    yield piece;
  }
}

function checkEnd(zip: ZipFile, entry: ZipEntry, consumed: number): void {
  if (consumed !== entry.compressedSize) throw damaged(zip, entry, "its compressed data ends before its announced end");
}

function checkContent(zip: ZipFile, entry: ZipEntry, size: number, crc: number): void {
  if (size !== entry.size) throw damaged(zip, entry, `it has ${size} bytes, not ${entry.size} as announced`);
  if (crc !== entry.crc32) throw damaged(zip, entry, "its checksum is wrong");
}

function tooLong(zip: ZipFile, entry: ZipEntry): Error {
  return damaged(zip, entry, "its content is longer than announced");
}

function damaged(zip: ZipFile, entry: ZipEntry, why: string, cause?: unknown): Error {
  return zipError("E_ZIP_CONTENT", zip.path, `entry \`${shown(entry.name)}\`: ${why}`, cause);
}
