// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { signalProcess } from "./signal-process.ts";

/**
 * Kills what a dead supervisor has left on the way to start or watch the container with this bundle folder: the mount
 * step, the OCI runtime, conmon. Otherwise they could go on and start it after it has been cleared up. Only programs
 * with `--bundle FOLDER` on their command line are meant, so nobody's `tare logs ID` is hit. Returns their pids.
 */
export function killStarters(folder: string): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const starters = pids.filter((pid) => isStarter(commandLine(pid), folder)).map(Number);
  for (const pid of starters) signalProcess(pid, "SIGKILL");
  return starters;
}

/** Words of a command line as `/proc/<pid>/cmdline` has them, each ended by NUL. */
export function isStarter(words: string, folder: string): boolean {
  return words.includes(`\0--bundle\0${folder}\0`);
}

/**
 * Ends the conmon whose exit command this process is. It has written the exit code and closed the log by then, and would
 * stay for as long as anything lives that its exit command has left behind.
 */
export function endWatcher(folder: string): void {
  if (isStarter(commandLine(String(process.ppid)), folder)) signalProcess(process.ppid, "SIGKILL");
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
