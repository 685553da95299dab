// SPDX-License-Identifier: Apache-2.0
/**
 * Compares what people do all day with containers: `npm run bench:containers`. Prints Markdown; progress goes to the
 * standard error. Runs in a network namespace of its own, where each engine has its bridge. Needs root. Gates nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fillBusybox } from "../../test/support/bases.ts";
import { messageOf } from "../../src/base/index.ts";
import { openEngines, versionsOf } from "../engines.ts";
import { machine, note } from "../host.ts";
import { insideOnly } from "../inside.ts";
import { median, timed } from "../measure.ts";
import { amount, table } from "../report.ts";
import { CASES, IMAGE } from "./cases.ts";
import type { Case } from "./cases.ts";
import { STARTERS } from "./engines.ts";
import type { Engine } from "./engines.ts";
import { readOptions } from "./options.ts";
import type { Options } from "./options.ts";

interface Measured {
  readonly case: Case;
  readonly seconds: ReadonlyMap<Engine, readonly number[]>;
}

/** The same files for all. */
function importImage(folder: string, engines: readonly Engine[]): void {
  const tree = join(folder, "tree");
  fillBusybox(tree);
  const archive = join(folder, "box.tar");
  timed({ program: "tar", words: ["-C", tree, "-cf", archive, "."] });
  for (const engine of engines) timed(engine.command("import", archive, IMAGE));
}

/** Engines take turns within a round, so that a slow minute of the machine hits all; one that fails is left out. */
async function measureCase(one: Case, engines: readonly Engine[], options: Options): Promise<Measured> {
  const seconds = new Map(engines.map((engine) => [engine, [] as number[]]));
  const attempt = async (engine: Engine, work: () => Promise<void>): Promise<void> => {
    try {
      if (seconds.has(engine)) await work();
    } catch (error) {
      note(`${engine.name}, ${one.id}: left out: ${messageOf(error)}`);
      seconds.delete(engine);
    }
  };
  for (const engine of engines) await attempt(engine, async () => one.prepare?.(engine, options));
  const rounds = one.rounds?.(options) ?? options.rounds;
  for (let round = 1; round <= rounds; round += 1) {
    for (const engine of engines) {
      await attempt(engine, async () => {
        const value = await one.measure(engine, options);
        seconds.get(engine)?.push(value);
        note(`${engine.name}, ${one.id}, round ${round}: ${value.toFixed(3)} s`);
      });
    }
  }
  for (const engine of engines) await attempt(engine, async () => one.clear?.(engine));
  return { case: one, seconds };
}

function reportText(options: Options, engines: readonly Engine[], measured: readonly Measured[]): string {
  const [tare, ...others] = engines;
  const head = ["", ...engines.map(({ name }) => name), ...others.map(({ name }) => `÷ ${name}`), "goal"];
  const rows = measured.map(({ case: one, seconds }) => {
    const middle = (engine: Engine | undefined): number => median((engine && seconds.get(engine)) ?? []);
    const ratio = (other: Engine): string => (middle(tare) / middle(other)).toFixed(2).replace("NaN", "–");
    return [one.title(options), ...engines.map((each) => amount(middle(each), "s")), ...others.map(ratio), one.goal];
  });
  return `${table(head, rows)}\n\nMedians of ${options.rounds} rounds (3 of starts at once and logs). ${machine()}. ${versionsOf(engines)}.`;
}

function reportJson(measured: readonly Measured[]): string {
  const rows = measured.map(({ case: one, seconds }) => {
    return { case: one.id, seconds: Object.fromEntries([...seconds].map(([{ name }, all]) => [name, all])) };
  });
  return JSON.stringify(rows, undefined, 2);
}

async function main(options: Options): Promise<void> {
  mkdirSync(options.folder, { recursive: true });
  const { all, absent } = await openEngines(options.folder, options.peers, STARTERS);
  for (const reason of absent) note(`left out: ${reason}`);
  try {
    importImage(options.folder, all);
    const measured: Measured[] = [];
    for (const one of CASES.filter(({ id }) => options.only.includes(id))) {
      measured.push(await measureCase(one, all, options));
    }
    process.stdout.write(`${options.isJson ? reportJson(measured) : reportText(options, all, measured)}\n`);
  } finally {
    for (const engine of all) {
      spawnSync("sh", ["-c", '"$@" ps -aq | xargs -r "$@" rm -f', "sh", ...plain(engine)], {
        env: environment(engine),
      });
      await engine.stop();
    }
  }
}

/** What begins every command of an engine. */
function plain(engine: Engine): readonly string[] {
  const { program, words } = engine.command();
  return [program, ...words];
}

function environment(engine: Engine): NodeJS.ProcessEnv {
  return { ...process.env, ...engine.command().env };
}

const options = readOptions();
await insideOnly(options, () => main(options));
