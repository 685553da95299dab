// SPDX-License-Identifier: Apache-2.0
/*
 * Local headers (APPNOTE 4.3.7): signature 0  needed 4  flags 6  method 8  time 10  date 12  crc 14  compressed 18
 *   size 22  name length 26  extra length 28  name 30  extra. After the data comes the next entry at once, or a data
 *   descriptor (4.3.9) where flag 3 says so.
 */
import { LOCAL_SIZE, widen } from "./entries.ts";
import { shown, zipError } from "./errors.ts";
import type { ZipEntry, ZipFile } from "./types.ts";

const HEADER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const HAS_DESCRIPTOR = 8;
const ENCRYPTED = 0x2041;
/** Most headers have at most this many bytes of extra fields: one read suffices. */
const USUAL_EXTRA = 64;

/** Where the data starts; `end` is where the next entry or the directory starts. */
export function checkLocal(zip: ZipFile, entry: ZipEntry, end: number): number {
  const differs = (what: string): Error =>
    zipError("E_ZIP_AMBIGUOUS", zip.path, `entry \`${shown(entry.name)}\`: ${what}`);
  const header = readHeader(zip, entry, end);
  if (header.readUInt32LE(0) !== HEADER) throw zipError("E_ZIP", zip.path, `entry \`${shown(entry.name)}\` is missing`);
  const nameEnd = LOCAL_SIZE + header.readUInt16LE(26);
  if (!header.subarray(LOCAL_SIZE, nameEnd).equals(entry.rawName))
    throw differs("its two headers have different names");
  const flags = header.readUInt16LE(6);
  if ((flags & ENCRYPTED) !== 0) throw differs("only one of its headers says that it is encrypted");
  if (((flags ^ entry.flags) & HAS_DESCRIPTOR) !== 0) throw differs("only one of its headers has a data descriptor");
  if (header.readUInt16LE(8) !== entry.method) throw differs("its two headers have different compressions");
  const start = entry.headerOffset + header.length;
  if (start + entry.compressedSize > end) throw differs("its data overlaps what follows");
  checkNumbers(zip, entry, header, header.subarray(nameEnd));
  const gap = end - start - entry.compressedSize;
  if ((flags & HAS_DESCRIPTOR) !== 0) checkDescriptor(zip, entry, end - gap, gap);
  else if (gap > 0) throw differs("there are hidden bytes after its data");
  return start;
}

/** The whole header with its extra fields. */
function readHeader(zip: ZipFile, entry: ZipEntry, end: number): Buffer {
  const room = Math.min(end - entry.headerOffset, LOCAL_SIZE + entry.rawName.length + USUAL_EXTRA);
  const first = Buffer.allocUnsafe(room);
  zip.readAt(first, entry.headerOffset);
  const length = LOCAL_SIZE + first.readUInt16LE(26) + first.readUInt16LE(28);
  if (length <= room) return first.subarray(0, length);
  if (entry.headerOffset + length > end) {
    throw zipError("E_ZIP", zip.path, `entry \`${shown(entry.name)}\`: its header is cut short`);
  }
  const whole = Buffer.allocUnsafe(length);
  zip.readAt(whole, entry.headerOffset);
  return whole;
}

function checkNumbers(zip: ZipFile, entry: ZipEntry, header: Buffer, extra: Buffer): void {
  const [size, compressedSize] = widen(zip.path, extra, [header.readUInt32LE(22), header.readUInt32LE(18)]);
  const crc = header.readUInt32LE(14);
  if (size === entry.size && compressedSize === entry.compressedSize && crc === entry.crc32) return;
  const isLater = (entry.flags & HAS_DESCRIPTOR) !== 0;
  const fits = (value: number | undefined, known: number): boolean => value === known || value === 0;
  if (isLater && fits(size, entry.size) && fits(compressedSize, entry.compressedSize) && fits(crc, entry.crc32)) return;
  throw zipError("E_ZIP_AMBIGUOUS", zip.path, `entry \`${shown(entry.name)}\`: its two headers have different sizes`);
}

/** With or without its signature, with 4 or 8 bytes for sizes: what fills the gap must say what the directory says. */
function checkDescriptor(zip: ZipFile, entry: ZipEntry, start: number, length: number): void {
  const wrong = zipError("E_ZIP_AMBIGUOUS", zip.path, `entry \`${shown(entry.name)}\`: its data descriptor is wrong`);
  if (![12, 16, 20, 24].includes(length)) throw wrong;
  const bytes = Buffer.allocUnsafe(length);
  zip.readAt(bytes, start);
  const isSigned = length === 16 || length === 24;
  if (isSigned && bytes.readUInt32LE(0) !== DESCRIPTOR) throw wrong;
  const at = isSigned ? 4 : 0;
  const width = length >= 20 ? 8 : 4;
  const number = (place: number): number =>
    width === 8 ? Number(bytes.readBigUInt64LE(place)) : bytes.readUInt32LE(place);
  const fits =
    bytes.readUInt32LE(at) === entry.crc32 &&
    number(at + 4) === entry.compressedSize &&
    number(at + 4 + width) === entry.size;
  if (!fits) throw wrong;
}
