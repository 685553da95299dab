// SPDX-License-Identifier: Apache-2.0
/*
 * Clang's container of code for AMD's GPUs (LLVM, "Clang Offload Bundler": bundled binary file layout, compression):
 *
 *   bundle       __CLANG_OFFLOAD_BUNDLE__ (24) · entries (8) · each: offset (8) · size (8) · length of id (8) · id
 *   compressed   CCOB (4) · version (2) · method: 0 zlib, 1 zstd (2) ·
 *                version 1: plain size (4) · hash (8); 2: whole size (4) · plain size (4) · hash (8); 3: as 2, sizes of 8
 *
 * The id of code for a GPU: `hipv4-amdgcn-amd-amdhsa--gfx90a:xnack-`.
 */
import * as zlib from "node:zlib";
import type { KernelCode, KernelCounts } from "./kernel-counts.ts";
import { bytesAt, sourceOf, walkSource } from "./walk.ts";
import type { ByteSource, Mark, Walk } from "./walk.ts";

export const BUNDLE: Mark = { bytes: Buffer.from("__CLANG_OFFLOAD_BUNDLE__"), alignment: 8 };
export const COMPRESSED_BUNDLE: Mark = { bytes: Buffer.from("CCOB"), alignment: 8 };
const HEAD = 32;
const MOST_ENTRIES = 4096;
const LONGEST_ID = 512;
/** A block of zstd is at most 128 KiB, and one block has the whole list of entries. */
const PREFIX = 160 << 10;
const ZLIB = 0;
const ZSTD = 1;

/** Reads the bundle at a place; returns where to go on. */
export function* readBundle(at: number, end: number, counts: KernelCounts): Walk<number> {
  const head = yield* bytesAt(at, HEAD);
  const count = head.length < HEAD ? MOST_ENTRIES + 1 : Number(head.readBigUInt64LE(24));
  // Programs that read bundles have the mark as text.
  if (count === 0 || count > MOST_ENTRIES) return at + BUNDLE.bytes.length;
  const codes: KernelCode[] = [];
  let place = at + HEAD;
  let last = place;
  for (let index = 0; index < count; index += 1) {
    const fixed = yield* bytesAt(place, 24);
    const length = fixed.length < 24 ? LONGEST_ID + 1 : Number(fixed.readBigUInt64LE(16));
    if (length > LONGEST_ID) {
      if (index > 0) counts.isDamaged = true;
      return place;
    }
    last = Math.max(last, at + Number(fixed.readBigUInt64LE(0)) + Number(fixed.readBigUInt64LE(8)));
    codes.push(...codeOf((yield* bytesAt(place + 24, length)).toString("latin1")));
    place += 24 + length;
  }
  counts.addRegion("amd", codes, last - at);
  return last <= end ? Math.max(last, place) : place;
}

/** AMD's entries; others are for the host and for OpenMP. */
function codeOf(id: string): readonly KernelCode[] {
  const [, target] = /^hip[^-]*-amdgcn-amd-amdhsa-[^-]*-(gfx[\w+:-]{1,64})$/.exec(id) ?? [];
  return target === undefined ? [] : [{ kind: "gfx", architecture: target }];
}

/** Reads the compressed bundle at a place; returns where to go on. */
export function* readCompressedBundle(at: number, end: number, counts: KernelCounts): Walk<number> {
  const head = compressedHead(yield* bytesAt(at, HEAD));
  const size = head?.size ?? 0;
  if (head === undefined || size > end - at) return at + COMPRESSED_BUNDLE.bytes.length;
  const room = size > 0 ? size - head.length : PREFIX;
  const payload = yield* bytesAt(at + head.length, Math.min(PREFIX, room));
  const plain = head.method === ZSTD ? firstOfZstd(payload) : firstOfZlib(payload);
  if (plain === undefined || !plain.subarray(0, BUNDLE.bytes.length).equals(BUNDLE.bytes)) {
    counts.miss();
    return at + COMPRESSED_BUNDLE.bytes.length;
  }
  walkSource(inMemory(plain), readBundle(0, plain.length, counts));
  return size > 0 ? at + size : at + head.length;
}

function compressedHead(
  bytes: Buffer,
): { readonly method: number; readonly length: number; readonly size: number } | undefined {
  if (bytes.length < HEAD) return undefined;
  const [version, method] = [bytes.readUInt16LE(4), bytes.readUInt16LE(6)];
  if (method !== ZLIB && method !== ZSTD) return undefined;
  // Version 1 does not say how long it is.
  if (version === 1) return { method, length: 20, size: 0 };
  if (version === 2) return { method, length: 24, size: bytes.readUInt32LE(8) };
  return version === 3 ? { method, length: 32, size: Number(bytes.readBigUInt64LE(8)) } : undefined;
}

function firstOfZlib(bytes: Buffer): Buffer | undefined {
  return attempt(() => {
    const part = bytes.subarray(0, 4096);
    return zlib.inflateSync(part, { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: 8 << 20 });
  });
}

/** The first block of a frame (RFC 8878): what follows may be of any length. */
function firstOfZstd(frame: Buffer): Buffer | undefined {
  return attempt(() => {
    const descriptor = frame.readUInt8(4);
    const isSingle = (descriptor & 0x20) !== 0;
    const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
    const start = 5 + (isSingle ? 0 : 1) + dictionary + contentSize;
    const block = frame.readUIntLE(start, 3);
    const isRepeated = ((block >> 1) & 3) === 1;
    const end = start + 3 + (isRepeated ? 1 : block >> 3);
    const options = { finishFlush: zlib.constants.ZSTD_e_continue, maxOutputLength: 256 << 10 };
    return zlib.zstdDecompressSync(frame.subarray(0, end), options);
  });
}

/** What is no compressed data is no bundle either. */
function attempt(unpack: () => Buffer): Buffer | undefined {
  try {
    return unpack();
  } catch {
    return undefined;
  }
}

function inMemory(bytes: Buffer): ByteSource {
  return sourceOf(bytes.length, (at, length) => bytes.subarray(at, at + length));
}
