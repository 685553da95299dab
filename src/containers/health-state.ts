// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of a container's health, from the files that its watcher writes:
 *
 *     containers/<id>/health/
 *       watcher.json         who carries the checks out
 *       status               "<status> <failures in a row> <number of checks>", replaced by rename
 *       result-<number>      the last five: "<begin> <end> <exit code>" in a line, then the output's first 4096 bytes
 *       process.json         the process of a check, for the runtime
 *       pid log output next pipe   of the check that is going on
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTextIfPresent } from "../base/index.ts";
import { namesIn } from "./folder-names.ts";

/** Docker's words. */
export type HealthStatus = "starting" | "healthy" | "unhealthy";

/** One check. Times in milliseconds since the epoch. */
export interface HealthResult {
  readonly start: number;
  readonly end: number;
  /** -1: it took too long, or could not be started. */
  readonly exitCode: number;
  readonly output: string;
}

/** The status and the failures in a row. A container that has not been checked yet is starting. */
export function readHealthStatus(folder: string): { readonly status: HealthStatus; readonly failingStreak: number } {
  const [word, streak] = (readTextIfPresent(join(folder, "status")) ?? "").split(" ");
  const status = word === "healthy" || word === "unhealthy" ? word : "starting";
  return { status, failingStreak: Number.parseInt(streak ?? "0", 10) || 0 };
}

/** The last five checks, oldest first. */
export function readHealthResults(folder: string): readonly HealthResult[] {
  const names = namesIn(folder).filter((name) => /^result-\d+$/.test(name));
  return names
    .toSorted()
    .slice(-5)
    .flatMap((name) => readResult(join(folder, name)));
}

/** One that its watcher has just deleted is none. */
function readResult(path: string): readonly HealthResult[] {
  try {
    const text = readFileSync(path, "utf8");
    const line = text.indexOf("\n");
    const [start = 0, end = 0, exitCode = -1] = text.slice(0, line).split(" ").map(Number);
    return [{ start, end, exitCode, output: text.slice(line + 1) }];
  } catch {
    return [];
  }
}
