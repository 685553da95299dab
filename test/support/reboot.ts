// SPDX-License-Identifier: Apache-2.0
/* What a reboot does to a store, without one. */
import * as fs from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ProgramWorld } from "./program.ts";

const OLD_BOOT = "00000000-0000-4000-8000-000000000000";

/** Kills every process of the store, forgets its run-time files, and dates all processes in its records to another boot. */
export function rebootWorld(world: ProgramWorld): void {
  const runRoot = world.runRoot();
  for (let round = 0; round < 5; round += 1) killAll([world.root, runRoot]);
  fs.rmSync(runRoot, { recursive: true, force: true });
  const database = new DatabaseSync(join(world.root, "v1/state.db"), { timeout: 5000 });
  const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables) {
    if (name === "documents") {
      database.prepare("UPDATE documents SET value = replace(value, ?, ?)").run(boot, OLD_BOOT);
    }
    if (name === "claims") database.exec("DELETE FROM claims");
  }
  database.close();
}

/** conmon first, then what it watches: its exit command must not run. */
function killAll(texts: readonly string[]): void {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const linesOf = (pid: string): string => read(`/proc/${pid}/cmdline`) + read(`/proc/${pid}/environ`);
  const ours = pids.filter((pid) => texts.some((text) => linesOf(pid).includes(text)));
  const groups = ours.flatMap((pid) => pidsOfGroup(pid));
  for (const pid of [...ours, ...groups]) kill(Number(pid));
  const inits = fs.globSync(join(texts[0] ?? "", "v1/containers/*/pid")).map((path) => Number(read(path)));
  for (const pid of inits) if (read(`/proc/${pid}/cgroup`).includes("/tare/")) kill(pid);
}

function pidsOfGroup(pid: string): readonly string[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
}

function kill(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, "SIGKILL");
  } catch {
    return;
  }
}

function read(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
