// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { writeAll } from "../base/index.ts";
import type { LogLimits } from "../options/index.ts";
import { dropOldLogs, logFile, logNumbers } from "./log-files.ts";
import { encodeLog } from "./log-format.ts";
import type { LogRecord } from "./log-format.ts";

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
    let rest = lines;
    while (rest.length > 0) {
      const room = this.#limits.size - this.#size;
      const fitting = room < rest.length && room > 0 ? rest.lastIndexOf(NEWLINE, room - 1) + 1 : rest.length;
      const whole = Math.min(fitting || rest.indexOf(NEWLINE) + 1, rest.length);
      yield rest.subarray(0, whole);
      rest = rest.subarray(whole);
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
