// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";
import { isRootless, readTextIfPresent, startTimeOfStat } from "../base/index.ts";

/** One process of one boot: a pid alone is used again by the kernel. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot (proc(5), `stat` field 22). */
  readonly startTime: string;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/** How processes are looked at; a test gives its own. */
export interface ProcessTable {
  bootId(): string;
  /** Start time of a process that is alive (a zombie is not), else undefined. */
  startTime(pid: number): string | undefined;
  /**
   * What ties a process to its container: its control groups, in a user namespace without them its mounts too. Empty
   * when it is gone.
   */
  cgroup(pid: number): string;
  /** Its command line, each word ended by NUL; empty when it is gone. */
  words(pid: number): string;
}

/** The kernel's process table. */
export function linuxProcesses(): ProcessTable {
  let boot: string | undefined;
  return {
    bootId: () => (boot ??= (readTextIfPresent("/proc/sys/kernel/random/boot_id") ?? "").trim()),
    startTime: (pid) => startTimeOfStat(readProcess(pid, "stat")),
    cgroup: (pid) => [readProcess(pid, "cgroup"), isRootless() ? readProcess(pid, "mountinfo") : ""].join("\n"),
    words: (pid) => readProcess(pid, "cmdline") ?? "",
  };
}

/** A file of a process in /proc; undefined when it is gone. Reading gives ESRCH when it ends between open and read. */
export function readProcess(pid: number, name: string): string | undefined {
  try {
    return readTextIfPresent(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

/** All processes that this one sees. */
export function processIds(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Who a live process is; undefined when there is none with that pid. */
export function identify(pid: number, processes: ProcessTable): ProcessIdentity | undefined {
  const startTime = processes.startTime(pid);
  return startTime === undefined ? undefined : { pid, startTime, bootId: processes.bootId() };
}

/** True while exactly this process (not a later one with its pid) runs. */
export function isAlive(process: ProcessIdentity, processes: ProcessTable): boolean {
  return process.bootId === processes.bootId() && processes.startTime(process.pid) === process.startTime;
}
