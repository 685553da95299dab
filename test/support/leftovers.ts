// SPDX-License-Identifier: Apache-2.0
/* What commands leave on this host: mounts, processes, control groups, network namespaces, files. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allPids, commandLine, textOf } from "./processes.ts";
import type { ProgramWorld } from "./program.ts";

/** The state of the host before a test, and what has come since and stays. */
export class Leftovers {
  readonly #world: ProgramWorld;
  readonly #marker: string;
  readonly #before: ReadonlySet<string>;

  /** `marker`: text in the environment or the command line of every process that the test starts in a container. */
  constructor(world: ProgramWorld, marker: string) {
    this.#world = world;
    this.#marker = marker;
    this.#before = new Set(hostState());
  }

  /** Waits up to `seconds` for everything to go; returns what does not. */
  async after(seconds = 10): Promise<readonly string[]> {
    const end = Date.now() + seconds * 1000;
    let left = this.#now();
    // What others start and end meanwhile is not counted: only what stays for the whole time is.
    while (left.length > 0 && Date.now() < end) {
      await sleep(100);
      const now = new Set(this.#now());
      left = left.filter((line) => now.has(line));
    }
    return left;
  }

  #now(): readonly string[] {
    const { folder, root } = this.#world;
    const runRoot = this.#world.runRoot();
    const mounts = textOf("/proc/self/mountinfo").split("\n");
    return [
      ...hostState().filter((line) => !this.#before.has(line)),
      ...mounts.filter((line) => [folder, runRoot].some((path) => line.includes(path))),
      ...processes([this.#marker, root, runRoot]),
      ...[join(root, "v1/tmp"), join(folder, "tmp"), join(runRoot, "build"), join(runRoot, "runtime")].flatMap(namesIn),
    ];
  }
}

/** Control groups, and network namespaces that a mount keeps; others end with their processes. */
function hostState(): readonly string[] {
  const groups = spawnSync("find", ["/sys/fs/cgroup", "-maxdepth", "4", "-type", "d", "-path", "*/tare/*"]);
  const mounts = textOf("/proc/self/mountinfo").split("\n");
  return [
    // Groups with processes are those of others; ours are found by their marker.
    ...lines(groups.stdout)
      .filter((line) => textOf(join(line, "cgroup.procs")) === "")
      .map((line) => `control group ${line}`),
    ...mounts.filter((line) => line.includes(" net:[")).map((line) => `network namespace ${line}`),
  ];
}

function lines(output: Buffer): readonly string[] {
  return output.toString().split("\n").filter(Boolean);
}

/** Processes, other than this one, with one of the texts in the command line or the environment. */
function processes(texts: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const pid of allPids()) {
    const command = commandLine(pid);
    const all = command + textOf(`/proc/${pid}/environ`);
    if (texts.some((text) => all.includes(text))) found.push(`process ${pid} ${command.replaceAll("\0", " ")}`);
  }
  return found;
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
