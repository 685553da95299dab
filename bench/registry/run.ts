// SPDX-License-Identifier: Apache-2.0
/**
 * Compares pulls and pushes of a large image with those of other engines: `npm run bench:registry`. Prints Markdown;
 * progress goes to the standard error. Runs in a network namespace where only a loopback exists. Needs root. Gates
 * nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBigContext } from "../../test/support/big-image.ts";
import { openEngines, versionsOf } from "../engines.ts";
import { machine, note } from "../host.ts";
import { insideOnly } from "../inside.ts";
import { median, timed } from "../measure.ts";
import { amount, table } from "../report.ts";
import { startRegistry } from "../wheels/registry.ts";
import { CASES, CHANGING, measureMemory, measureTime } from "./cases.ts";
import type { Case, Place } from "./cases.ts";
import { STARTERS } from "./engines.ts";
import type { Engine } from "./engines.ts";
import { readOptions } from "./options.ts";
import type { Options } from "./options.ts";

const TARGET_PORT = 5418;

interface Measured {
  readonly case: Case;
  readonly seconds: ReadonlyMap<Engine, number[]>;
  /** Of Tare, in bytes. */
  readonly memory: number;
}

async function openPlace({ folder, megabytes, layers }: Options): Promise<Place> {
  const context = join(folder, "context");
  note(`writing the files of ${megabytes} MB in ${layers} layers`);
  writeBigContext(context, { layers: layers - 1, bytes: Math.floor((megabytes * 1e6) / (layers - 1)) });
  mkdirSync(join(context, "changing"));
  writeFileSync(join(context, CHANGING), "0\n");
  const lines = Array.from({ length: layers - 1 }, (_, layer) => `COPY layer-${layer} /layer-${layer}`);
  writeFileSync(join(context, "Dockerfile"), ["FROM scratch", ...lines, "COPY changing /changing", ""].join("\n"));
  const source = await startRegistry(join(folder, "source"));
  const target = await startRegistry(join(folder, "target"), TARGET_PORT);
  return { source, target, context, image: `${source.host}/bench/big:1` };
}

function fillSource({ image, context }: Place, tare: Engine): void {
  note("building and pushing the image");
  timed(tare.build(context, image));
  timed(tare.push(image));
}

/** Engines take turns within a round, so that a slow minute of the machine hits all. */
async function measure(
  place: Place,
  engines: readonly Engine[],
  { rounds, only }: Options,
): Promise<readonly Measured[]> {
  const measured = CASES.filter(({ id }) => only.includes(id)).map((one) => ({
    case: one,
    seconds: new Map(engines.map((engine) => [engine, [] as number[]])),
  }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { case: one, seconds } of measured) {
      for (const engine of engines) {
        // The registry's files come out of the page cache.
        spawnSync("sh", [
          "-c",
          'find "$1" -type f -exec cat {} + >/dev/null',
          "sh",
          join(place.context, "../source/data"),
        ]);
        const value = measureTime(place, one, engine);
        seconds.get(engine)?.push(value);
        note(`${engine.name}, ${one.title}, round ${round}: ${value.toFixed(2)} s`);
      }
    }
  }
  const [tare] = engines;
  const all: Measured[] = [];
  for (const each of measured) all.push({ ...each, memory: tare ? await measureMemory(place, each.case, tare) : 0 });
  return all;
}

function reportText(options: Options, engines: readonly Engine[], measured: readonly Measured[]): string {
  const [tare, ...others] = engines;
  const head = [
    "",
    ...engines.map(({ name }) => name),
    ...others.map(({ name }) => `÷ ${name}`),
    "goal",
    "Tare's memory",
  ];
  const rows = measured.map(({ case: one, seconds, memory }) => {
    const middle = (engine: Engine | undefined): number => median((engine && seconds.get(engine)) ?? []);
    const ratios = others.map((other) => (middle(tare) / middle(other)).toFixed(2));
    const times = engines.map((engine) => amount(middle(engine), "s"));
    return [one.title, ...times, ...ratios, one.goal, amount(memory / 1e6, "MB")];
  });
  const image = `${options.megabytes} MB in ${options.layers} layers`;
  return `${table(head, rows)}\n\n${image}, medians of ${options.rounds} rounds. ${machine()}. ${versionsOf(engines)}.`;
}

function reportJson(measured: readonly Measured[]): string {
  const rows = measured.map(({ case: one, seconds, memory }) => {
    return { case: one.id, memory, seconds: Object.fromEntries([...seconds].map(([{ name }, all]) => [name, all])) };
  });
  return JSON.stringify(rows, undefined, 2);
}

async function main(options: Options): Promise<void> {
  const place = await openPlace(options);
  const { all, absent } = await openEngines(options.folder, options.peers, STARTERS);
  for (const reason of absent) note(`left out: ${reason}`);
  try {
    fillSource(place, all[0]);
    const measured = await measure(place, all, options);
    process.stdout.write(`${options.isJson ? reportJson(measured) : reportText(options, all, measured)}\n`);
  } finally {
    for (const engine of all) await engine.stop();
    place.source.stop();
    place.target.stop();
  }
}

const options = readOptions();
await insideOnly(options, () => main(options));
