// SPDX-License-Identifier: Apache-2.0
/* Makes zip archives for tests, good ones and such as no tool would write. */
import * as zlib from "node:zlib";

/** Numbers of a header, to be told wrongly. */
export interface HeaderLies {
  readonly name?: Buffer;
  readonly flags?: number;
  readonly method?: number;
  readonly crc32?: number;
  readonly compressedSize?: number;
  readonly size?: number;
  readonly extra?: Buffer;
  readonly offset?: number;
  readonly disk?: number;
}

/** One entry; what is not told is right. */
export interface FixtureEntry {
  readonly name: string | Buffer;
  readonly content?: Buffer | string;
  /** 0 stored, 8 deflate (default), 93 zstd. */
  readonly method?: number;
  readonly deflate?: zlib.ZlibOptions;
  /** Compressed bytes in place of those of `content`. */
  readonly raw?: Buffer;
  readonly mode?: number;
  readonly flags?: number;
  /** A data descriptor with its signature ("signed"), without it, or with 8-byte sizes. */
  readonly descriptor?: "signed" | "plain" | "wide";
  /** Bytes after the data. */
  readonly after?: Buffer;
  readonly local?: HeaderLies;
  readonly central?: HeaderLies;
  /** No header and no data of its own. */
  readonly isOnlyCentral?: boolean;
}

/** What stands around the entries. */
export interface FixtureEnd {
  readonly before?: Buffer;
  readonly beforeDirectory?: Buffer;
  readonly afterDirectory?: Buffer;
  readonly after?: Buffer;
  readonly comment?: Buffer;
  readonly count?: number;
  readonly offset?: number;
  readonly size?: number;
  readonly disk?: number;
  readonly zip64?: boolean | { readonly count?: number; readonly offset?: number; readonly recordSize?: number };
}

/** The bytes of an archive. */
export function makeZip(entries: readonly FixtureEntry[], end: FixtureEnd = {}): Buffer {
  const parts: Buffer[] = [end.before ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const facts = factsOf(entry);
    directory.push(centralHeader(facts, entry, offset));
    if (entry.isOnlyCentral === true) continue;
    const piece = Buffer.concat([localHeader(facts, entry), facts.raw, descriptor(facts, entry), entry.after ?? EMPTY]);
    parts.push(piece);
    offset += piece.length;
  }
  parts.push(end.beforeDirectory ?? EMPTY);
  const place = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.concat(directory);
  parts.push(bytes, end.afterDirectory ?? EMPTY);
  const numbers = { count: end.count ?? entries.length, size: end.size ?? bytes.length, offset: end.offset ?? place };
  if (end.zip64 !== undefined && end.zip64 !== false) parts.push(end64(numbers, end, place + bytes.length));
  parts.push(endRecord(numbers, end), end.after ?? EMPTY);
  return Buffer.concat(parts);
}

const EMPTY = Buffer.alloc(0);

interface Facts {
  readonly name: Buffer;
  readonly raw: Buffer;
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly size: number;
}

function factsOf(entry: FixtureEntry): Facts {
  const content = Buffer.from(entry.content ?? "");
  const name = Buffer.isBuffer(entry.name) ? entry.name : Buffer.from(entry.name, "utf8");
  const method = entry.method ?? 8;
  const isAscii = name.every((byte) => byte < 128);
  const flags = entry.flags ?? (isAscii ? 0 : 0x800) | (entry.descriptor === undefined ? 0 : 8);
  return {
    name,
    raw: entry.raw ?? compressed(content, method, entry.deflate),
    method,
    flags,
    crc32: zlib.crc32(content),
    size: content.length,
  };
}

function compressed(content: Buffer, method: number, options: zlib.ZlibOptions = {}): Buffer {
  if (method === 8) return zlib.deflateRawSync(content, options);
  return method === 93 ? zlib.zstdCompressSync(content) : content;
}

function localHeader(facts: Facts, entry: FixtureEntry): Buffer {
  const isLater = entry.descriptor !== undefined;
  const told = { ...(isLater ? { crc32: 0, compressedSize: 0, size: 0 } : {}), ...entry.local };
  const name = told.name ?? facts.name;
  const extra = told.extra ?? EMPTY;
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(told.flags ?? facts.flags, 6);
  header.writeUInt16LE(told.method ?? facts.method, 8);
  header.writeUInt32LE(told.crc32 ?? facts.crc32, 14);
  header.writeUInt32LE(told.compressedSize ?? facts.raw.length, 18);
  header.writeUInt32LE(told.size ?? facts.size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

function centralHeader(facts: Facts, entry: FixtureEntry, offset: number): Buffer {
  const told = entry.central ?? {};
  const name = told.name ?? facts.name;
  const extra = told.extra ?? EMPTY;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(0x0314, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(told.flags ?? facts.flags, 8);
  header.writeUInt16LE(told.method ?? facts.method, 10);
  header.writeUInt32LE(told.crc32 ?? facts.crc32, 16);
  header.writeUInt32LE(told.compressedSize ?? facts.raw.length, 20);
  header.writeUInt32LE(told.size ?? facts.size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt16LE(told.disk ?? 0, 34);
  header.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  header.writeUInt32LE(told.offset ?? offset, 42);
  return Buffer.concat([header, name, extra]);
}

function descriptor(facts: Facts, entry: FixtureEntry): Buffer {
  if (entry.descriptor === undefined) return EMPTY;
  const numbers = Buffer.alloc(entry.descriptor === "wide" ? 20 : 12);
  numbers.writeUInt32LE(facts.crc32, 0);
  if (entry.descriptor === "wide") {
    numbers.writeBigUInt64LE(BigInt(facts.raw.length), 4);
    numbers.writeBigUInt64LE(BigInt(facts.size), 12);
  } else {
    numbers.writeUInt32LE(facts.raw.length, 4);
    numbers.writeUInt32LE(facts.size, 8);
  }
  return entry.descriptor === "plain" ? numbers : Buffer.concat([Buffer.from([0x50, 0x4b, 7, 8]), numbers]);
}

interface Numbers {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

function endRecord(numbers: Numbers, end: FixtureEnd): Buffer {
  const record = Buffer.alloc(22);
  const comment = end.comment ?? EMPTY;
  const isWide = end.zip64 === true;
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.disk ?? 0, 4);
  record.writeUInt16LE(isWide ? 0xffff : numbers.count, 8);
  record.writeUInt16LE(isWide ? 0xffff : numbers.count, 10);
  record.writeUInt32LE(isWide ? 0xffffffff : numbers.size, 12);
  record.writeUInt32LE(isWide ? 0xffffffff : numbers.offset, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([record, comment]);
}

function end64(numbers: Numbers, end: FixtureEnd, place: number): Buffer {
  const lies = typeof end.zip64 === "object" ? end.zip64 : {};
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(BigInt(lies.recordSize ?? 44), 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(lies.count ?? numbers.count), 24);
  record.writeBigUInt64LE(BigInt(lies.count ?? numbers.count), 32);
  record.writeBigUInt64LE(BigInt(numbers.size), 40);
  record.writeBigUInt64LE(BigInt(lies.offset ?? numbers.offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(place), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}
