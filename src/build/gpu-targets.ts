// SPDX-License-Identifier: Apache-2.0
/* The machines with GPUs that a project is for: what `auto` is for them, and whether chosen packages run on them. */
import { TareError } from "../base/index.ts";
import type { GpuFinding, GpuTarget, GpuWheel, ImageNeeds } from "../gpu/index.ts";
import type { TareConfig } from "../project/index.ts";
import type { SelectedPackage } from "../python/index.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildPlace } from "./run-build.ts";

/** A project, of which only what it says of GPUs counts here. */
interface Configured {
  readonly config: Pick<TareConfig, "gpu">;
}

/** The machines of `[tool.tare.gpu.targets]`. Throws `E_CONFIG`. */
async function targetsOf({ config }: Configured): Promise<readonly GpuTarget[]> {
  const { parseGpuTarget } = await import("../gpu/index.ts");
  return Object.entries(config.gpu?.targets ?? {}).map(([name, text]) => {
    try {
      return parseGpuTarget(text, name);
    } catch (error) {
      if (!(error instanceof TareError)) throw error;
      throw new TareError("E_CONFIG", `reading gpu.targets.${name}: ${error.message}`, { hint: error.hint ?? "" });
    }
  });
}

/**
 * What decides `auto`, when it is asked for: the project's machines, else this host. Throws `E_CONFIG`; the function
 * throws `E_ACCELERATOR`.
 */
export async function automaticAccelerator(
  { env, store }: Pick<BuildPlace, "env" | "store">,
  project: Configured,
  wanted: string | undefined,
): Promise<() => string> {
  if (wanted !== "auto") return () => "cpu";
  const { automaticBuild, currentGpuData, describeHost, targetsOfHost } = await import("../gpu/index.ts");
  const named = await targetsOf(project);
  const { NVIDIA_DRIVER_ROOT: driverRoot } = env;
  const place = driverRoot === undefined || driverRoot === "" ? {} : { driverRoot };
  const targets = named.length > 0 ? named : targetsOfHost(await describeHost(place)).slice(0, 1);
  const { data } = await currentGpuData(store);
  return () => automaticBuild(targets, data);
}

/** What was found for one machine: errors and warnings alone. */
export interface TargetFindings {
  readonly target: string;
  readonly findings: readonly GpuFinding[];
}

/** What stands in the way of packages on the project's machines; nothing without machines, or where it is switched off. */
export async function checkTargets(
  place: Pick<BuildPlace, "store">,
  project: Configured,
  packages: readonly SelectedPackage[],
): Promise<readonly TargetFindings[]> {
  const wheels = packages.flatMap(wheelOf);
  return checkTargetsOfImage(place, project, async () => {
    const { needsOfWheels } = await import("../gpu/index.ts");
    return { image: "", env: {}, packages: await needsOfWheels(place.store, wheels) };
  });
}

/** The same for an image, whose needs are read only where machines are named. */
export async function checkTargetsOfImage(
  place: Pick<BuildPlace, "store">,
  project: Configured,
  read: () => Promise<ImageNeeds>,
): Promise<readonly TargetFindings[]> {
  if (project.config.gpu === undefined || project.config.gpu.check === "off") return [];
  const targets = await targetsOf(project);
  if (targets.length === 0) return [];
  const { checkImage, currentGpuData } = await import("../gpu/index.ts");
  const needs = await read();
  if (needs.packages.length === 0 && needs.toolkit === undefined) return [];
  const { data } = await currentGpuData(place.store);
  const all = targets.map((target) => ({
    target: target.name,
    findings: checkImage(target, needs, data).filter(isTold),
  }));
  return all.filter(({ findings }) => findings.length > 0);
}

function wheelOf({ name, version, wheel }: SelectedPackage): readonly GpuWheel[] {
  if (version === undefined || !wheel) return [];
  const { fileName, digest } = wheel;
  return [{ name, version, fileName, ...(digest === undefined ? {} : { digest }) }];
}

function isTold({ level }: GpuFinding): boolean {
  return level === "error" || level === "warning";
}

/** Sentences for people; what one change puts right is told once. */
export function targetTexts(all: readonly TargetFindings[]): readonly string[] {
  return all.flatMap(({ target, findings }) => {
    const once = findings.filter(
      ({ fix }, at) => fix === undefined || findings.findIndex((each) => each.fix === fix) === at,
    );
    return once.map(
      ({ message, fix }) => `on \`${target}\`: ${message}${fix === undefined ? "" : `; to change: ${fix}`}`,
    );
  });
}

/** Throws `E_GPU_CHECK` where the project wants an error and something can't run. */
export function refuseTargets(
  all: readonly TargetFindings[],
  { config }: Configured,
  doing: string = "choosing packages",
): void {
  if (config.gpu?.check !== "error") return;
  const errors = all.flatMap(({ target, findings }) =>
    findings.filter(({ level }) => level === "error").map((finding) => ({ target, ...finding })),
  );
  const [first, ...others] = errors;
  if (!first) return;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  throw new TareError("E_GPU_CHECK", `${doing} for \`${first.target}\`: ${first.message}${more}`, {
    hint: first.fix ?? 'set `check = "warn"` below [tool.tare.gpu] to go on all the same',
  });
}

/** Refuses, or warns the listener of everything that was found. Throws as `refuseTargets`. */
export function tellTargets(
  all: readonly TargetFindings[],
  project: Configured,
  { listener }: Pick<BuildRequest, "listener">,
  doing?: string,
): void {
  refuseTargets(all, project, doing);
  for (const message of targetTexts(all)) listener?.({ kind: "warning", rule: "GpuTarget", message, at: Date.now() });
}
