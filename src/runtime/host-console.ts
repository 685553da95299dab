// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess, StdioOptions } from "node:child_process";
import * as fs from "node:fs";
import { linux } from "../base/index.ts";

/**
 * Starts a runtime's process. runc gives a container a terminal only when one of its own streams is one; where none is
 * (`-t` in a pipeline or a cron job) it gets one as its standard input that nobody types on.
 */
export function spawnWithConsole(
  stdio: readonly ("inherit" | "pipe" | "ignore")[],
  terminal: boolean,
  start: (stdio: StdioOptions) => ChildProcess,
): ChildProcess {
  const [input, ...rest] = stdio;
  if (!terminal || input !== "ignore" || (rest[0] === "inherit" && process.stdout.isTTY)) return start([...stdio]);
  const { master, slave } = linux.openTerminal();
  const release = (): void => fs.closeSync(master);
  try {
    const child = start([slave, ...rest]);
    child.once("close", release);
    return child;
  } catch (error) {
    release();
    throw error;
  } finally {
    fs.closeSync(slave);
  }
}
