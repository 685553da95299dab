// SPDX-License-Identifier: Apache-2.0
/* Programs of the system that make networks, and those of them that go on by themselves. */
import * as fs from "node:fs";
import { readTextIfPresent } from "../base/index.ts";

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Search path and language of the programs. */
export const TOOL_ENVIRONMENT: Readonly<Record<string, string>> = { PATH: SEARCH_PATH, LC_ALL: "C" };

/** Whether a program is where it would be started from. */
export function isInstalled(program: string): boolean {
  return SEARCH_PATH.split(":").some((folder) => fs.existsSync(`${folder}/${program}`));
}

/** The process that a file of pids names, while it has `word` on its command line: a pid is used again by others. */
export function processOf(pidFile: string, word: string): number | undefined {
  const pid = Number.parseInt(readTextIfPresent(pidFile) ?? "", 10);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return readOfProcess(pid, "cmdline").includes(`\0${word}\0`) ? pid : undefined;
}

/** A file of a process; empty when it has ended or is another user's. */
export function readOfProcess(pid: number | string, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Sends a signal; false when there is no such process (any more). */
export function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, name);
  } catch {
    return false;
  }
}
