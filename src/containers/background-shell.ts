// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { callerEnvironment } from "../base/index.ts";

/**
 * Runs a script of ours with positional arguments, as a process that leads its own group and outlives this one. Returns
 * at once: its pid, 0 when there is no shell.
 */
export function launchShell(script: string, words: readonly string[]): number {
  const child = spawn("sh", ["-c", script, "sh", ...words], {
    cwd: "/",
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C",
      ...callerEnvironment(),
    },
    stdio: "ignore",
    detached: true,
  });
  child.on("error", () => undefined);
  child.unref();
  return child.pid ?? 0;
}
