// SPDX-License-Identifier: Apache-2.0
/* Processes of this host, which may be gone at any moment. */
import * as fs from "node:fs";

/** All but this one. */
export function allPids(): readonly number[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** SIGKILL; one that is gone already is no error, and the first of all is left alone. */
export function killNow(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, "SIGKILL");
  } catch {
    return;
  }
}

/** A file's text; empty when it is gone. */
export function textOf(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The words of a process's command line, each with a NUL after it; empty when it is gone. */
export function commandLine(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`);
}
