// SPDX-License-Identifier: Apache-2.0
/*
 * What happened to containers, images, volumes and networks, one JSON object a line, written by the commands that did
 * it. `events` is appended to; when it is full it becomes `events.1`. Nothing depends on it: a line that could not be
 * written is lost, a torn one is skipped.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Effects } from "./effects.ts";
import { parseObject } from "./layer-facts.ts";

/** Something that happened, in Docker's words. */
export interface StoreEvent {
  /** `container`, `image`, `volume`, `network`. */
  readonly type: string;
  /** `start`, `exec_die`. */
  readonly action: string;
  /** Of what it happened to. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch, in decimal digits. */
  readonly time: string;
}

/** What part of the events is wanted. */
export interface EventRange {
  /** Milliseconds since the epoch, both inclusive. Without `since`, what comes from now on. */
  readonly since?: number | undefined;
  /** Absent: for ever. */
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The events of a store. */
export interface EventJournal {
  /** Adds an event, in less than a millisecond. Never throws: what it tells of has happened. */
  record(event: Omit<StoreEvent, "time">): void;
  /** Events as they come, oldest first. Takes no lock. */
  read(range: EventRange): AsyncGenerator<StoreEvent, void, undefined>;
}

/** At most twice as much is kept: about 20,000 events. */
const LIMIT = 2 * 1024 * 1024;
const POLL = 50;

/** The journal of the store in `root`. Touches nothing. */
export function eventJournal(root: string, effects: Effects, readonly: boolean): EventJournal {
  const path = join(root, "events");
  return {
    record: (event) => {
      if (!readonly) append(path, effects, `${JSON.stringify({ ...event, time: nanoseconds() })}\n`);
    },
    read: (range) => readEvents(path, range),
  };
}

function append(path: string, effects: Effects, line: string): void {
  try {
    effects.append("events.write", path, line);
    // Two at once may both find it full; then the second moves a nearly empty file, and older events are lost early.
    if (fs.statSync(path).size > LIMIT) effects.rename("events.rotate", path, `${path}.1`);
  } catch {
    // A full disk must not fail a command that has done its work.
  }
}

/** To the microsecond. */
function nanoseconds(): string {
  return `${Math.round((performance.timeOrigin + performance.now()) * 1000)}000`;
}

async function* readEvents(path: string, range: EventRange): AsyncGenerator<StoreEvent, void, undefined> {
  const { since = Date.now(), until = Infinity, signal } = range;
  const files = openFiles(path);
  try {
    for (;;) {
      const isLast = Date.now() > until;
      for (const event of files.flatMap((file) => file.more())) {
        const at = Number(event.time) / 1e6;
        if (at >= since && at <= until) yield event;
      }
      if (isLast || signal?.aborted) return;
      if (files.at(-1)?.isMoved() === true) files.push(new EventFile(path));
      while (files.length > 2) files.shift()?.close();
      await sleep(POLL, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    for (const file of files) file.close();
  }
}

/** The older file is of interest only at the beginning: what is moved there later has been read. */
function openFiles(path: string): EventFile[] {
  const current = new EventFile(path);
  current.open();
  const older = new EventFile(`${path}.1`);
  older.open();
  // Moved between the two: then it is the same.
  return older.isOpen && !older.isSame(current) ? [older, current] : [current];
}

/** A file of events that grows until it is moved away. */
class EventFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    this.#descriptor ??= openIfPresent(this.#path);
  }

  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  isSame(other: EventFile): boolean {
    return this.#inode !== undefined && this.#inode === other.#inode;
  }

  get #inode(): number | undefined {
    return this.#descriptor === undefined ? undefined : fs.fstatSync(this.#descriptor).ino;
  }

  /** What has been written since the last call. */
  more(): readonly StoreEvent[] {
    this.open();
    if (this.#descriptor === undefined) return [];
    const lines = (this.#rest + fs.readFileSync(this.#descriptor, "utf8")).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => parseEvent(line) ?? []);
  }

  /** Whether the path now names another file. */
  isMoved(): boolean {
    return this.isOpen && fs.statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode;
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch {
    return undefined;
  }
}

function parseEvent(line: string): StoreEvent | undefined {
  const fields = parseObject(line);
  return fields !== undefined && isEvent(fields) ? fields : undefined;
}

function isEvent(fields: Readonly<Record<string, unknown>>): fields is Readonly<Record<string, unknown>> & StoreEvent {
  const isText = (name: string): boolean => typeof fields[name] === "string";
  return ["type", "action", "id", "time"].every(isText) && typeof fields["attributes"] === "object";
}
