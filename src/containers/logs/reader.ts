// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { logFile, logNumbers } from "./files.ts";
import { decodeLog } from "./format.ts";
import type { LogRecord } from "./format.ts";
import { startOfTail } from "./tail.ts";
import type { LogPlace } from "./tail.ts";

/** What part of a log is wanted. */
export interface LogOptions {
  /** Go on with new records until the container has ended. */
  readonly follow?: boolean | undefined;
  /** Only the last so many lines of what is there at the start; counted before `since` and `until`, as Docker does. */
  readonly tail?: number | undefined;
  /** Milliseconds since the epoch, both inclusive. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PIECE = 1 << 18;
const POLL = 50;

/**
 * The records of the log in `folder` in batches, oldest first; none when there is no log. With `follow` it ends when
 * `isGoingOn` says no and everything is read, or when `signal` fires. Holds one piece of a file in memory. No lock.
 */
export async function* readLog(
  folder: string,
  isGoingOn: () => boolean,
  options: LogOptions = {},
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const log = new GrowingLog(folder, startOf(folder, options));
  const { follow = false, signal } = options;
  try {
    for (;;) {
      // Asked before reading: what was written before the end is read after the answer.
      const goesOn = follow && isGoingOn();
      for (const records of log.more()) {
        const { batch, isPast } = wanted(records, options);
        if (batch.length > 0) yield batch;
        if (isPast || signal?.aborted) return;
      }
      if (!goesOn || signal?.aborted || isOver(options.until)) return;
      await sleep(POLL, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    log.close();
  }
}

function startOf(folder: string, { tail, since }: LogOptions): LogPlace {
  if (tail !== undefined && tail >= 0) return startOfTail(folder, tail);
  const numbers = logNumbers(folder);
  const number = since === undefined ? numbers[0] : numbers.find((one) => lastWrite(folder, one) >= since);
  return { number: number ?? numbers.at(-1) ?? 1, position: 0 };
}

/** A file that was last written before a time holds nothing of after it. */
function lastWrite(folder: string, number: number): number {
  return fs.statSync(logFile(folder, number), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function wanted(
  records: readonly LogRecord[],
  { since, until }: LogOptions,
): { readonly batch: readonly LogRecord[]; readonly isPast: boolean } {
  if (since === undefined && until === undefined) return { batch: records, isPast: false };
  const after = until === undefined ? -1 : records.findIndex((record) => record.at > until);
  const before = after < 0 ? records : records.slice(0, after);
  return { batch: since === undefined ? before : before.filter(({ at }) => at >= since), isPast: after >= 0 };
}

function isOver(until: number | undefined): boolean {
  return until !== undefined && Date.now() > until;
}

/** Reads a log from a place on, file after file, as far as it has been written. */
class GrowingLog {
  readonly #folder: string;
  #number: number;
  #descriptor: number | undefined;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(folder: string, { number, position }: LogPlace) {
    this.#folder = folder;
    this.#number = number;
    this.#position = position;
  }

  /** What has come since the last call. */
  *more(): Generator<readonly LogRecord[], void, undefined> {
    for (;;) {
      // A file is complete when there is a newer one: looked up first, so that nothing is written after the reading.
      const next = logNumbers(this.#folder).find((number) => number > this.#number);
      yield* this.#drain();
      if (next === undefined) return;
      this.close();
      this.#number = next;
      this.#position = 0;
    }
  }

  *#drain(): Generator<readonly LogRecord[], void, undefined> {
    this.#descriptor ??= this.#open();
    if (this.#descriptor === undefined) return;
    for (;;) {
      const block = Buffer.allocUnsafe(this.#rest.length + PIECE);
      this.#rest.copy(block);
      const size = fs.readSync(this.#descriptor, block, this.#rest.length, PIECE, this.#position);
      if (size === 0) return;
      this.#position += size;
      const records = this.#decode(block.subarray(0, this.#rest.length + size));
      if (records.length > 0) yield records;
    }
  }

  #decode(block: Buffer): readonly LogRecord[] {
    const records: LogRecord[] = [];
    let start = 0;
    for (let end = block.indexOf(10); end >= 0; end = block.indexOf(10, start)) {
      const record = decodeLog(block, start, end);
      if (record) records.push(record);
      start = end + 1;
    }
    this.#rest = block.subarray(start);
    return records;
  }

  /** Undefined when there is no such file: deleted as the oldest, or not made yet. */
  #open(): number | undefined {
    try {
      const { O_RDONLY, O_NOFOLLOW } = fs.constants;
      return fs.openSync(logFile(this.#folder, this.#number), O_RDONLY | O_NOFOLLOW);
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
