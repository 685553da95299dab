// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeLog } from "./log-format.ts";
import type { LogRecord } from "./log-format.ts";
import { olderLog } from "./log-writer.ts";

/** What part of a log is wanted. */
export interface LogOptions {
  /** Go on with new records until the container has ended. */
  readonly follow?: boolean | undefined;
  /** Only the last so many records of what is there at the start. */
  readonly tail?: number | undefined;
  /** Milliseconds since the epoch, both inclusive. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PIECE = 1 << 16;
const POLL = 100;

/**
 * The records of the log at `path`, oldest first, its older half included; none when there is no log. With `follow`
 * it ends when `isRunning` says no and everything is read, or when `signal` fires. Takes no lock.
 */
export async function* readLog(
  path: string,
  isRunning: () => boolean,
  options: LogOptions = {},
): AsyncGenerator<LogRecord, void, undefined> {
  const file = new GrowingLog(path);
  try {
    for (const record of tailOf(wanted(file.history(), options), options.tail)) yield record;
    while (options.follow && !options.signal?.aborted) {
      const running = isRunning();
      yield* wanted(file.more(), options);
      if (!running || isPast(options.until)) return;
      await sleep(POLL, undefined, { signal: options.signal }).catch(() => undefined);
    }
  } finally {
    file.close();
  }
}

function* wanted(records: Iterable<LogRecord>, options: LogOptions): Generator<LogRecord, void, undefined> {
  for (const record of records) {
    if (options.since !== undefined && record.at < options.since) continue;
    if (options.until !== undefined && record.at > options.until) continue;
    yield record;
  }
}

function tailOf(records: Iterable<LogRecord>, count: number | undefined): Iterable<LogRecord> {
  if (count === undefined || count < 0) return records;
  let last: LogRecord[] = [];
  for (const record of records) {
    last.push(record);
    if (last.length > 2 * count + 1000) last = last.slice(-count);
  }
  return count === 0 ? [] : last.slice(-count);
}

function isPast(until: number | undefined): boolean {
  return until !== undefined && Date.now() > until;
}

/** Reads a log file from where it stopped last time; follows it when the writer starts a new file. */
class GrowingLog {
  readonly #path: string;
  #descriptor: number | undefined;
  #inode = 0;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  *history(): Generator<LogRecord, void, undefined> {
    const older = new GrowingLog(olderLog(this.#path));
    try {
      if (fs.existsSync(olderLog(this.#path))) yield* older.more();
    } finally {
      older.close();
    }
    yield* this.more();
  }

  *more(): Generator<LogRecord, void, undefined> {
    const current = fs.statSync(this.#path, { throwIfNoEntry: false });
    yield* this.#drain();
    if (current && (current.ino !== this.#inode || current.size < this.#position)) {
      this.#open();
      yield* this.#drain();
    }
  }

  #open(): void {
    this.close();
    try {
      this.#descriptor = fs.openSync(this.#path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    } catch {
      return;
    }
    this.#inode = fs.fstatSync(this.#descriptor).ino;
    this.#position = 0;
    this.#rest = Buffer.alloc(0);
  }

  *#drain(): Generator<LogRecord, void, undefined> {
    if (this.#descriptor === undefined) return;
    const piece = Buffer.alloc(PIECE);
    for (;;) {
      const size = fs.readSync(this.#descriptor, piece, 0, PIECE, this.#position);
      if (size === 0) return;
      this.#position += size;
      yield* this.#lines(Buffer.concat([this.#rest, piece.subarray(0, size)]));
    }
  }

  *#lines(data: Buffer): Generator<LogRecord, void, undefined> {
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      const record = decodeLog(data.subarray(start, end));
      if (record) yield record;
      start = end + 1;
    }
    this.#rest = data.subarray(start);
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
