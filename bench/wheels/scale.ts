// SPDX-License-Identifier: Apache-2.0
/** What is measured of Tare beside the comparison: memory, growth with new wheels, the disk of ten similar projects. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { finished, median, peakMemory, timed } from "../measure.ts";
import type { Contender } from "./contenders.ts";
import { INSTALL, dockerfileWriter } from "./projects.ts";
import type { Pin } from "./sets.ts";
import { withPins } from "./sets.ts";
import type { ShipPlace } from "./ship.ts";
import { wheelsOf } from "./wheels.ts";
import type { WheelFacts } from "./wheels.ts";

/** Peaks in bytes of the program's own process. */
export interface Memory {
  readonly build: number;
  readonly push: number;
}

/** The largest resident sets of a cold build and its push. */
export async function measureMemory(place: ShipPlace, tare: Contender): Promise<Memory> {
  const image = `${place.registry.host}/bench/memory:1`;
  const mark = place.registry.mark();
  const folder = write(place, tare, { pins: place.materials.set.pins, salt: "memory" });
  tare.begin();
  const build = await peakMemory(tare.build(folder, image));
  const push = tare.push ? await peakMemory(tare.push(image)) : 0;
  tare.end();
  place.registry.forget("bench/memory", mark);
  return { build, push };
}

/** One point of growth. */
export interface Growth {
  readonly title: string;
  readonly wheels: number;
  readonly files: number;
  readonly megabytes: number;
  readonly unpacked: number;
  readonly build: number;
  readonly push: number;
  readonly limit: number;
}

/** Cold build and push of ever more wheels, medians of `rounds`. */
export function measureGrowth(place: ShipPlace, tare: Contender, rounds: number): readonly Growth[] {
  const { facts, set } = place.materials;
  const bySize = [...wheelsOf(facts, set.pins)].sort((a, b) => b.size - a.size);
  const points: readonly (readonly [string, readonly WheelFacts[]])[] = [
    ["none", []],
    ["the ten smallest", bySize.slice(-10)],
    ["the third largest", bySize.slice(2, 3)],
    ["the second largest", bySize.slice(1, 2)],
    ["the largest", bySize.slice(0, 1)],
    ["the four largest", bySize.slice(0, 4)],
    ["all", bySize],
  ];
  return points.map(([title, wheels]) => {
    const point = growthPoint(place, tare, { title, wheels, rounds });
    place.note(
      `growth, ${title}: ${point.build.toFixed(2)} + ${point.push.toFixed(2)} s, limit ${point.limit.toFixed(2)} s`,
    );
    return point;
  });
}

function growthPoint(
  place: ShipPlace,
  tare: Contender,
  {
    title,
    wheels,
    rounds,
  }: { readonly title: string; readonly wheels: readonly WheelFacts[]; readonly rounds: number },
): Growth {
  const times = Array.from({ length: rounds }, (_, round) => {
    const repository = `bench/growth-${round}`;
    const image = `${place.registry.host}/${repository}:1`;
    const mark = place.registry.mark();
    const folder = write(place, tare, { pins: wheels, salt: `growth ${title}` });
    tare.begin();
    spawnSync("sync");
    const build = timed(tare.build(folder, image));
    const push = tare.push ? timed(tare.push(image)) : 0;
    place.registry.forget(repository, mark);
    return { build, push };
  });
  tare.end();
  const sum = (of: (wheel: WheelFacts) => number): number => wheels.reduce((total, wheel) => total + of(wheel), 0);
  const [megabytes, unpacked, files] = [
    sum(({ size }) => size) / 1e6,
    sum((each) => each.unpacked) / 1e6,
    sum((each) => each.files),
  ];
  return {
    title,
    wheels: wheels.length,
    files,
    megabytes,
    unpacked,
    build: median(times.map(({ build }) => build)),
    push: median(times.map(({ push }) => push)),
    limit: 0.1 + ((0.63 + 1.5) * megabytes + 0.05 * files + 2.3 * unpacked) / 1000 / availableParallelism(),
  };
}

/** Bytes on disk beside the base, after ten similar projects were built. */
export interface Disk {
  readonly projects: number;
  /** Layers and all else that Tare keeps, the downloaded wheels too. */
  readonly tare: number;
  /** Of that, the wheels. */
  readonly wheels: number;
  readonly docker: number;
}

const PROJECTS = 10;

/** Builds ten projects of one closure in which some pins differ, in Tare's store and in Docker's. Neither compiles. */
export function measureDisk(
  place: ShipPlace,
  {
    tare,
    docker,
    tareRoot,
    dataRoot,
  }: {
    readonly tare: Contender;
    readonly docker: Contender;
    readonly tareRoot: string;
    readonly dataRoot: string;
  },
): Disk {
  const { set, facts } = place.materials;
  const uv = { ...docker, write: dockerfileWriter(INSTALL.uvPlain) };
  const projects = Array.from({ length: PROJECTS }, (_, index) => withPins(set.pins, variantsOf(set.variants, index)));
  tare.begin();
  const [tareBefore, dockerBefore] = [diskUsage(tareRoot), diskUsage(dataRoot)];
  projects.forEach((pins, index) => {
    for (const contender of [tare, uv]) {
      const folder = write(place, contender, { pins, salt: `project ${index}` });
      const image = `bench/similar-${index}`;
      const seconds = timed(contender.build(folder, image));
      if (contender.run) timed(contender.run(image, ["python", "-c", "pass"]));
      place.note(`disk, project ${index}, ${contender.name}: ${seconds.toFixed(1)} s`);
    }
  });
  const wheels = new Set(projects.flatMap((pins) => wheelsOf(facts, pins)));
  const wheelBytes = [...wheels].reduce((sum, { size }) => sum + size, 0);
  const result = {
    projects: PROJECTS,
    tare: diskUsage(tareRoot) - tareBefore + wheelBytes,
    wheels: wheelBytes,
    docker: diskUsage(dataRoot) - dockerBefore,
  };
  tare.end();
  return result;
}

/** Which of the variants a project has: each in about a third of the projects, in another rhythm. */
function variantsOf(variants: readonly Pin[], project: number): readonly Pin[] {
  return variants.filter((_, index) => (project * (index + 2) + index) % 3 === 0);
}

function diskUsage(path: string): number {
  spawnSync("sync");
  return Number(finished({ program: "du", words: ["-s", "--block-size=1", path] }).output.split("\t")[0]);
}

function write(
  { folder, materials }: ShipPlace,
  contender: Contender,
  { pins, salt }: { readonly pins: readonly Pin[]; readonly salt: string },
): string {
  const target = join(folder, "projects/scale");
  rmSync(target, { recursive: true, force: true });
  contender.write(materials, target, { pins, salt, revision: 0 });
  return target;
}
