// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a zip archive (APPNOTE 4.3.12 … 4.3.16), read as a whole and in one way only:
 *
 *   entries … | central directory | [zip64 end record | zip64 locator] | end record | comment | end of file
 *
 * Each part must start where the one before it ends; whatever two readers could see differently is refused.
 */
import { zipError } from "./errors.ts";

/** Where the central directory is. */
export interface DirectoryPlace {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
  readonly comment: Buffer;
}

const END_SIZE = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_SIZE = 20;
const END64 = 0x06064b50;
const END64_SIZE = 56;
const MAX_COMMENT = 0xffff;

/** The numbers of an end record; the two kinds differ only in their width. */
interface EndNumbers {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

/** Finds the central directory of an archive of `size` bytes. Throws `E_ZIP`, `E_ZIP_AMBIGUOUS`, `E_ZIP_UNSUPPORTED`. */
export function findDirectory(
  path: string,
  size: number,
  read: (offset: number, length: number) => Buffer,
): DirectoryPlace {
  const length = Math.min(size, END_SIZE + MAX_COMMENT + LOCATOR_SIZE + END64_SIZE);
  const tail = read(size - length, length);
  const at = findEnd(path, tail);
  const comment = Buffer.from(tail.subarray(at + END_SIZE));
  const narrow = narrowNumbers(path, tail, at);
  const hasLocator = at >= LOCATOR_SIZE && tail.readUInt32LE(at - LOCATOR_SIZE) === LOCATOR;
  let end = size - length + at;
  let numbers = narrow;
  if (hasLocator) {
    const wide = readEnd64(path, tail, at, { start: size - length, read });
    checkAgreement(path, narrow, wide.numbers);
    numbers = wide.numbers;
    end = wide.offset;
  }
  if (numbers.offset + numbers.size !== end) {
    const cut = numbers.offset + numbers.size > end;
    throw cut
      ? zipError("E_ZIP", path, "its central directory is not where it should be")
      : zipError("E_ZIP_AMBIGUOUS", path, "there are hidden bytes around its central directory");
  }
  return { ...numbers, comment };
}

function findEnd(path: string, tail: Buffer): number {
  const signature = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
  const at = tail.lastIndexOf(signature);
  if (at < 0) throw zipError("E_ZIP", path, "it has no end record: not a zip archive, or cut short");
  if (at + END_SIZE > tail.length) throw zipError("E_ZIP", path, "its end record is cut short");
  const end = at + END_SIZE + tail.readUInt16LE(at + 20);
  if (end > tail.length) throw zipError("E_ZIP", path, "its comment is cut short");
  if (end < tail.length) throw zipError("E_ZIP_AMBIGUOUS", path, "there are bytes after its end");
  const earlier = at === 0 ? -1 : tail.lastIndexOf(signature, at - 1);
  if (
    earlier >= 0 &&
    earlier + END_SIZE <= at &&
    earlier + END_SIZE + tail.readUInt16LE(earlier + 20) === tail.length
  ) {
    throw zipError("E_ZIP_AMBIGUOUS", path, "it has two end records");
  }
  return at;
}

function narrowNumbers(path: string, tail: Buffer, at: number): EndNumbers {
  const disks = [tail.readUInt16LE(at + 4), tail.readUInt16LE(at + 6)];
  const count = tail.readUInt16LE(at + 10);
  const isSplit = disks.some((disk) => disk !== 0 && disk !== 0xffff);
  if (isSplit || tail.readUInt16LE(at + 8) !== count) {
    throw zipError("E_ZIP_UNSUPPORTED", path, "it is one part of several");
  }
  return { count, size: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
}

function readEnd64(
  path: string,
  tail: Buffer,
  at: number,
  file: { readonly start: number; readonly read: (offset: number, length: number) => Buffer },
): { readonly offset: number; readonly numbers: EndNumbers } {
  const locator = at - LOCATOR_SIZE;
  if (tail.readUInt32LE(locator + 4) !== 0 || tail.readUInt32LE(locator + 16) > 1) {
    throw zipError("E_ZIP_UNSUPPORTED", path, "it is one part of several");
  }
  const offset = safeNumber(path, tail, locator + 8);
  if (offset + END64_SIZE > file.start + locator) throw zipError("E_ZIP", path, "its zip64 end record is misplaced");
  const record = file.read(offset, END64_SIZE);
  if (record.readUInt32LE(0) !== END64) throw zipError("E_ZIP", path, "its zip64 end record is missing");
  if (offset + 12 + safeNumber(path, record, 4) !== file.start + locator) {
    throw zipError("E_ZIP_AMBIGUOUS", path, "its zip64 end record has the wrong length");
  }
  const count = safeNumber(path, record, 32);
  const isSplit = record.readUInt32LE(16) !== 0 || record.readUInt32LE(20) !== 0;
  if (isSplit || safeNumber(path, record, 24) !== count) {
    throw zipError("E_ZIP_UNSUPPORTED", path, "it is one part of several");
  }
  return { offset, numbers: { count, size: safeNumber(path, record, 40), offset: safeNumber(path, record, 48) } };
}

/** The small record must say the same as the large one, or that a number does not fit. */
function checkAgreement(path: string, narrow: EndNumbers, wide: EndNumbers): void {
  const agrees =
    (narrow.count === 0xffff || narrow.count === wide.count) &&
    (narrow.size === 0xffffffff || narrow.size === wide.size) &&
    (narrow.offset === 0xffffffff || narrow.offset === wide.offset);
  if (!agrees) throw zipError("E_ZIP_AMBIGUOUS", path, "its two end records disagree");
}

/** A 64-bit number that a JavaScript number holds exactly. Throws `E_ZIP`. */
export function safeNumber(path: string, bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (Number.isSafeInteger(value)) return value;
  throw zipError("E_ZIP", path, "a 64-bit size or offset is out of range");
}
