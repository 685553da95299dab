// SPDX-License-Identifier: Apache-2.0
/* Contents of entries: inflated here for small ones, on zlib's threads for large ones; verified in both cases. */
import * as zlib from "node:zlib";
import { isTareError, messageOf, writeAll } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import { checkAborted } from "../aborted.ts";
import { through } from "../transform.ts";
import { shown, zipError } from "./errors.ts";
import type { ZipEntry, ZipFile } from "./types.ts";

/** Up to this size one call is faster than a stream. */
export const SMALL: number = 1 << 20;
const CHUNK = 1 << 18;
const STORED = 0;
const DEFLATE = 8;
const WINDOW_LOG = 27;

/** A whole content in memory. */
export function readContent(zip: ZipFile, entry: ZipEntry): Buffer {
  const raw = Buffer.allocUnsafe(entry.compressedSize);
  zip.readAt(raw, zip.dataOffset(entry));
  const content = entry.method === STORED ? raw : decodeAtOnce(zip, entry, raw);
  checkContent(zip, entry, content.length, zlib.crc32(content));
  return content;
}

function decodeAtOnce(zip: ZipFile, entry: ZipEntry, raw: Buffer): Buffer {
  // One byte more than announced: content that is too long shows, and never more memory is used.
  const options = {
    info: true,
    chunkSize: Math.max(64, entry.size + 1),
    maxOutputLength: Math.max(64, entry.size + 1),
  };
  let result: unknown;
  try {
    result =
      entry.method === DEFLATE
        ? zlib.inflateRawSync(raw, options)
        : zlib.zstdDecompressSync(raw, { ...options, params: { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG } });
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

/** Decodes in bounded memory and passes the pieces on. */
export async function streamContent(
  zip: ZipFile,
  entry: ZipEntry,
  target: number | ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  const sink = typeof target === "number" ? { write: (chunk: Uint8Array) => writeAll(target, chunk) } : target;
  const state = { size: 0, crc: 0 };
  for await (const chunk of decodedPieces(zip, entry)) {
    checkAborted(signal, `extracting \`${shown(entry.name)}\``);
    state.size += chunk.length;
    if (state.size > entry.size) throw damaged(zip, entry, "its content is longer than announced");
    state.crc = zlib.crc32(chunk, state.crc);
    const pending = sink.write(chunk);
    if (pending !== undefined) await pending;
  }
  checkContent(zip, entry, state.size, state.crc);
}

async function* decodedPieces(zip: ZipFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const raw = rawPieces(zip, entry);
  if (entry.method === STORED) {
    yield* raw;
    return;
  }
  const decoder = newDecoder(entry.method);
  try {
    yield* through(decoder, raw, entry.method === DEFLATE ? "deflate" : "zstd");
  } catch (error) {
    if (!isTareError(error, "E_COMPRESSION")) throw error;
    throw damaged(zip, entry, messageOf(error), error);
  }
  checkEnd(zip, entry, decoder.bytesWritten);
}

function newDecoder(method: number): zlib.InflateRaw | zlib.ZstdDecompress {
  if (method === DEFLATE) return zlib.createInflateRaw({ chunkSize: CHUNK });
  return zlib.createZstdDecompress({ chunkSize: CHUNK, params: { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG } });
}

/**
 * The compressed bytes, each piece in the same memory: a decoder takes another one only when it has read all of the
 * last, since every piece but the final one is larger than what it lets wait.
 */
async function* rawPieces(zip: ZipFile, entry: ZipEntry): AsyncGenerator<Buffer> {
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

function damaged(zip: ZipFile, entry: ZipEntry, why: string, cause?: unknown): Error {
  return zipError("E_ZIP_CONTENT", zip.path, `entry \`${shown(entry.name)}\`: ${why}`, cause);
}
