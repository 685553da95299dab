// SPDX-License-Identifier: Apache-2.0
/*
 * The same thing very often, and much at once: `node bench/life/soak.ts [CYCLES] [AT ONCE]`. What there is on this host of
 * this store (processes, mounts, control groups, network interfaces, rules, files) must be equal before and after, and
 * no command may fail. It runs in a network namespace of its own when it is started by `unshare --net`; the network of
 * the containers is given by TARE_TRIAL_NETWORK: `-p 80` publishes any port of each. Root and a build are needed.
 */
import { addBusyboxImage, openProgramWorld } from "../../test/support/program.ts";
import type { ProgramWorld } from "../../test/support/program.ts";
import { compareCounters, countersAtRest, filesOf } from "./counters.ts";

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
  succeed(world, await world.tareAsync(["system", "prune", "-f"]), "prune");
  const before = await countersAtRest(world, MARKER);
  const known = new Set(filesOf(world));
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
  const after = await countersAtRest(world, MARKER);
  const differences = compareCounters(before, after);
  for (const path of filesOf(world)
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
