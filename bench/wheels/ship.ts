// SPDX-License-Identifier: Apache-2.0
/**
 * One round of one contender: the project is built from nothing and pushed to a repository of its own, then again
 * unchanged, with another line of code, and with another patch version of one distribution, which is also started.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { finished, timed } from "../measure.ts";
import type { Command } from "../measure.ts";
import type { BuildOptions, Contender } from "./contenders.ts";
import type { Materials, ProjectState } from "./projects.ts";
import type { RegistryService } from "./registry.ts";
import { withPins } from "./sets.ts";

/** What is measured, in the order in which it happens. */
const STEPS = ["cold", "same", "code", "pin"] as const;
export type Step = (typeof STEPS)[number];

/** Seconds of a build and its push (0 where building pushes), and the bytes that reached the registry. */
export interface Shipment {
  readonly build: number;
  readonly push: number;
  readonly bytes: number;
}

/** A round; without the parts that the contender can't do. */
export interface Round {
  readonly steps: Readonly<Partial<Record<Step, Shipment>>>;
  /** The first `run --rm … python -c "import <the distribution that will change>"`, before the pin is changed. */
  readonly first?: number;
  /** The same right after the changed pin was built. */
  readonly start?: number;
  /** Seconds inside Python that the first import of the set's modules takes in a fresh image, and the next one. */
  readonly imports?: readonly [first: number, second: number];
}

/** What rounds need. */
export interface ShipPlace {
  readonly folder: string;
  readonly materials: Materials;
  readonly registry: RegistryService;
  readonly note: (text: string) => void;
}

/** A contender's round under way. */
interface Rounding extends ShipPlace {
  readonly contender: Contender;
  readonly salt: string;
  readonly project: string;
  readonly repository: string;
  readonly image: (step: Step) => string;
}

/**
 * Runs one round, without the changed pin when that is left out: with pip it costs as much again as the cold build.
 * Throws with a command's output when one fails.
 */
export function shipRound(place: ShipPlace, contender: Contender, round: number, isShort: boolean): Round {
  const { registry, materials } = place;
  const repository = `bench/${contender.id}-${round}`;
  const image = (step: Step): string => `${registry.host}/${repository}:${step}`;
  const project = join(place.folder, "projects", contender.id);
  const rounding = { ...place, contender, salt: `round ${round}`, project, repository, image };
  const mark = registry.mark();
  contender.begin();
  spawnSync("sync");
  write(rounding, {});
  const cold = step(rounding, "cold", { noCache: true });
  const same = step(rounding, "same");
  write(rounding, { revision: 1 });
  const code = step(rounding, "code");
  const first = startOf(rounding, "code");
  const last = isShort ? { steps: {} } : changePin(rounding);
  const imports = contender.run && importTimes(contender, image(isShort ? "code" : "pin"), materials.set.imports);
  for (const command of contender.forget(STEPS.map(image))) attempt(command);
  registry.forget(repository, mark);
  return {
    ...last,
    steps: { cold, same, code, ...last.steps },
    ...(first === undefined ? {} : { first }),
    ...(imports === undefined ? {} : { imports }),
  };
}

function changePin(rounding: Rounding): Pick<Round, "steps" | "start"> {
  const { pins, changed } = rounding.materials.set;
  write(rounding, { revision: 1, pins: withPins(pins, [changed]) });
  let start: number | undefined;
  const begin = (): void => {
    start = startOf(rounding, "pin");
  };
  const pin = step(rounding, "pin", { between: begin });
  return { steps: { pin }, ...(start === undefined ? {} : { start }) };
}

function write({ contender, materials, project, salt }: Rounding, change: Partial<ProjectState>): void {
  rmSync(project, { recursive: true, force: true });
  contender.write(materials, project, { pins: materials.set.pins, salt, revision: 0, ...change });
}

function step(
  { contender, project, image, registry, note }: Rounding,
  name: Step,
  { between = (): void => undefined, ...options }: BuildOptions & { readonly between?: () => void } = {},
): Shipment {
  const shipment = ship(registry, {
    build: contender.build(project, image(name), options),
    ...(contender.push ? { push: contender.push(image(name)) } : {}),
    between,
  });
  note(`${name}: ${shipment.build.toFixed(2)} + ${shipment.push.toFixed(2)} s, ${shipment.bytes} bytes`);
  return shipment;
}

function ship(
  registry: RegistryService,
  { build, push, between }: { readonly build: Command; readonly push?: Command; readonly between: () => void },
): Shipment {
  const mark = registry.mark();
  const building = timed(build);
  between();
  const pushing = push === undefined ? 0 : timed(push);
  return { build: building, push: pushing, bytes: registry.uploaded(mark) };
}

function startOf({ contender, project, image, materials, note }: Rounding, of: Step): number | undefined {
  if (contender.run === undefined) return undefined;
  const bringing = contender.local === undefined ? 0 : timed(contender.local(project, image(of)));
  const code = `import ${materials.set.changed.name}`;
  const seconds = bringing + timed(contender.run(image(of), ["python", "-c", code]));
  note(`run of ${of}: ${seconds.toFixed(2)} s`);
  return seconds;
}

function importTimes(
  contender: Contender,
  image: string,
  modules: readonly string[],
): readonly [number, number] | undefined {
  const code = [
    "import time",
    "started = time.perf_counter()",
    `import ${modules.join(", ")}`,
    "print(time.perf_counter() - started)",
  ].join("\n");
  const command = contender.run?.(image, ["python", "-c", code]);
  if (command === undefined) return undefined;
  const seconds = (): number => Number(finished(command).output.trim().split("\n").at(-1));
  return [seconds(), seconds()];
}

function attempt({ program, words, env }: Command): void {
  spawnSync(program, words, { env: { ...process.env, ...env } });
}
