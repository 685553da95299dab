// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { writeAll } from "../base/index.ts";
import { encodeLog } from "./log-format.ts";
import type { LogRecord } from "./log-format.ts";

/** Largest log file in bytes; at most one older file of the same size is kept beside it. */
export const LOG_LIMIT: number = 10 * 1024 * 1024;

/** Name of the older half of a log. */
export function olderLog(path: string): string {
  return `${path}.1`;
}

/** Appends a foreground container's output to its log. Not synced: a power cut may lose the last seconds. */
export class LogWriter {
  readonly #path: string;
  readonly #limit: number;
  #descriptor: number;
  #size: number;

  /** Opens (or goes on with) the log at `path`; `close` ends it. */
  constructor(path: string, limit: number = LOG_LIMIT) {
    this.#path = path;
    this.#limit = limit;
    this.#descriptor = fs.openSync(path, "a", 0o600);
    this.#size = fs.fstatSync(this.#descriptor).size;
  }

  /** Writes one piece of output. A full disk loses log lines, never the program's output. */
  write(stream: LogRecord["stream"], data: Buffer, at: Date = new Date()): void {
    const lines = encodeLog(stream, data, at);
    try {
      if (this.#size > 0 && this.#size + lines.length > this.#limit) this.#rotate();
      writeAll(this.#descriptor, lines);
      this.#size += lines.length;
    } catch {
      this.#size = fs.fstatSync(this.#descriptor).size;
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #rotate(): void {
    fs.renameSync(this.#path, olderLog(this.#path));
    const next = fs.openSync(this.#path, "a", 0o600);
    fs.closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = 0;
  }
}
