// SPDX-License-Identifier: Apache-2.0
import * as zlib from "node:zlib";
import { TareError } from "../base/index.ts";
import { decodeBzip2 } from "./bzip2.ts";
import { gunzip } from "./inflate/gunzip.ts";
import { compressionError, through } from "./transform.ts";
import { decodeXz } from "./xz.ts";
import { decodeZstd } from "./zstd.ts";

/** How bytes are compressed. */
export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

/** How `decompress` behaves. */
export interface DecompressOptions {
  /** The kind when it is known; default: by the first bytes. */
  readonly kind?: Compression;
  /** Allows any expansion; default: more than 1,000 times past 64 MiB is refused. */
  readonly allowAnyRatio?: boolean;
}

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];
const LONGEST_MAGIC = 6;
const MAX_RATIO = 1000;
const FREE_SIZE = 64 << 20;

/** The compression that data starting with `start` (6 bytes suffice) has. */
export function detectCompression(start: Uint8Array): Compression {
  const fits = (magic: readonly number[]): boolean => magic.every((byte, index) => start[index] === byte);
  const found = MAGIC.find(([, magic]) => fits(magic))?.[0];
  if (found !== undefined) return found;
  const isSkippable = ((start[0] ?? 0) & 0xf0) === 0x50 && fits([start[0] ?? 0, 0x2a, 0x4d, 0x18]);
  return isSkippable ? "zstd" : "none";
}

/**
 * Decompresses a stream: gzip with several members, zstd with several frames, xz, bzip2, or passes it on unchanged.
 * Throws `E_COMPRESSION` for damaged or cut data and for garbage after it, `E_BOMB` for suspicious expansion, and
 * what `source` throws.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const counter = { input: 0 };
  const peeked = await peek(counted(source, counter));
  const kind = options.kind ?? detectCompression(peeked.start);
  let output = 0;
  for await (const chunk of decoder(kind, peeked.stream)) {
    output += chunk.length;
    if (kind !== "none" && options.allowAnyRatio !== true) checkRatio(counter.input, output);
    yield chunk;
  }
}

/**
 * The same for gzip of a known size, all of it in this thread: for threads that do nothing else. Throws as
 * `decompress`. A piece is valid until the next one is asked for.
 */
export async function* decompressGzip(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const counter = { input: 0 };
  let output = 0;
  for await (const chunk of gunzip(counted(source, counter), size)) {
    output += chunk.length;
    checkRatio(counter.input, output);
    yield chunk;
  }
}

function decoder(kind: Compression, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  switch (kind) {
    case "none":
      return source;
    case "gzip":
      return through(zlib.createGunzip({ chunkSize: 1 << 18 }), source, "gzip");
    case "zstd":
      return decodeZstd(source);
    case "xz":
      return decodeXz(source);
    case "bzip2":
      return decodeBzip2(source);
    default:
      throw compressionError(String(kind satisfies never), "unknown kind");
  }
}

function checkRatio(input: number, output: number): void {
  if (output <= FREE_SIZE || output <= input * MAX_RATIO) return;
  throw new TareError("E_BOMB", `decompressing: ${input} bytes became more than ${output} bytes`, {
    hint: "this looks like a decompression bomb; decompress the file yourself if it is not",
  });
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  counter: { input: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    counter.input += chunk.length;
    yield chunk;
  }
}

/** The first bytes of a stream, and the whole stream. */
async function peek(
  source: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<{ start: Uint8Array; stream: AsyncIterable<Uint8Array> }> {
  let start: Uint8Array = new Uint8Array(0);
  let isDone = false;
  while (start.length < LONGEST_MAGIC && !isDone) {
    const next = await source.next();
    if (next.done === true) isDone = true;
    else start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      if (start.length > 0) yield start;
      yield* source;
    } finally {
      // Who stops at the first bytes has not begun with the rest, which still holds its file.
      await source.return();
    }
  }
  return { start, stream: whole() };
}
