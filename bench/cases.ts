// SPDX-License-Identifier: Apache-2.0
/** What is compared. A case prepares a round for all engines, then each engine is timed once in that round. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { changeApplication, writeApplication, writeBigFile, writeContext, writeFiles } from "./contexts.ts";
import { peakMemory, timed } from "./measure.ts";
import type { Command } from "./measure.ts";
import type { Peer } from "./peers.ts";

/** What the cases share. */
export interface Bench {
  readonly folder: string;
  readonly base: string;
  readonly rounds: number;
  /** Seconds of each of the two stages. */
  readonly sleep: number;
  readonly files: number;
  readonly megabytes: number;
}

/** A comparison; the unit of its values is seconds, or bytes for memory. */
export interface Case {
  readonly name: string;
  readonly title: (bench: Bench) => string;
  /** What the project promises, in its own words. */
  readonly goal: string;
  readonly unit: "s" | "MB";
  readonly rounds?: (bench: Bench) => number;
  /** Before the first round, once for each engine. */
  readonly prepare?: (bench: Bench, peer: Peer) => void;
  /** Before each round. */
  readonly round?: (bench: Bench, round: number) => void;
  readonly measure: (bench: Bench, peer: Peer, round: number) => Promise<number | undefined>;
}

const application = (bench: Bench): string => join(bench.folder, "contexts/application");
const context = (bench: Bench, name: string): string => join(bench.folder, "contexts", name);

async function seconds(command: Command | undefined): Promise<number | undefined> {
  return command === undefined ? undefined : timed(command);
}

/** A build that nothing is remembered of, neither before nor after. */
async function cold(bench: Bench, peer: Peer, name: string): Promise<number> {
  const value = timed(peer.build(context(bench, name), `bench-${name}`, { noCache: true }));
  forget(peer, `bench-${name}`);
  return value;
}

function forget(peer: Peer, tag: string): void {
  for (const command of peer.forget(tag)) {
    spawnSync(command.program, command.words, { env: { ...process.env, ...command.env } });
  }
}

/** New content; written back to the disk, so that the first engine doesn't pay for it. */
function renew(bench: Bench, name: string, write: (folder: string) => unknown): void {
  rmSync(context(bench, name), { recursive: true, force: true });
  write(context(bench, name));
  spawnSync("sync");
}

const prepareApplication = (bench: Bench, peer: Peer): void => {
  writeApplication(application(bench), bench.base);
  timed(peer.build(application(bench), "bench-application"));
};

/** The cases in the order in which they are shown. */
export const CASES: readonly Case[] = [
  {
    name: "start",
    title: () => "`run --rm --network none IMAGE /bin/true`",
    goal: "≤ 0.4 × docker",
    unit: "s",
    measure: async ({ base }, peer) => seconds(peer.run?.(base, ["/bin/true"])),
  },
  {
    name: "unchanged",
    title: () => "rebuild, nothing changed",
    goal: "≤ 0.8 × docker",
    unit: "s",
    prepare: prepareApplication,
    measure: async (bench, peer) => seconds(peer.build(application(bench), "bench-application")),
  },
  {
    name: "changed",
    title: () => "rebuild, one line of `app.py` changed (10 instructions)",
    goal: "≤ 0.8 × docker",
    unit: "s",
    prepare: prepareApplication,
    round: (bench, round) => changeApplication(application(bench), round),
    measure: async (bench, peer) => seconds(peer.build(application(bench), "bench-application")),
  },
  {
    name: "files",
    title: ({ files }) => `COPY of ${files.toLocaleString("en")} small files, cold`,
    goal: "≤ 0.6 × docker",
    unit: "s",
    round: (bench) => renew(bench, "files", (folder) => writeFiles(folder, bench.files)),
    measure: async (bench, peer) => cold(bench, peer, "files"),
  },
  {
    name: "big",
    title: ({ megabytes }) => `COPY of one file of ${megabytes} MB, cold`,
    goal: "≤ 0.6 × docker",
    unit: "s",
    round: (bench) => renew(bench, "big", (folder) => writeBigFile(folder, bench.megabytes)),
    measure: async (bench, peer) => cold(bench, peer, "big"),
  },
  {
    name: "memory",
    title: ({ megabytes }) => `peak memory of the client, COPY of ${megabytes} MB`,
    goal: "< 250 MB",
    unit: "MB",
    rounds: () => 1,
    round: (bench) => renew(bench, "big", (folder) => writeBigFile(folder, bench.megabytes)),
    async measure(bench, peer) {
      const value = await peakMemory(peer.build(context(bench, "big"), "bench-big", { noCache: true }));
      forget(peer, "bench-big");
      return value / 2 ** 20;
    },
  },
  {
    name: "stages",
    title: ({ sleep }) => `two independent stages of ${sleep} s`,
    goal: "max, not sum",
    unit: "s",
    rounds: ({ rounds }) => Math.min(rounds, 3),
    prepare: (bench) =>
      writeContext(context(bench, "stages"), [
        `FROM ${bench.base} AS first`,
        `RUN sleep ${bench.sleep} && echo 1 > /first`,
        `FROM ${bench.base} AS second`,
        `RUN sleep ${bench.sleep} && echo 2 > /second`,
        `FROM ${bench.base}`,
        "COPY --from=first /first /",
        "COPY --from=second /second /",
      ]),
    measure: async (bench, peer) => cold(bench, peer, "stages"),
  },
  {
    name: "steps",
    title: () => "ten `RUN true`",
    goal: "≤ 0.4 × docker",
    unit: "s",
    prepare: (bench) =>
      writeContext(context(bench, "steps"), [`FROM ${bench.base}`, ...Array.from({ length: 10 }, () => "RUN true")]),
    measure: async (bench, peer) => cold(bench, peer, "steps"),
  },
];
