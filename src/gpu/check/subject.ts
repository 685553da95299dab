// SPDX-License-Identifier: Apache-2.0
import { architectureOf } from "../data/capabilities.ts";
import { compareDotted, majorOf } from "../versions.ts";
import { exactCuda, ownCuda, wayOfDriver } from "./driver.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuFinding, GpuPackage, GpuTarget, ImageNeeds } from "../types.ts";
import type { DriverWay } from "./driver.ts";

/** What a rule looks at. */
export interface Subject {
  readonly target: GpuTarget;
  readonly needs: ImageNeeds;
  readonly data: GpuData;
}

/** One rule: nothing found is nothing wrong. */
export type Rule = (subject: Subject) => readonly GpuFinding[];

/** One thing in an image that calls CUDA, and the way that the driver has for it. */
export interface CudaUser {
  /** For messages: `torch 2.7.0+cu128`, `the CUDA toolkit of the image`. */
  readonly label: string;
  readonly cuda: string;
  readonly way: DriverWay;
  /** Absent for the toolkit. */
  readonly package?: GpuPackage;
}

/** Packages of a known CUDA, then the toolkit. */
export function cudaUsers(subject: Subject): readonly CudaUser[] {
  const { packages, toolkit } = subject.needs;
  const way = (cuda: string): { readonly cuda: string; readonly way: DriverWay } => ({
    cuda,
    way: wayOfDriver(subject, cuda),
  });
  const users = packages.flatMap((each) =>
    each.cuda === undefined || isLibrary(each.name) ? [] : [{ label: labelOf(each), ...way(each.cuda), package: each }],
  );
  return toolkit === undefined ? users : [...users, { label: "the CUDA toolkit of the image", ...way(toolkit) }];
}

/** `torch 2.7.0+cu128`. */
export function labelOf({ name, version }: Pick<GpuPackage, "name" | "version">): string {
  return `${name} ${version}`;
}

/** NVIDIA's own distributions: what frameworks bring along, not what calls. */
export function isLibrary(name: string): boolean {
  return /^(?:nvidia-|cuda-(?:toolkit|bindings|core|pathfinder|python)$)/.test(name);
}

/** Compute capabilities (AMD: targets) of a target, each once. */
export function capabilitiesOf({ gpus }: GpuTarget): readonly string[] {
  return [...new Set(gpus.flatMap(({ architecture }) => architecture ?? []))].toSorted(compareDotted);
}

/** `Tesla V100 (Volta, compute capability 7.0)`. */
export function gpuText({ target, data }: Pick<Subject, "target" | "data">, capability: string): string {
  const card = target.gpus.find(({ architecture, name }) => architecture === capability && name !== undefined)?.name;
  const generation = architectureOf(data, capability);
  const what = `${generation.known ? `${generation.value.name}, ` : ""}compute capability ${capability}`;
  return card === undefined ? `the GPU (${what})` : `${card} (${what})`;
}

/** `driver 535.104.05 (CUDA 12.2)`. */
export function driverText(subject: Pick<Subject, "target" | "data">): string {
  const { driver } = subject.target;
  const own = ownCuda(subject);
  const newer = exactCuda(subject) === undefined ? " or newer" : "";
  const carries = own === undefined ? "" : ` (CUDA ${own}${newer})`;
  return driver === undefined ? `the driver${carries}` : `driver ${driver}${carries}`;
}

/** `R580 (580.65.06) or newer`. */
export function branchText(floor: string): string {
  if (Number.isNaN(majorOf(floor))) return floor;
  return floor.includes(".") ? `R${majorOf(floor)} (${floor}) or newer` : `R${floor} or newer`;
}
