// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execute, readTextIfPresent, removeTree } from "../base/index.ts";
import { cgroupDirectories } from "./cgroup.ts";
import type { OciRuntime } from "./find.ts";
import { launchEnvironment } from "./overlay.ts";
import { runtimeCommand } from "./task.ts";

/**
 * Removes whatever a container left, in whatever state it is: its processes (SIGKILL), its control groups, the runtime's
 * record. Doing it for a container that is gone is no error, and cheap. `cgroupsPath` as in the container's spec. False
 * when the kernel still holds a control group after ten seconds: the caller keeps what it needs to try again.
 */
export async function cleanupContainer(
  runtime: OciRuntime,
  stateRoot: string,
  id: string,
  cgroupsPath?: string,
): Promise<boolean> {
  const record = join(stateRoot, id);
  if (existsSync(record)) {
    const [program = "", ...global] = runtimeCommand(runtime, stateRoot);
    await execute(program, [...global, "delete", "--force", id], { env: launchEnvironment(undefined) });
  }
  return forgetContainer(stateRoot, id, cgroupsPath);
}

/** Removes the record and the control groups of a container that has ended, without a call of the runtime. */
export async function forgetContainer(stateRoot: string, id: string, cgroupsPath?: string): Promise<boolean> {
  const isGone = cgroupsPath === undefined || (await removeCgroups(cgroupsPath));
  removeTree(join(stateRoot, id));
  return isGone;
}

/** Whether the kernel has killed a process of this control group for lack of memory. */
export function wasOutOfMemory(cgroupsPath: string): boolean {
  return directoriesOf(cgroupsPath).some((directory) => {
    const text = ["memory.events", "memory.oom_control"].map((name) => readTextIfPresent(join(directory, name)) ?? "");
    return /^oom_kill [1-9]/m.test(text.join("\n"));
  });
}

/**
 * Kills what is in the control groups and removes them, deepest first. A dead process that init has not collected yet
 * keeps its group; waits up to ten seconds for that.
 */
async function removeCgroups(cgroupsPath: string): Promise<boolean> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const left = directoriesOf(cgroupsPath).filter((directory) => !removeCgroup(directory));
    if (left.length === 0) return true;
    await sleep(20);
  }
  return false;
}

function directoriesOf(cgroupsPath: string): string[] {
  if (!/^\/[^/].*$/.test(cgroupsPath) || cgroupsPath.split("/").includes("..")) return [];
  return cgroupDirectories(cgroupsPath, readFileSync("/proc/self/mountinfo", "utf8")).filter((path) =>
    existsSync(path),
  );
}

function removeCgroup(directory: string): boolean {
  try {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (statSync(path).isDirectory()) removeCgroup(path);
    }
    thaw(directory);
    for (const pid of readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n")) kill(Number(pid));
    rmdirSync(directory);
    return true;
  } catch {
    return !existsSync(directory);
  }
}

/** Frozen processes of a v1 group would not die of a signal; a v2 group dies frozen or not. */
function thaw(directory: string): void {
  const state = join(directory, "freezer.state");
  if (existsSync(state)) writeFileSync(state, "THAWED");
}

function kill(pid: number): void {
  if (!Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already, which is what we want.
  }
}
