// SPDX-License-Identifier: Apache-2.0
/* What a reboot does to a store, without one. */
import * as fs from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { allPids, killNow, textOf } from "./processes.ts";
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
  const linesOf = (pid: number): string => textOf(`/proc/${pid}/cmdline`) + textOf(`/proc/${pid}/environ`);
  const ours = allPids().filter((pid) => texts.some((text) => linesOf(pid).includes(text)));
  const groups = ours.flatMap((pid) => pidsOfGroup(pid));
  for (const pid of [...ours, ...groups]) killNow(pid);
  const inits = fs.globSync(join(texts[0] ?? "", "v1/containers/*/pid")).map((path) => Number(textOf(path)));
  for (const pid of inits) if (textOf(`/proc/${pid}/cgroup`).includes("/tare/")) killNow(pid);
}

function pidsOfGroup(pid: number): readonly number[] {
  return textOf(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}
