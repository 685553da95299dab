// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "./errors.ts";
import { flock } from "./linux-files.ts";

const FIRST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 100;

/**
 * Runs `task` while nobody else, in this process or another, runs one under the same path; waits for those that do.
 * The lock is the kernel's (flock) and ends with the process; its file is removed at the end. Elsewhere than on Linux
 * there is none. Throws `E_ABORTED` while it waits.
 */
export async function withFileLock<T>(
  path: string,
  task: () => T | Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  if (process.platform !== "linux") return await task();
  const descriptor = await locked(path, signal);
  try {
    return await task();
  } finally {
    fs.rmSync(path, { force: true });
    fs.closeSync(descriptor);
  }
}

async function locked(path: string, signal: AbortSignal): Promise<number> {
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(LONGEST_LOOK_MS, pause * 2)) {
    if (signal.aborted) throw new TareError("E_ABORTED", `waiting for \`${path}\`: interrupted`, { exitCode: 130 });
    const descriptor = tryLock(path);
    if (descriptor !== undefined) return descriptor;
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** The one that had it may have removed the file since it was opened here: then the lock is on nothing. */
function tryLock(path: string): number | undefined {
  const descriptor = fs.openSync(path, "a", 0o644);
  try {
    if (flock(descriptor, { kind: "exclusive", wait: false }) && isStillAt(path, descriptor)) return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
  fs.closeSync(descriptor);
  return undefined;
}

function isStillAt(path: string, descriptor: number): boolean {
  const [opened, named] = [fs.fstatSync(descriptor), fs.statSync(path, { throwIfNoEntry: false })];
  return opened.ino === named?.ino && opened.dev === named.dev;
}
