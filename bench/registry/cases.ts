// SPDX-License-Identifier: Apache-2.0
/** What is measured; each case leaves the engine's store as it found it, with nothing in it. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { peakMemory, timed } from "../measure.ts";
import type { Command } from "../measure.ts";
import type { RegistryService } from "../wheels/registry.ts";
import type { Engine } from "./engines.ts";

/** What cases need. */
export interface Place {
  /** Has the image, as `image`. */
  readonly source: RegistryService;
  /** Has nothing before a case. */
  readonly target: RegistryService;
  readonly image: string;
  /** The context that the image was built from. */
  readonly context: string;
}

/** The file that the last layer of the image consists of. */
export const CHANGING = "changing/file";

/** A case. */
export interface Case {
  readonly id: string;
  readonly title: string;
  /** Tare's time, of that of the others, or in seconds. */
  readonly goal: string;
  /** Runs the case; `run` measures its commands. */
  readonly measure: <T>(place: Place, engine: Engine, run: (command: Command) => T) => T;
}

const TARGET = "bench/copy";

/** In the order in which they are measured. */
export const CASES: readonly Case[] = [
  {
    id: "pull",
    title: "pull",
    goal: "≤ 0.60",
    measure: ({ image }, engine, run) => run(engine.pull(image)),
  },
  {
    id: "push",
    title: "push of what was pulled",
    goal: "≤ 0.50",
    measure: (place, engine, run) => {
      timed(engine.pull(place.image));
      return run(engine.push(tagged(place, engine, place.image)));
    },
  },
  {
    id: "push-built",
    title: "push of what was built",
    goal: "≤ 0.50",
    measure: (place, engine, run) => run(engine.push(built(place, engine))),
  },
  {
    id: "push-again",
    title: "push after one small change",
    goal: "≤ 0.2 s",
    measure: (place, engine, run) => {
      timed(engine.push(built(place, engine)));
      writeFileSync(join(place.context, CHANGING), `${performance.now()}\n`);
      return run(engine.push(built(place, engine)));
    },
  },
];

function tagged({ target }: Place, engine: Engine, image: string): string {
  const name = `${target.host}/${TARGET}:1`;
  timed(engine.tag(image, name));
  return name;
}

function built({ target, context }: Place, engine: Engine): string {
  const name = `${target.host}/${TARGET}:1`;
  timed(engine.build(context, name));
  return name;
}

/** Seconds of one run of a case. */
export function measureTime(place: Place, one: Case, engine: Engine): number {
  return around(place, engine, () => one.measure(place, engine, timed));
}

/** Bytes that the engine's own process has at most; not for those that are daemons. */
export async function measureMemory(place: Place, one: Case, engine: Engine): Promise<number> {
  // The case awaits nothing, so its end is that of the measured command.
  let peak: Promise<number> = Promise.resolve(0);
  const mark = place.target.mark();
  clear(engine);
  one.measure(place, engine, (command) => (peak = peakMemory(command)));
  const bytes = await peak;
  place.target.forget(TARGET, mark);
  clear(engine);
  return bytes;
}

function around<T>(place: Place, engine: Engine, work: () => T): T {
  const mark = place.target.mark();
  clear(engine);
  spawnSync("sync");
  try {
    return work();
  } finally {
    place.target.forget(TARGET, mark);
    clear(engine);
  }
}

function clear(engine: Engine): void {
  for (const command of engine.forget()) timed(command);
}
