// SPDX-License-Identifier: Apache-2.0
/** How Tare's cost grows with the context, the layers of an image and the images of a store. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "../src/engine/index.ts";
import type { Bench } from "./cases.ts";
import { changeApplication, writeApplication, writeContext, writeFiles } from "./contexts.ts";
import { median, timed } from "./measure.ts";
import type { Command } from "./measure.ts";
import type { Peer } from "./peers.ts";
import { tarePeer } from "./peers.ts";
import { amount, table } from "./report.ts";

const CONTEXTS = [1_000, 10_000, 100_000];
const LAYERS = [10, 50, 120];
const STORES = [10, 1_000];

/** A growth table by name. */
export const GROWTH: Readonly<Record<string, (bench: Bench, tare: Peer) => Promise<string>>> = {
  "growth-context": growContext,
  "growth-layers": growLayers,
  "growth-store": growStore,
};

const cell = (value: number): string => amount(value, "s");

function repeat(bench: Bench, command: Command | undefined): number {
  if (command === undefined) return Number.NaN;
  return median(Array.from({ length: bench.rounds }, () => timed(command)));
}

async function growContext(bench: Bench): Promise<string> {
  const rows = CONTEXTS.map((count) => {
    const tare = tarePeer(join(bench.folder, "tare-context"));
    const folder = writeFiles(join(bench.folder, "contexts/grow"), count);
    const first = timed(tare.build(folder, "bench-grow"));
    const unchanged = repeat(bench, tare.build(folder, "bench-grow"));
    writeFileSync(join(folder, "files/d0/f0"), `changed ${Date.now()}`);
    const changed = timed(tare.build(folder, "bench-grow"));
    for (const used of ["contexts/grow", "tare-context"]) {
      rmSync(join(bench.folder, used), { recursive: true, force: true });
    }
    return [count.toLocaleString("en"), cell(first), cell(unchanged), cell(changed)];
  });
  return table(["files in the context", "first build", "unchanged", "one file changed"], rows);
}

async function growLayers(bench: Bench, tare: Peer): Promise<string> {
  const rows = LAYERS.map((count) => {
    const folder = join(bench.folder, "contexts/layers");
    const copies = Array.from({ length: count }, (_, index) => `COPY f${index} /layers/f${index}`);
    writeContext(folder, [`FROM ${bench.base}`, ...copies]);
    for (let index = 0; index < count; index += 1) writeFileSync(join(folder, `f${index}`), `${count} ${index}`);
    const tag = `bench-layers-${count}`;
    const first = timed(tare.build(folder, tag));
    const unchanged = repeat(bench, tare.build(folder, tag));
    return [`${count}`, cell(first), cell(unchanged), cell(repeat(bench, tare.run?.(tag, ["/bin/true"])))];
  });
  return table(["layers over the base", "first build", "unchanged", "run /bin/true"], rows);
}

async function growStore(bench: Bench, tare: Peer): Promise<string> {
  const { program, env } = tare.build("", "");
  const folder = writeApplication(join(bench.folder, "contexts/store"), bench.base);
  let present = 0;
  const rows: string[][] = [];
  for (const count of STORES) {
    await addImages(bench, env?.["TARE_ROOT"] ?? "", present, count);
    present = count;
    timed(tare.build(folder, "bench-store"));
    const unchanged = repeat(bench, tare.build(folder, "bench-store"));
    changeApplication(folder, count);
    const changed = timed(tare.build(folder, "bench-store"));
    const list = repeat(bench, { program, words: ["images", "-q"], env: env ?? {} });
    const start = repeat(bench, tare.run?.(bench.base, ["/bin/true"]));
    rows.push([count.toLocaleString("en"), ...[list, unchanged, changed, start].map(cell)]);
  }
  return table(["images in the store", "images -q", "unchanged build", "one line changed", "run /bin/true"], rows);
}

/** Images of one small layer each, made in this process: a thousand starts of Node are not what is measured. */
async function addImages(bench: Bench, root: string, from: number, to: number): Promise<void> {
  const folder = join(bench.folder, "contexts/many");
  mkdirSync(folder, { recursive: true });
  const engine = Engine.open({ root, env: process.env, cwd: folder });
  for (let index = from; index < to; index += 1) {
    writeFileSync(join(folder, "Dockerfile"), `FROM scratch\nCOPY value /\nLABEL number=${index}\n`);
    writeFileSync(join(folder, "value"), `${index}\n`);
    await engine.build({ ...EMPTY_BUILD, cwd: folder, context: ".", tags: [`bench-many:${index}`] });
  }
  engine.close();
}

const EMPTY_BUILD = {
  buildArgs: {},
  buildContexts: {},
  labels: {},
  secrets: [],
  ssh: {},
  platforms: [],
  noCache: false,
  noCacheFilter: [],
  pull: false,
  addHosts: [],
  ulimits: [],
  allow: [],
  outputs: [],
  load: false,
} as const;
