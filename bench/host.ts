// SPDX-License-Identifier: Apache-2.0
/** What benchmarks ask of the host, and how they tell. */
import { spawnSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { finished } from "./measure.ts";

/** Processors, memory and kernel, in one line. */
export function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, ${memory} GiB, Linux ${release()}`;
}

/** Whether a program is in the search path. */
export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** What a program prints first. Throws when it fails. */
export function firstLine(program: string, ...words: readonly string[]): string {
  return finished({ program, words }).output.trim().split("\n")[0] ?? "";
}

/** A line of progress on the standard error, with the time. */
export function note(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
