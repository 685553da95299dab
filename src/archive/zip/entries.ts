// SPDX-License-Identifier: Apache-2.0
/*
 * Central directory headers (APPNOTE 4.3.12): signature 0  made by 4  needed 6  flags 8  method 10  time 12  date 14
 *   crc 16  compressed 20  size 24  name length 28  extra length 30  comment length 32  disk 34  internal 36
 *   external 38  local header 42  name 46  extra  comment
 */
import { safeNumber } from "./directory.ts";
import type { DirectoryPlace } from "./directory.ts";
import { shown, zipError } from "./errors.ts";
import { checkNames, cleanName } from "./names.ts";
import type { ZipEntry, ZipLimits } from "./types.ts";

const HEADER = 0x02014b50;
const HEADER_SIZE = 46;
export const LOCAL_SIZE = 30;
const FULL = 0xffffffff;
const ZIP64 = 1;
const UNICODE_PATH = 0x7075;
const STORED = 0;
/** Encryption, compressed patches, strong encryption, masked headers. */
const REFUSED_FLAGS = 0x2061;
const FREE_SIZE = 100e6;
const FREE_TOTAL = 1e9;
const TYPE = 0o170000;
const TYPE_FILE = 0o100000;
const TYPE_FOLDER = 0o040000;
const METHODS: ReadonlyMap<number, string> = new Map([
  [1, "shrink"],
  [6, "implode"],
  [9, "deflate64"],
  [12, "bzip2"],
  [14, "lzma"],
  [95, "xz"],
  [97, "wavpack"],
  [98, "ppmd"],
  [99, "AES encryption"],
]);
const KNOWN_METHODS: ReadonlySet<number> = new Set([STORED, 8, 93]);

/** Reads all entries and checks what can be checked without their local headers. */
export function readEntries(path: string, place: DirectoryPlace, bytes: Buffer, limits: ZipLimits): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < place.count; index += 1) {
    if (at + HEADER_SIZE > bytes.length || bytes.readUInt32LE(at) !== HEADER) {
      throw zipError("E_ZIP", path, `its central directory has no entry ${index + 1} of ${place.count}`);
    }
    const end = at + HEADER_SIZE + [28, 30, 32].reduce((sum, field) => sum + bytes.readUInt16LE(at + field), 0);
    if (end > bytes.length) throw zipError("E_ZIP", path, "its central directory is cut short");
    const entry = readEntry(path, bytes.subarray(at, end), limits.path ?? 4096);
    checkEntry(path, entry, place.offset, limits.ratio ?? 1000);
    entries.push(entry);
    at = end;
  }
  if (at !== bytes.length) throw zipError("E_ZIP_AMBIGUOUS", path, "its central directory has more than its entries");
  checkNames(path, entries);
  checkTotal(path, entries, { place, limits });
  return entries;
}

function readEntry(path: string, header: Buffer, pathLimit: number): ZipEntry {
  const rawName = Buffer.from(header.subarray(HEADER_SIZE, HEADER_SIZE + header.readUInt16LE(28)));
  const flags = header.readUInt16LE(8);
  const name = cleanName(path, rawName, flags, pathLimit);
  const start = HEADER_SIZE + rawName.length;
  const extra = header.subarray(start, start + header.readUInt16LE(30));
  checkUnicodePath(path, extra, rawName);
  const narrow = [header.readUInt32LE(24), header.readUInt32LE(20), header.readUInt32LE(42)];
  const [size = 0, compressedSize = 0, headerOffset = 0] = widen(path, extra, narrow);
  const disk = header.readUInt16LE(34);
  if (disk !== 0 && disk !== 0xffff) throw zipError("E_ZIP_UNSUPPORTED", path, "it is one part of several");
  const mode = header.readUInt32LE(38) >>> 16;
  return {
    name,
    rawName,
    method: header.readUInt16LE(10),
    flags,
    crc32: header.readUInt32LE(16),
    compressedSize,
    size,
    mode: mode === 0 ? undefined : mode,
    isDirectory: name.endsWith("/"),
    headerOffset,
  };
}

/** Replaces the numbers that do not fit 32 bits by those of the zip64 extra field, which has only these, in order. */
export function widen(path: string, extra: Buffer, narrow: readonly number[]): number[] {
  if (!narrow.includes(FULL)) return [...narrow];
  const field = findExtra(path, extra, ZIP64);
  let at = 0;
  return narrow.map((value) => {
    if (value !== FULL) return value;
    if (field === undefined || at + 8 > field.length) throw zipError("E_ZIP", path, "a zip64 size is missing");
    at += 8;
    return safeNumber(path, field, at - 8);
  });
}

/** The one extra field of a kind. Throws `E_ZIP` for a broken list and `E_ZIP_AMBIGUOUS` for a second one. */
function findExtra(path: string, extra: Buffer, kind: number): Buffer | undefined {
  let found: Buffer | undefined;
  let at = 0;
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw zipError("E_ZIP", path, "an extra field is cut short");
    if (extra.readUInt16LE(at) === kind) {
      if (found !== undefined) throw zipError("E_ZIP_AMBIGUOUS", path, "an entry has an extra field twice");
      found = extra.subarray(at + 4, end);
    }
    at = end;
  }
  return found;
}

function checkUnicodePath(path: string, extra: Buffer, rawName: Buffer): void {
  if (extra.length === 0) return;
  const field = findExtra(path, extra, UNICODE_PATH);
  if (field === undefined || field.subarray(5).equals(rawName)) return;
  throw zipError("E_ZIP_AMBIGUOUS", path, `entry \`${shown(rawName.toString())}\`: it has two names`);
}

function checkEntry(path: string, entry: ZipEntry, directory: number, ratio: number): void {
  const where = `entry \`${shown(entry.name)}\``;
  const unsupported = (why: string): Error => zipError("E_ZIP_UNSUPPORTED", path, `${where}: ${why}`);
  if ((entry.flags & REFUSED_FLAGS) !== 0) throw unsupported("it is encrypted or patched");
  if (!KNOWN_METHODS.has(entry.method)) {
    throw unsupported(`it is compressed with ${METHODS.get(entry.method) ?? `the unknown method ${entry.method}`}`);
  }
  const type = (entry.mode ?? 0) & TYPE;
  if (type !== 0 && type !== TYPE_FILE && type !== TYPE_FOLDER) throw unsupported("it is a link or a device");
  if (type === TYPE_FOLDER && !entry.isDirectory) {
    throw zipError("E_ZIP_AMBIGUOUS", path, `${where}: it is a directory by its mode, not by its name`);
  }
  if (entry.isDirectory && entry.size > 0) throw zipError("E_ZIP", path, `${where}: a directory has content`);
  if (entry.method === STORED && entry.size !== entry.compressedSize) {
    throw zipError("E_ZIP", path, `${where}: it is stored, but its two sizes differ`);
  }
  if (entry.headerOffset + LOCAL_SIZE + entry.rawName.length + entry.compressedSize > directory) {
    throw zipError("E_ZIP", path, `${where}: it reaches into the central directory`);
  }
  if (entry.size > FREE_SIZE && entry.size > entry.compressedSize * ratio) {
    throw zipError("E_BOMB", path, `${where}: ${entry.compressedSize} bytes become ${entry.size}`);
  }
}

function checkTotal(
  path: string,
  entries: readonly ZipEntry[],
  { place, limits }: { readonly place: DirectoryPlace; readonly limits: ZipLimits },
): void {
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  const { total: limit = 2 ** 36, totalRatio = 200 } = limits;
  if (total > limit) throw zipError("E_ZIP_LIMIT", path, `its contents are more than ${limit} bytes`);
  const compressed = place.offset + place.size;
  if (total > FREE_TOTAL && total > compressed * totalRatio) {
    throw zipError("E_BOMB", path, `its ${compressed} bytes become ${total}`);
  }
}
