// SPDX-License-Identifier: Apache-2.0
/* `--accelerator auto`: the builds of torch and its kin that machines run, by the same data as the check. */
import { TareError } from "../../base/index.ts";
import { suitableBuilds } from "../data/suitable.ts";
import { frameworkReleases, frameworkBuilds } from "../data/frameworks.ts";
import { capabilitiesOf } from "./subject.ts";
import type { SuitableBuild } from "../data/suitable.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuTarget } from "../types.ts";

/**
 * The accelerator that every target runs: `cu126`, `rocm7.1`, and `cpu` without a target or where no build suits. Builds
 * with known kernels come before others, then newer ones. Throws `E_ACCELERATOR` for targets of different makers and for
 * a driver that nobody can tell.
 */
export function automaticBuild(targets: readonly GpuTarget[], data: GpuData): string {
  const [first] = targets;
  if (!first) return "cpu";
  const other = targets.find(({ vendor }) => vendor !== first.vendor);
  if (other) throw undecided(`\`${first.name}\` and \`${other.name}\` have GPUs of different makers`);
  switch (first.vendor) {
    case "nvidia":
      return nvidiaBuild(targets, data) ?? "cpu";
    case "amd":
      return amdBuild(targets, data) ?? "cpu";
    case "intel":
      return "xpu";
  }
}

function undecided(why: string): TareError {
  return new TareError("E_ACCELERATOR", `choosing the accelerator \`auto\`: ${why}`, {
    hint: "name one: `--accelerator cu128`, `cpu` …",
  });
}

/** Of GPUs that nobody named: what they probably are among, so that one is not left out for nothing. */
const USUAL: readonly string[] = ["8.0", "9.0", "12.0"];

function nvidiaBuild(targets: readonly GpuTarget[], data: GpuData): string | undefined {
  const isNamed = targets.every((target) => capabilitiesOf(target).length > 0);
  return (isNamed ? undefined : bestOf(targets, data, USUAL)) ?? bestOf(targets, data, []);
}

/** Of the newest release with a build for all targets its default, else the one of the newest CUDA. */
function bestOf(targets: readonly GpuTarget[], data: GpuData, besides: readonly string[]): string | undefined {
  const [first = [], ...others] = targets.map((target) => suitableFor(target, data, besides));
  const all = first.filter((each) => others.every((list) => list.some(({ pin }) => pin === each.pin)));
  const known = all.filter(({ build, kernels }) => build.kernels !== undefined && kernels === "machine-code");
  const candidates = known.length > 0 ? known : besides.length > 0 ? [] : all;
  const newest = candidates.filter(({ build }) => build.version === candidates[0]?.build.version);
  return (newest.find(({ build }) => build.isDefault) ?? newest[0])?.build.local;
}

function suitableFor(target: GpuTarget, data: GpuData, besides: readonly string[]): readonly SuitableBuild[] {
  const { driver, name } = target;
  if (driver === undefined) throw undecided(`the driver of \`${name}\` is not told`);
  return suitableBuilds(data, { name: "torch", driver, capabilities: [...capabilitiesOf(target), ...besides] });
}

/** The newest build with code for every GPU. */
function amdBuild(targets: readonly GpuTarget[], data: GpuData): string | undefined {
  const wanted = targets.flatMap(capabilitiesOf);
  const builds = frameworkReleases(data, "torch")
    .toReversed()
    .flatMap((release) => frameworkBuilds(data, "torch", release).toReversed());
  return builds.find(({ rocm }) => {
    const known = data.rocm.find((row) => rocm !== undefined && `${rocm}.`.startsWith(`${row.rocm}.`))?.targets;
    return known !== undefined && wanted.every((gfx) => known.includes(gfx));
  })?.local;
}
