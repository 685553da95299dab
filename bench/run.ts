// SPDX-License-Identifier: Apache-2.0
/**
 * Compares Tare with Debian's dockerd (classic builder and BuildKit) and buildah in one run: `npm run bench`.
 * Prints Markdown tables; the single values go to `results.json` in the benchmark's folder. Needs root.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, Case } from "./cases.ts";
import { CASES } from "./cases.ts";
import { GROWTH } from "./growth.ts";
import type { Peers } from "./peers.ts";
import { openPeers, provideBase } from "./peers.ts";
import type { Result } from "./report.ts";
import { amount, compareTable, conditions } from "./report.ts";

const NAMES = [...CASES.map((entry) => entry.name), ...Object.keys(GROWTH)];
const USAGE = `usage: npm run bench -- [options] [CASE…]
  --rounds N      measurements of each (7)
  --peers LIST    classic,buildkit,buildah (all)
  --sleep S       seconds of each of the two stages (30)
  --files N       files of the case "files" (20000)
  --megabytes N   size of the case "big" (2048)
  --base NAME     base image (debian:bookworm-slim)
  --folder PATH   stores and contexts; removed at the end (.cache/bench)
  --keep          leave the folder
cases: ${NAMES.join(", ")} (all)
`;

function options(): { bench: Bench; cases: readonly string[]; peers: readonly string[]; keep: boolean } {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { ...text, default: "7" },
      peers: { ...text, default: "classic,buildkit,buildah" },
      sleep: { ...text, default: "30" },
      files: { ...text, default: "20000" },
      megabytes: { ...text, default: "2048" },
      base: { ...text, default: "debian:bookworm-slim" },
      folder: { ...text, default: resolve(import.meta.dirname, "../.cache/bench") },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (values.help || unknown !== undefined) {
    process.stdout.write(USAGE);
    process.exit(values.help ? 0 : 2);
  }
  const [rounds = 0, sleep = 0, files = 0, megabytes = 0] = [
    values.rounds,
    values.sleep,
    values.files,
    values.megabytes,
  ].map(Number);
  const bench = { folder: resolve(values.folder), base: values.base, rounds, sleep, files, megabytes };
  return {
    bench,
    cases: positionals.length > 0 ? positionals : NAMES,
    peers: values.peers.split(","),
    keep: values.keep,
  };
}

/** All rounds of one case; the engines take turns within a round, so that a slow minute of the machine hits all. */
async function measureCase(bench: Bench, peers: Peers, entry: Case): Promise<Result> {
  const values = new Map(peers.all.map((peer) => [peer, [] as number[]]));
  for (const peer of peers.all) entry.prepare?.(bench, peer);
  const rounds = entry.rounds?.(bench) ?? bench.rounds;
  for (let round = 1; round <= rounds; round += 1) {
    entry.round?.(bench, round);
    for (const peer of peers.all) {
      const value = await entry.measure(bench, peer, round);
      if (value !== undefined) values.get(peer)?.push(value);
      const shown = value === undefined ? "–" : amount(value, entry.unit);
      process.stderr.write(`${entry.name} ${round}/${rounds} ${peer.name}: ${shown}\n`);
    }
  }
  return { case: entry, values };
}

function save(bench: Bench, results: readonly Result[]): void {
  const plain = results.map((result) => ({
    case: result.case.name,
    unit: result.case.unit,
    values: Object.fromEntries([...result.values].map(([peer, values]) => [peer.name, values])),
  }));
  mkdirSync(join(bench.folder, ".."), { recursive: true });
  writeFileSync(`${bench.folder}-results.json`, `${JSON.stringify(plain, undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const { bench, cases, peers: names, keep } = options();
  if (process.getuid?.() !== 0) throw new Error("the benchmark needs root");
  rmSync(join(bench.folder, "contexts"), { recursive: true, force: true });
  const peers = await openPeers(bench.folder, names);
  for (const reason of peers.absent) process.stderr.write(`left out: ${reason}\n`);
  try {
    provideBase(peers, bench.folder, bench.base);
    const results: Result[] = [];
    for (const entry of CASES) if (cases.includes(entry.name)) results.push(await measureCase(bench, peers, entry));
    if (results.length > 0) {
      save(bench, results);
      process.stdout.write(`${conditions(bench, peers.all)}\n\n${compareTable(bench, peers.all, results)}\n`);
    }
    for (const [name, grow] of Object.entries(GROWTH)) {
      if (cases.includes(name)) process.stdout.write(`\n${await grow(bench, peers.tare)}\n`);
    }
  } finally {
    await peers.close();
    if (!keep) rmSync(bench.folder, { recursive: true, force: true });
  }
}

await main();
