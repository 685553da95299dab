// SPDX-License-Identifier: Apache-2.0
import { processIds, readProcess } from "./process-identity.ts";
import { signalProcess } from "./signal-process.ts";

/**
 * Kills what a dead supervisor has left on the way to start or watch the container with this bundle folder: the mount
 * step, the OCI runtime, conmon. Otherwise they could go on and start it after it has been cleared up. Only programs
 * with `--bundle FOLDER` on their command line are meant, so nobody's `tare logs ID` is hit. Returns their pids.
 */
export function killStarters(folder: string): readonly number[] {
  const starters = processIds().filter((pid) => isStarter(commandLine(pid), folder));
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
  if (isStarter(commandLine(process.ppid), folder)) signalProcess(process.ppid, "SIGKILL");
}

function commandLine(pid: number): string {
  return readProcess(pid, "cmdline") ?? "";
}
