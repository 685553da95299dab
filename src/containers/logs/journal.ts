// SPDX-License-Identifier: Apache-2.0
/* The log of a container whose output conmon sends to systemd's journal, read by `journalctl`. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createInterface } from "node:readline";
import { TareError, startFailure } from "../../base/index.ts";
import type { LogRecord } from "./format.ts";
import type { LogOptions } from "./reader.ts";

const SOCKET = "/run/systemd/journal/socket";

/** Throws `E_UNSUPPORTED` where no journal takes messages. */
export function requireJournal(): void {
  if (fs.existsSync(SOCKET)) return;
  throw new TareError("E_UNSUPPORTED", `using the log driver \`journald\`: systemd-journald does not run here`, {
    hint: `it would listen at ${SOCKET}; \`--log-driver json-file\` keeps the log in files`,
    exitCode: 125,
  });
}

/** The records of a container in the journal, as `readLog`; `follow` ends when `isGoingOn` says no. */
export async function* readJournal(
  id: string,
  isGoingOn: () => boolean,
  options: LogOptions,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const child = spawn("journalctl", journalArguments(id, options), { stdio: ["ignore", "pipe", "ignore"] });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once("error", (error) => reject(startFailure("journalctl", error)));
  });
  failed.catch(() => undefined);
  const end = (): void => void child.kill();
  options.signal?.addEventListener("abort", end, { once: true });
  const timer = options.follow === true ? setInterval(() => void (isGoingOn() || end()), 500) : undefined;
  try {
    if (child.pid === undefined) await failed;
    for await (const line of createInterface({ input: child.stdout })) {
      const record = journalRecord(line);
      if (record) yield [record];
    }
  } finally {
    clearInterval(timer);
    options.signal?.removeEventListener("abort", end);
    end();
  }
}

function journalArguments(id: string, { follow, tail, since, until }: LogOptions): string[] {
  const moment = (at: number): string => `@${(at / 1000).toFixed(6)}`;
  return [
    "--output=json",
    "--all",
    "--quiet",
    ...(follow === true ? ["--follow"] : []),
    `--lines=${tail === undefined || tail < 0 ? "all" : tail}`,
    ...(since === undefined ? [] : [`--since=${moment(since)}`]),
    ...(until === undefined ? [] : [`--until=${moment(until)}`]),
    `CONTAINER_ID_FULL=${id}`,
  ];
}

const ERROR_PRIORITY = "3";

/**
 * A line of `journalctl -o json` as conmon writes it: standard error has the priority 3, a part of a line is marked, and
 * text that is not UTF-8 is an array of bytes. Undefined for anything else.
 */
export function journalRecord(line: string): LogRecord | undefined {
  const entry = parseEntry(line);
  const { MESSAGE: message, __REALTIME_TIMESTAMP: time } = entry;
  const text = typeof message === "string" ? Buffer.from(message) : bytesOf(message);
  if (text === undefined || typeof time !== "string" || !/^\d+$/.test(time)) return undefined;
  const isPart = entry["CONTAINER_PARTIAL_MESSAGE"] === "true";
  const at = Number(time) / 1000;
  return {
    stream: entry["PRIORITY"] === ERROR_PRIORITY ? 2 : 1,
    at,
    timestamp: new Date(Math.floor(at)).toISOString().replace(/\d{3}Z$/, `${time.slice(-6)}000Z`),
    data: isPart ? text : Buffer.concat([text, Buffer.from("\n")]),
  };
}

function parseEntry(line: string): Readonly<Record<string, unknown>> {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? { ...entry } : {};
  } catch {
    return {};
  }
}

function bytesOf(value: unknown): Buffer | undefined {
  if (!Array.isArray(value)) return undefined;
  const bytes = value.filter((byte: unknown): byte is number => typeof byte === "number");
  return Buffer.from(bytes);
}
