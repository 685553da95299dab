// SPDX-License-Identifier: Apache-2.0
/*
 * Where the last N lines of a log begin, found from its end: pieces are read backwards and their records counted, so that
 * the time taken depends on N and not on the log. A line ends with an F record, or with the P record after which its
 * stream has nothing (an unfinished line).
 */
import * as fs from "node:fs";
import { logFile, logNumbers } from "./files.ts";
import { decodeLog } from "./format.ts";

/** A place in a log. */
export interface LogPlace {
  readonly number: number;
  /** Bytes from the beginning of that file. */
  readonly position: number;
}

const PIECE = 1 << 16;
const NEWLINE = 10;

/** The place from which the last `count` lines are read. */
export function startOfTail(folder: string, count: number): LogPlace {
  const numbers = logNumbers(folder);
  const lines = new LineCounter(count);
  for (const number of numbers.toReversed()) {
    const position = countInFile(logFile(folder, number), lines);
    if (position !== undefined) return { number, position };
  }
  return { number: numbers[0] ?? 1, position: 0 };
}

/** Counts the line ends of records that come in backwards. */
class LineCounter {
  readonly #wanted: number;
  #count = 0;
  readonly #seen = new Set<1 | 2>();

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** True when this record ends a line that is no longer wanted. */
  isBefore(block: Buffer, start: number, end: number): boolean {
    const record = decodeLog(block, start, end);
    if (!record) return false;
    const isEnd = record.data.at(-1) === NEWLINE || !this.#seen.has(record.stream);
    if (!isEnd) return false;
    if (this.#count === this.#wanted) return true;
    this.#seen.add(record.stream);
    this.#count += 1;
    return false;
  }
}

/** The position after the first record from the end that is not wanted; undefined when all of the file is. */
function countInFile(path: string, lines: LineCounter): number | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    return countBackwards(descriptor, lines);
  } finally {
    fs.closeSync(descriptor);
  }
}

function countBackwards(descriptor: number, lines: LineCounter): number | undefined {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = fs.fstatSync(descriptor).size; at > 0;) {
    const size = Math.min(PIECE, at);
    at -= size;
    const block = Buffer.allocUnsafe(size + rest.length);
    const read = fs.readSync(descriptor, block, 0, size, at);
    if (read < size) return undefined;
    rest.copy(block, size);
    const { position, begin } = countInBlock(block, at === 0, lines);
    if (position !== undefined) return at + position;
    rest = block.subarray(0, begin);
  }
  return undefined;
}

/** `begin`: where the first whole record of the block starts; what is before it belongs to the piece before. */
function countInBlock(
  block: Buffer,
  isFirst: boolean,
  lines: LineCounter,
): { readonly position?: number; readonly begin: number } {
  let end = block.lastIndexOf(NEWLINE);
  for (;;) {
    if (end < 0) return { begin: block.length };
    const before = end === 0 ? -1 : block.lastIndexOf(NEWLINE, end - 1);
    if (before < 0 && !isFirst) return { begin: end + 1 };
    if (lines.isBefore(block, before + 1, end)) return { position: end + 1, begin: 0 };
    if (before < 0) return { begin: 0 };
    end = before;
  }
}
