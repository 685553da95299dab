// SPDX-License-Identifier: Apache-2.0
/*
 * Many containers in one network: `node bench/life/many.ts [CONTAINERS] [AT ONCE]`. They are started some at a time; each
 * must have an address of its own and be found by its name, and when they are removed nothing may be left. Root and a
 * build are needed.
 */
import { addBusyboxImage, openProgramWorld } from "../../test/support/program.ts";
import { compareCounters, countersAtRest } from "./counters.ts";

const [total = 200, atOnce = 20] = process.argv.slice(2).map(Number);
const MARKER = `tare-many-${process.pid}`;
const world = openProgramWorld("many");
const names = Array.from({ length: total }, (_, n) => `many-${n}`);
let failures = 0;

try {
  addBusyboxImage(world);
  // What first ones make for good is there before it is counted.
  await tare("network", "create", "first");
  await tare("run", "--rm", "-v", "/data", "busybox", "true");
  await tare("run", "--rm", "--network", "first", "busybox", "true");
  await tare("network", "rm", "first");
  const before = await countersAtRest(world, MARKER);
  await tare("network", "create", "--subnet", "10.231.0.0/16", "crowd");
  const flags = ["--network", "crowd", "-e", `MARKER=${MARKER}`, "busybox", "sleep", "1000"];
  await timed(`${total} containers started, ${atOnce} at a time`, async () => {
    await inTurns(names, async (name) => await tare("run", "-d", "--name", name, ...flags));
  });
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const addresses = (await tare("inspect", "-f", format, ...names)).trim().split("\n");
  expect(`${new Set(addresses).size} addresses`, new Set(addresses).size === total);
  const first = names[0] ?? "";
  for (const name of [names[1], names[Math.floor(total / 2)], names.at(-1)]) {
    const found = await tare("exec", first, "sh", "-c", `busybox ping -c1 -W2 ${name} | head -1`);
    expect(`${name} is found by its name`, found.includes(addresses[names.indexOf(name ?? "")] ?? "no address"));
  }
  await timed(`ps with ${total} containers`, async () => await tare("ps", "-a"));
  await timed(`${total} containers removed`, async () => {
    await inTurns(names, async (name) => await tare("rm", "-f", name));
  });
  await tare("network", "rm", "crowd");
  const differences = compareCounters(before, await countersAtRest(world, MARKER));
  console.log(`${failures} failures, ${differences.length} counters differ`);
  process.exitCode = failures + differences.length > 0 ? 1 : 0;
} finally {
  world.close();
}

/** Does the work for all, never for more than `atOnce` at a time. */
async function inTurns(all: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const left = [...all];
  const lane = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await work(name);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function tare(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await world.tareAsync(words);
  if (code !== 0) expect(`exit code ${code}: ${words.join(" ")}\n${err}`, false);
  return out;
}

function expect(what: string, holds: boolean): void {
  if (!holds) failures += 1;
  console.log(`${holds ? "ok" : "FAILED"}: ${what}`);
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(2)} s`);
}
