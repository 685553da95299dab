// SPDX-License-Identifier: Apache-2.0
/* What there is of a store on this host, counted. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../../test/support/processes.ts";
import type { ProgramWorld } from "../../test/support/program.ts";

/** Counts by what is counted. */
export type Counters = Readonly<Record<string, number>>;

/** Counted again until nothing moves any more: what a detached container leaves is cleared after its end. */
export async function countersAtRest(world: ProgramWorld, marker: string): Promise<Counters> {
  let last = counters(world, marker);
  for (let tries = 0; tries < 40; tries += 1) {
    await sleep(250);
    const now = counters(world, marker);
    if (JSON.stringify(now) === JSON.stringify(last) && now["processes"] === 0) return now;
    last = now;
  }
  return last;
}

function counters(world: ProgramWorld, marker: string): Counters {
  const runRoot = world.runRoot();
  const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const places = [world.root, runRoot, world.folder];
  return {
    processes: ownProcesses([marker, runRoot, join(world.root, "v1/containers")]),
    mounts: mounts.filter((line) => places.some((place) => line.includes(place))).length,
    "control groups": groupsOf(world),
    "network namespaces": mounts.filter((line) => line.includes(" net:[")).length,
    // Not of /sys, which shows those of the network namespace that it was mounted in.
    interfaces: lines("ip", "-o", "link"),
    "rules of iptables": lines("iptables-save") + lines("ip6tables-save"),
    "rules of nftables": lines("nft", "list", "ruleset"),
    containers: world.ok("ps", "-aq").split("\n").filter(Boolean).length,
    volumes: namesIn(join(world.root, "v1/volumes")).filter((name) => !name.includes("/")).length,
    "files of the store": filesIn(world.root),
    "files of the run folder": filesIn(runRoot),
    "files in TMPDIR": filesIn(join(world.folder, "tmp")),
  };
}

function ownProcesses(texts: readonly string[]): number {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) =>
    texts.some((text) => `${textOf(`/proc/${pid}/cmdline`)}${textOf(`/proc/${pid}/environ`)}`.includes(text)),
  ).length;
}

/** Control groups of containers that this store has or had: its events name them all. */
function groupsOf({ root }: ProgramWorld): number {
  const events = ["events.1", "events"].map((name) => textOf(join(root, "v1", name))).join("");
  const ids = new Set(events.match(/\b[0-9a-f]{64}\b/g));
  const found = spawnSync("find", ["/sys/fs/cgroup", "-maxdepth", "4", "-type", "d", "-path", "*/tare/*"]);
  return found.stdout
    .toString()
    .split("\n")
    .filter((path) => ids.has(/[0-9a-f]{64}/.exec(path)?.[0] ?? "")).length;
}

function lines(program: string, ...args: readonly string[]): number {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? stdout.split("\n").filter((line) => !line.startsWith("#")).length : 0;
}

/** Paths of everything that a store keeps and its run-time files. */
export function filesOf(world: ProgramWorld): readonly string[] {
  return [world.root, world.runRoot()].flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
}

function filesIn(folder: string): number {
  return namesIn(folder).length;
}

/** Without SQLite's files, which come and go. */
function namesIn(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !/\.db-(wal|shm)$/.test(name));
}

/** Prints both counts of each kind; the kinds whose counts differ. */
export function compareCounters(before: Counters, after: Counters): readonly string[] {
  for (const name of Object.keys(before)) console.log(`${name}: ${before[name]} before, ${after[name]} after`);
  return Object.keys(before).filter((name) => before[name] !== after[name]);
}
