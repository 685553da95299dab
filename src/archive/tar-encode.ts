// SPDX-License-Identifier: Apache-2.0
/*
 * The canonical encoding of an entry's headers: ustar; a PAX header comes before an entry only for what ustar cannot
 * hold (long or non-ASCII names, big numbers, attributes), its records in the order path, linkpath, size, uid, gid,
 * mtime, then attributes by name. No user names, whole seconds.
 */
import { TareError } from "../base/index.ts";
import { NO_XATTRS, isAscii } from "./tar-entry.ts";
import type { TarType, Xattrs } from "./tar-entry.ts";
import { BLOCK } from "./tar-header.ts";
import { paxRecord } from "./tar-pax.ts";

/** An entry to write. Names are byte strings (one latin1 character per byte; for ASCII simply the text). */
export interface TarFields {
  readonly type: TarType;
  readonly name: string;
  readonly linkName?: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime: number;
  /** Above the seconds, 0 … 999,999,999; layers have none. */
  readonly mtimeNanoseconds?: number;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  readonly xattrs?: Xattrs;
  /** Further PAX records, after all others: key and value are byte strings. */
  readonly records?: readonly (readonly [key: string, value: string])[];
}

const FLAGS: Readonly<Record<TarType, number>> = {
  file: 48,
  hardlink: 49,
  symlink: 50,
  char: 51,
  block: 52,
  directory: 53,
  fifo: 54,
};
const NOT_BYTES = /[^\0-\xff]/;
const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/** An entry as it is written: a directory's name ends with a slash, only files have a size. */
export interface WrittenFields extends TarFields {
  readonly size: number;
}

/** Throws a plain error for names that are text instead of byte strings. */
export function writtenFields(fields: TarFields): WrittenFields {
  const size = fields.type === "file" ? (fields.size ?? 0) : 0;
  const name = fields.type === "directory" && !fields.name.endsWith("/") ? `${fields.name}/` : fields.name;
  if (NOT_BYTES.test(name) || NOT_BYTES.test(fields.linkName ?? "")) {
    throw new Error(`tar writer: \`${name}\` is text, not a byte string: use byteName`);
  }
  return { ...fields, name, size };
}

/** All blocks that come before an entry's content. */
export function encodeEntry(fields: TarFields): Buffer {
  const written = writtenFields(fields);
  const pax = encodePax(written);
  const header = Buffer.allocUnsafe(BLOCK);
  encodeHeader(header, 0, written);
  return pax === undefined ? header : Buffer.concat([pax, header]);
}

/** The blocks of an entry's PAX header, where it needs one. */
export function encodePax(fields: WrittenFields): Buffer | undefined {
  const records = paxRecords(fields);
  if (records === undefined) return undefined;
  const blocks = Buffer.alloc(BLOCK + Math.ceil(records.length / BLOCK) * BLOCK);
  encodeHeader(blocks, 0, { type: "file", name: "././@PaxHeader", mode: 0o644, mtime: 0, size: records.length });
  setFlag(blocks, 0, 0x78);
  records.copy(blocks, BLOCK);
  return blocks;
}

function paxRecords(fields: WrittenFields): Buffer | undefined {
  const { name, size } = fields;
  const records: Buffer[] = [];
  const add = (key: string, value: string): void => void records.push(paxRecord(key, Buffer.from(value, "latin1")));
  const link = fields.linkName ?? "";
  if (!fitsName(name)) add("path", name);
  if (!fits(link, 100)) add("linkpath", link);
  if (size > MAX_OCTAL_11) add("size", String(size));
  if ((fields.uid ?? 0) > MAX_OCTAL_7) add("uid", String(fields.uid));
  if ((fields.gid ?? 0) > MAX_OCTAL_7) add("gid", String(fields.gid));
  const nanoseconds = fields.mtimeNanoseconds ?? 0;
  if (fields.mtime < 0 || fields.mtime > MAX_OCTAL_11 || nanoseconds > 0)
    add("mtime", timeText(fields.mtime, nanoseconds));
  const xattrs = fields.xattrs ?? NO_XATTRS;
  if (xattrs.size > 0) {
    for (const key of [...xattrs.keys()].sort())
      records.push(paxRecord(`SCHILY.xattr.${key}`, xattrs.get(key) ?? EMPTY));
  }
  for (const [key, value] of fields.records ?? []) add(key, value);
  return records.length > 0 ? Buffer.concat(records) : undefined;
}

/** Before 1970 the fraction counts downwards in the text: half a second before is `-0.5`. */
function timeText(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const fraction = (count: number): string => String(count).padStart(9, "0");
  if (seconds >= 0) return `${seconds}.${fraction(nanoseconds)}`;
  return `-${-seconds - 1}.${fraction(1_000_000_000 - nanoseconds)}`;
}

const EMPTY: Uint8Array = new Uint8Array(0);

function fits(text: string, length: number): boolean {
  return text.length <= length && isAscii(text);
}

function fitsName(name: string): boolean {
  return isAscii(name) && (name.length <= 100 || splitAt(name) > 0);
}

/** Where a long name can be split into ustar's prefix (≤ 155) and name (1 … 100); 0 where it cannot. */
function splitAt(name: string): number {
  const slash = name.indexOf("/", name.length - 101);
  return slash > 0 && slash <= 155 && slash < name.length - 1 ? slash : 0;
}

/** Writes a header block. */
export function encodeHeader(buffer: Buffer, at: number, fields: TarFields): void {
  buffer.fill(0, at, at + BLOCK);
  const { name, linkName = "" } = fields;
  const slash = name.length > 100 && isAscii(name) ? splitAt(name) : 0;
  if (slash > 0) {
    buffer.write(name.slice(0, slash), at + 345, 155, "latin1");
    buffer.write(name.slice(slash + 1), at, 100, "latin1");
  } else buffer.write(name, at, 100, "latin1");
  octal(buffer, at + 100, 7, fields.mode & 0o7777);
  octal(buffer, at + 108, 7, clampField(fields.uid ?? 0, MAX_OCTAL_7));
  octal(buffer, at + 116, 7, clampField(fields.gid ?? 0, MAX_OCTAL_7));
  octal(buffer, at + 124, 11, clampField(fields.size ?? 0, MAX_OCTAL_11));
  octal(buffer, at + 136, 11, clampField(fields.mtime, MAX_OCTAL_11));
  if (linkName !== "") buffer.write(linkName, at + 157, 100, "latin1");
  buffer.write("ustar\x0000", at + 257, 8, "latin1");
  if (fields.type === "char" || fields.type === "block") {
    octal(buffer, at + 329, 7, deviceField(fields.deviceMajor ?? 0));
    octal(buffer, at + 337, 7, deviceField(fields.deviceMinor ?? 0));
  }
  setFlag(buffer, at, FLAGS[fields.type]);
}

function clampField(value: number, limit: number): number {
  return value < 0 || value > limit ? 0 : value;
}

function deviceField(value: number): number {
  if (value <= MAX_OCTAL_7) return value;
  throw new TareError("E_TAR_HEADER", `writing a tar header: device number ${value} does not fit`);
}

/** Sets the type and with it the checksum: six digits, NUL, space. */
function setFlag(buffer: Buffer, at: number, flag: number): void {
  buffer[at + 156] = flag;
  buffer.fill(32, at + 148, at + 156);
  let sum = 0;
  for (let index = at; index < at + BLOCK; index += 1) sum += buffer[index] ?? 0;
  octal(buffer, at + 148, 6, sum);
  buffer[at + 154] = 0;
}

function octal(buffer: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index -= 1) {
    buffer[index] = 48 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
