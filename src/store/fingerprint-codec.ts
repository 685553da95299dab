// SPDX-License-Identifier: Apache-2.0
/*
 * Many fingerprints in one blob, as columns (little endian, 8-byte aligned), so that 20,000 of them load in a few
 * milliseconds and nothing is built for files that are not asked for:
 *   u32 magic · u32 count · mtime i64[] · ctime i64[] · device f64[] · inode f64[] · size f64[] · sha256 u8[32][] ·
 *   paths, UTF-8, each ended by NUL
 */
import type { Digest } from "../base/index.ts";
import { hexOf } from "../base/index.ts";
import type { FileStamp } from "./types.ts";

/** One remembered file. */
export interface Fingerprint {
  readonly path: string;
  readonly stamp: FileStamp;
  readonly digest: Digest;
}

/** A decoded blob: paths as text, the rest read on demand. */
export interface FingerprintPart {
  readonly paths: readonly string[];
  /** Whether entry `index` has exactly this stamp. */
  matches(index: number, stamp: FileStamp): boolean;
  digest(index: number): Digest;
  entry(index: number): Fingerprint;
}

const MAGIC = 0x3150_4654;
const HEADER = 8;
const PER_ENTRY = 5 * 8 + 32;

/** Packs entries. */
export function encodePart(entries: readonly Fingerprint[]): Uint8Array {
  const count = entries.length;
  const paths = Buffer.from(entries.map(({ path }) => `${path}\0`).join(""));
  const buffer = new ArrayBuffer(HEADER + count * PER_ENTRY + paths.length);
  new Uint32Array(buffer, 0, 2).set([MAGIC, count]);
  const columns = columnsOf(buffer, 0, count);
  for (const [index, { stamp, digest }] of entries.entries()) {
    columns.mtime[index] = stamp.mtime;
    columns.ctime[index] = stamp.ctime;
    columns.device[index] = stamp.device;
    columns.inode[index] = stamp.inode;
    columns.size[index] = stamp.size;
    columns.digests.set(Buffer.from(hexOf(digest), "hex"), index * 32);
  }
  const bytes = new Uint8Array(buffer);
  bytes.set(paths, HEADER + count * PER_ENTRY);
  return bytes;
}

/** Unpacks; undefined when the bytes are not such a blob. */
export function decodePart(bytes: Uint8Array): FingerprintPart | undefined {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  if (aligned.length < HEADER) return undefined;
  const [magic, count = 0] = new Uint32Array(aligned.buffer, aligned.byteOffset, 2);
  const end = HEADER + count * PER_ENTRY;
  if (magic !== MAGIC || aligned.length < end) return undefined;
  const text = Buffer.from(aligned.buffer, aligned.byteOffset + end, aligned.length - end).toString();
  const paths = text.split("\0");
  paths.pop();
  if (paths.length !== count) return undefined;
  const columns = columnsOf(aligned.buffer, aligned.byteOffset, count);
  return {
    paths,
    matches: (index, stamp) => matches(columns, index, stamp),
    digest: (index) => digestAt(columns, index),
    entry: (index) => ({ path: paths[index] ?? "", stamp: stampAt(columns, index), digest: digestAt(columns, index) }),
  };
}

interface Columns {
  readonly mtime: BigInt64Array;
  readonly ctime: BigInt64Array;
  readonly device: Float64Array;
  readonly inode: Float64Array;
  readonly size: Float64Array;
  readonly digests: Buffer;
}

function columnsOf(buffer: ArrayBufferLike, offset: number, count: number): Columns {
  const at = (column: number): number => offset + HEADER + column * count * 8;
  return {
    mtime: new BigInt64Array(buffer, at(0), count),
    ctime: new BigInt64Array(buffer, at(1), count),
    device: new Float64Array(buffer, at(2), count),
    inode: new Float64Array(buffer, at(3), count),
    size: new Float64Array(buffer, at(4), count),
    digests: Buffer.from(buffer, at(5), count * 32),
  };
}

function matches(columns: Columns, index: number, stamp: FileStamp): boolean {
  return (
    columns.mtime[index] === stamp.mtime &&
    columns.ctime[index] === stamp.ctime &&
    columns.size[index] === stamp.size &&
    columns.inode[index] === stamp.inode &&
    columns.device[index] === stamp.device
  );
}

function stampAt(columns: Columns, index: number): FileStamp {
  return {
    mtime: columns.mtime[index] ?? 0n,
    ctime: columns.ctime[index] ?? 0n,
    device: columns.device[index] ?? 0,
    inode: columns.inode[index] ?? 0,
    size: columns.size[index] ?? 0,
  };
}

/** 32 bytes always give 64 digits: no need to check 20,000 of them. */
function digestAt(columns: Columns, index: number): Digest {
  return `sha256:${columns.digests.toString("hex", index * 32, index * 32 + 32)}` as Digest;
}
