// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { writeAll } from "../../base/index.ts";
import type { LogLimits } from "../../options/index.ts";
import { dropOldLogs, logFile, logNumbers } from "./files.ts";
import { encodeLog } from "./format.ts";
import type { LogRecord } from "./format.ts";

/** Appends a foreground container's output to its log. Not synced: a power cut may lose the last seconds. */
export class LogWriter {
  readonly #folder: string;
  readonly #limits: LogLimits;
  #number: number;
  #descriptor: number;
  #size: number;

  /** Opens (or goes on with) the log in `folder`; `close` ends it. */
  constructor(folder: string, limits: LogLimits) {
    this.#folder = folder;
    this.#limits = limits;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#number = logNumbers(folder).at(-1) ?? 1;
    this.#descriptor = this.#open();
    this.#size = fs.fstatSync(this.#descriptor).size;
  }

  /** Writes one piece of output. A full disk loses log lines, never the program's output. */
  write(stream: LogRecord["stream"], data: Buffer, at: Date = new Date()): void {
    const lines = encodeLog(stream, data, at);
    try {
      for (const part of this.#parts(lines)) {
        if (this.#size > 0 && this.#size + part.length > this.#limits.size) this.#rotate();
        writeAll(this.#descriptor, part);
        this.#size += part.length;
      }
    } catch {
      this.#size = fs.fstatSync(this.#descriptor).size;
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  /** What fits into the file, cut after a line, and the rest in pieces that do. */
  *#parts(lines: Buffer): Generator<Buffer, void, undefined> {
    const { size } = this.#limits;
    for (let rest = lines; rest.length > 0;) {
      // A line that is longer than a file gets one of its own.
      const length = linesIn(rest, size - this.#size) || linesIn(rest, size) || rest.indexOf(NEWLINE) + 1;
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }

  #rotate(): void {
    this.#number += 1;
    const next = this.#open();
    fs.closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = 0;
    dropOldLogs(this.#folder, this.#limits.files);
  }

  #open(): number {
    return fs.openSync(logFile(this.#folder, this.#number), "a", 0o600);
  }
}

const NEWLINE = 10;

/** Bytes of the whole lines at the beginning that fit into `room`. */
function linesIn(lines: Buffer, room: number): number {
  if (lines.length <= room) return lines.length;
  return room > 0 ? lines.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
}
