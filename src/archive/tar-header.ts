// SPDX-License-Identifier: Apache-2.0
/*
 * One 512-byte tar header block. Offsets (POSIX.1-2017, pax, "ustar Interchange Format"; GNU where they differ):
 *   name 0+100  mode 100+8  uid 108+8  gid 116+8  size 124+12  mtime 136+12  checksum 148+8  type 156  link 157+100
 *   magic 257+6  version 263+2  major 329+8  minor 337+8  prefix 345+155
 */
import { TareError } from "../base/index.ts";

export const BLOCK = 512;
const SPACE = 32;

/** The fields of a header block before PAX and GNU extensions are applied. */
export interface RawHeader {
  readonly type: string;
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly isGnu: boolean;
}

/** True when the stored checksum fits; old writers summed signed bytes, both are accepted. */
export function checksumFits(block: Buffer, at: number): boolean {
  const stored = parseOctal(block, at + 148, 8);
  if (stored === undefined) return false;
  let unsigned = 8 * SPACE;
  let high = 0;
  for (let index = at; index < at + BLOCK; index += 1) {
    if (index === at + 148) index = at + 156;
    const byte = block[index] ?? 0;
    unsigned += byte;
    if (byte > 127) high += 1;
  }
  return stored === unsigned || stored === unsigned - high * 256;
}

/** Decodes a header whose checksum fits. Throws `E_TAR_HEADER`. `at` is the block's place in `block`. */
export function parseHeader(block: Buffer, at: number): RawHeader {
  const isUstar = block.toString("latin1", at + 257, at + 263) === "ustar\0";
  const isGnu = block.toString("latin1", at + 257, at + 265) === "ustar  \0";
  const known = isUstar || isGnu;
  return {
    type: String.fromCharCode(block[at + 156] ?? 0),
    name: isUstar ? joinPrefix(block, at) : textField(block, at, 100),
    linkName: textField(block, at + 157, 100),
    mode: number(block, at + 100, 8, "mode") & 0o7777,
    uid: idNumber(block, at + 108, "uid"),
    gid: idNumber(block, at + 116, "gid"),
    size: nonNegative(block, at + 124, 12, "size"),
    mtime: number(block, at + 136, 12, "mtime"),
    deviceMajor: known ? nonNegative(block, at + 329, 8, "device major") : 0,
    deviceMinor: known ? nonNegative(block, at + 337, 8, "device minor") : 0,
    isGnu,
  };
}

/** Refuses owner numbers that the kernel would read as "leave as it is" or cut. */
export function checkId(value: number, field: string): number {
  if (Number.isSafeInteger(value) && value >= 0 && value < 0xffff_ffff) return value;
  throw new TareError("E_TAR_HEADER", `reading a tar header: ${field} ${value} is out of range`);
}

function idNumber(block: Buffer, at: number, field: string): number {
  return checkId(number(block, at, 8, field), field);
}

/** A number that must not be negative. */
export function nonNegative(block: Buffer, at: number, length: number, field: string): number {
  const value = number(block, at, length, field);
  if (value >= 0) return value;
  throw new TareError("E_TAR_HEADER", `reading a tar header: ${field} is negative`);
}

/** A numeric field: octal digits, or GNU's base-256 when the first bit is set. */
function number(block: Buffer, at: number, length: number, field: string): number {
  const value = (block[at] ?? 0) & 0x80 ? parseBinary(block, at, length) : parseOctal(block, at, length);
  if (value !== undefined) return value;
  throw new TareError("E_TAR_HEADER", `reading a tar header: the field ${field} is not a number`);
}

function parseOctal(block: Buffer, at: number, length: number): number | undefined {
  let [index, value] = [at, 0];
  const end = at + length;
  while (index < end && block[index] === SPACE) index += 1;
  for (; index < end; index += 1) {
    const byte = block[index] ?? 0;
    if (byte === 0 || byte === SPACE) break;
    if (byte < 48 || byte > 55) return undefined;
    value = value * 8 + byte - 48;
  }
  for (; index < end; index += 1) if (block[index] !== 0 && block[index] !== SPACE) return undefined;
  return value;
}

/** Base-256, two's complement; undefined beyond 2^53, where a JavaScript number is no longer exact. */
function parseBinary(block: Buffer, at: number, length: number): number | undefined {
  const isNegative = ((block[at] ?? 0) & 0x40) !== 0;
  let value = BigInt((block[at] ?? 0) & (isNegative ? 0xff : 0x7f));
  for (let index = at + 1; index < at + length; index += 1) value = (value << 8n) | BigInt(block[index] ?? 0);
  if (isNegative) value -= 1n << BigInt(8 * length);
  const result = Number(value);
  return Number.isSafeInteger(result) ? result : undefined;
}

/** star marks its headers with "tar" at the end; its prefix is shorter, times follow it. */
function joinPrefix(block: Buffer, at: number): Buffer {
  const isStar = block.toString("latin1", at + 508, at + 512) === "tar\0";
  const name = textField(block, at, 100);
  if (block[at + 345] === 0) return name;
  return Buffer.concat([textField(block, at + 345, isStar ? 131 : 155), Buffer.from("/"), name]);
}

/** The bytes of a text field up to its NUL (a view, not a copy). */
function textField(block: Buffer, at: number, length: number): Buffer {
  let end = at;
  while (end < at + length && block[end] !== 0) end += 1;
  return block.subarray(at, end);
}
