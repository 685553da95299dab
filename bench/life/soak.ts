// SPDX-License-Identifier: Apache-2.0
/*
 * The same thing very often, and much at once: `node bench/life/soak.ts [CYCLES] [AT ONCE]`. What there is on this host of
 * this store (processes, mounts, control groups, network interfaces, rules, files) must be equal before and after, and
 * no command may fail. It runs in a network namespace of its own when it is started by `unshare --net`; the network of
 * the containers is given by TARE_TRIAL_NETWORK. Root and a build are needed.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addBusyboxImage, openProgramWorld } from "../../test/support/program.ts";
import type { ProgramWorld } from "../../test/support/program.ts";

const [cycles = 500, atOnce = 64] = process.argv.slice(2).map(Number);
const network = (process.env["TARE_TRIAL_NETWORK"] ?? "--network none").split(" ");
const MARKER = `tare-soak-${process.pid}`;
const world = openProgramWorld("soak");
let failures = 0;

try {
  addBusyboxImage(world);
  // What a first run makes for good is there before it is counted: what is known of the runtime, the ledger's volume.
  await oneCycle(0);
  await oneCycle(1);
  await mixed(0);
  const before = await countersAtRest();
  const known = new Set(allFiles());
  console.log(`${cycles} cycles, then ${atOnce} commands at once, ${network.join(" ")}`);
  let began = performance.now();
  for (let n = 1; n <= cycles; n += 1) {
    await oneCycle(n);
    if (n % 50 === 0) console.log(`${n} cycles, ${seconds(began)} s, ${failures} failures`);
  }
  began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async (_, n) => await mixed(n)));
  console.log(`${atOnce} commands at once: ${seconds(began)} s, ${failures} failures`);
  succeed(world, await world.tareAsync(["system", "prune", "-f"]), "prune");
  const after = await countersAtRest();
  const differences = Object.keys(before).filter((name) => before[name] !== after[name]);
  for (const name of Object.keys(before)) console.log(`${name}: ${before[name]} before, ${after[name]} after`);
  for (const path of allFiles()
    .filter((name) => !known.has(name))
    .slice(0, 20))
    console.log(`new: ${path}`);
  console.log(`${failures} failures, ${differences.length} counters differ`);
  process.exitCode = failures + differences.length > 0 ? 1 : 0;
} finally {
  world.close();
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

/** Foreground with `--rm`, and detached with a volume, a health check, a stop and a removal in turns. */
async function oneCycle(n: number): Promise<void> {
  const flags = ["-e", `MARKER=${MARKER}`, "-v", "kept:/data", ...network];
  if (n % 2 === 0) return void (await run(["run", "--rm", ...flags, "busybox", "true"]));
  const name = `soak-${n}`;
  const health = n % 5 === 0 ? ["--health-cmd", "true", "--health-interval", "100ms"] : [];
  await run(["run", "-d", "--name", name, ...flags, ...health, "busybox", "sleep", "100"]);
  await run(n % 3 === 0 ? ["rm", "-f", name] : ["kill", name]);
  if (n % 3 !== 0) await run(["rm", name]);
}

/** Commands that read, change, start and remove, each with a container of its own. */
async function mixed(n: number): Promise<void> {
  const flags = ["-e", `MARKER=${MARKER}`, "-v", "kept:/data", ...network];
  const name = `mixed-${n}`;
  const kinds: readonly (readonly string[])[] = [
    ["run", "--rm", ...flags, "busybox", "sh", "-c", `echo ${n} >> /data/ledger`],
    ["run", "-d", "--rm", "--name", name, ...flags, "busybox", "true"],
    ["ps", "-a"],
    ["create", "--name", name, ...flags, "busybox", "true"],
  ];
  const words = kinds[n % kinds.length] ?? [];
  await run(words);
  if (words[0] === "create") {
    await run(["start", name]);
    await run(["wait", name]);
    await run(["rm", name]);
  }
}

async function run(words: readonly string[]): Promise<void> {
  succeed(world, await world.tareAsync(words), words.join(" "));
}

function succeed(_world: ProgramWorld, { code, err }: { code: number; err: string }, what: string): void {
  if (code === 0) return;
  failures += 1;
  console.log(`exit code ${code}: ${what}\n${err}`);
}

/** Counted again until nothing moves any more: what a detached container leaves is cleared after its end. */
async function countersAtRest(): Promise<Readonly<Record<string, number>>> {
  let last = counters();
  for (let tries = 0; tries < 40; tries += 1) {
    await sleep(250);
    const now = counters();
    if (JSON.stringify(now) === JSON.stringify(last) && now["processes"] === 0) return now;
    last = now;
  }
  return last;
}

function counters(): Readonly<Record<string, number>> {
  const runRoot = world.runRoot();
  const mounts = fs.readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const places = [world.root, runRoot, world.folder];
  return {
    processes: ownProcesses([MARKER, runRoot, join(world.root, "v1/containers")]),
    mounts: mounts.filter((line) => places.some((place) => line.includes(place))).length,
    "control groups": emptyGroups(),
    "network namespaces": mounts.filter((line) => line.includes(" net:[")).length,
    interfaces: fs.readdirSync("/sys/class/net").length,
    "rules of iptables": lines("iptables-save") + lines("ip6tables-save"),
    "rules of nftables": lines("nft", "list", "ruleset"),
    containers: world.ok("ps", "-aq").split("\n").filter(Boolean).length,
    volumes: fs.readdirSync(join(world.root, "v1/volumes")).length,
    "files of the store": filesIn(world.root),
    "files of the run folder": filesIn(runRoot),
    "files in TMPDIR": filesIn(join(world.folder, "tmp")),
  };
}

function ownProcesses(texts: readonly string[]): number {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => texts.some((text) => `${read(pid, "cmdline")}${read(pid, "environ")}`.includes(text)))
    .length;
}

function read(pid: string, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Groups with processes are those of others. */
function emptyGroups(): number {
  const found = spawnSync("find", ["/sys/fs/cgroup", "-maxdepth", "4", "-type", "d", "-path", "*/tare/*"]);
  return found.stdout
    .toString()
    .split("\n")
    .filter((path) => path !== "" && isEmpty(join(path, "cgroup.procs"))).length;
}

function isEmpty(path: string): boolean {
  try {
    return fs.readFileSync(path, "utf8") === "";
  } catch {
    return false;
  }
}

function lines(program: string, ...args: readonly string[]): number {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? stdout.split("\n").filter((line) => !line.startsWith("#")).length : 0;
}

function allFiles(): readonly string[] {
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
