// SPDX-License-Identifier: Apache-2.0
/*
 * A log is a folder of numbered files, the highest the newest:
 *
 *     logs/000000041  logs/000000042  …
 *
 * A file gets its number once and is never renamed, so that a reader who knows a number knows where to go on. One writer
 * at a time appends to the newest and begins the next when it is full; the oldest are deleted.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../../base/index.ts";

/** Digits of a file's name. */
export const LOG_DIGITS = 9;

/** Path of a log's file by number. */
export function logFile(folder: string, number: number): string {
  return join(folder, String(number).padStart(LOG_DIGITS, "0"));
}

/** Numbers of the files of a log, oldest first; none when there is no log. */
export function logNumbers(folder: string): readonly number[] {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => /^\d{9}$/.test(name))
      .map(Number)
      .toSorted((a, b) => a - b);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/**
 * Makes the folder ready for a writer that begins a new file: the number to begin with. The two newest files become one
 * while they fit into one, so that a container that is started often and says little keeps all it said. A kill in the
 * middle leaves the older of the two twice, never neither.
 */
export function nextLogNumber(folder: string, size: number): number {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const numbers = logNumbers(folder);
  const [older, newest] = numbers.slice(-2);
  if (older !== undefined && newest !== undefined) joinFiles(folder, { older, newest, size });
  return (numbers.at(-1) ?? 0) + 1;
}

function joinFiles(
  folder: string,
  { older, newest, size }: { readonly older: number; readonly newest: number; readonly size: number },
): void {
  const [first, second] = [logFile(folder, older), logFile(folder, newest)];
  if (fs.statSync(first).size + fs.statSync(second).size > size) return;
  const together = join(folder, "joined");
  fs.writeFileSync(together, Buffer.concat([fs.readFileSync(first), fs.readFileSync(second)]), { mode: 0o600 });
  fs.renameSync(together, second);
  fs.rmSync(first);
}

/** Deletes the oldest files so that at most `keep` are left. */
export function dropOldLogs(folder: string, keep: number): void {
  const numbers = logNumbers(folder);
  for (const number of numbers.slice(0, Math.max(0, numbers.length - keep))) {
    fs.rmSync(logFile(folder, number), { force: true });
  }
}

/** Whether a process still takes output from the pipe and writes it to files. */
export function isBeingWritten(pipe: string): boolean {
  try {
    fs.closeSync(fs.openSync(pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
    return true;
  } catch {
    // ENXIO: nobody reads from it. ENOENT: there never was one.
    return false;
  }
}
