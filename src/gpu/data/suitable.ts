// SPDX-License-Identifier: Apache-2.0
/* Which build of a framework runs on given GPUs: the concrete way out of a check that failed. */
import { matchesSpecifier } from "../../python/index.ts";
import { compareDotted } from "../versions.ts";
import { gpuSupportedBy } from "./capabilities.ts";
import { runsOn } from "./drivers.ts";
import { frameworkBuilds, frameworkReleases } from "./frameworks.ts";
import type { FrameworkBuild } from "./frameworks.ts";
import { howKernelsRun } from "./kernels.ts";
import type { GpuData } from "./types.ts";

/** What a build has to run on. */
export interface BuildWish {
  /** Distribution: `torch`. */
  readonly name: string;
  /** Version or branch of the driver; any when it is absent. */
  readonly driver?: string;
  /** Compute capabilities of all the GPUs; any when there are none. */
  readonly capabilities?: readonly string[];
  /** The release to stay with, if it can be. */
  readonly release?: string;
  /** Python version (`3.11`) that needs a wheel. */
  readonly python?: string;
}

/** A build that suits, and how to ask for it. */
export interface SuitableBuild {
  readonly build: FrameworkBuild;
  /** `torch==2.7.0+cu126`. */
  readonly pin: string;
  /** For `--index-url`; absent when PyPI has it. */
  readonly indexUrl?: string;
  /** `machine-code` for all GPUs, `ptx` when a driver has to compile for one. */
  readonly kernels: "machine-code" | "ptx" | "unknown";
}

/**
 * Builds that suit, best first: those whose kernels are known, then those of the wished release, then newer releases
 * before older ones, and in a release the newest CUDA first. A build whose driver is not known is none of them; one whose
 * kernels are not known is, with `unknown`, when its toolkit knows the GPUs.
 */
export function suitableBuilds(data: GpuData, wish: BuildWish): readonly SuitableBuild[] {
  const releases = frameworkReleases(data, wish.name).toReversed();
  const ordered = releases.toSorted((a, b) => Number(b === wish.release) - Number(a === wish.release));
  const suiting = ordered.flatMap((release) =>
    newestCudaFirst(frameworkBuilds(data, wish.name, release)).flatMap((build) => suits(data, build, wish) ?? []),
  );
  return suiting.toSorted((a, b) => Number(a.kernels === "unknown") - Number(b.kernels === "unknown"));
}

function newestCudaFirst(builds: readonly FrameworkBuild[]): readonly FrameworkBuild[] {
  return builds.toSorted((a, b) => compareDotted(b.cuda ?? "0", a.cuda ?? "0"));
}

function suits(data: GpuData, build: FrameworkBuild, wish: BuildWish): SuitableBuild | undefined {
  if (build.cuda === undefined || !hasPython(build, wish.python)) return undefined;
  const runs = wish.driver === undefined ? undefined : runsOn(data, build.cuda, wish.driver).verdict;
  if (runs === "no" || runs === "unknown") return undefined;
  const kernels = kernelsSuit(data, build, wish.capabilities ?? [], runs !== "minor-compatibility");
  if (kernels === "none") return undefined;
  const { name, version, local, indexUrl } = build;
  const plain = indexUrl === undefined || build.isDefault;
  return {
    build,
    pin: plain ? `${name}==${version}` : `${name}==${version}+${local}`,
    ...(plain ? {} : { indexUrl }),
    kernels,
  };
}

function hasPython({ python }: FrameworkBuild, wanted: string | undefined): boolean {
  if (wanted === undefined || python === undefined) return true;
  return typeof python === "string" ? matchesSpecifier(wanted, python) : python.includes(wanted);
}

/** PTX helps only where the driver can compile it, which an older driver than the toolkit's can't. */
function kernelsSuit(
  data: GpuData,
  build: FrameworkBuild,
  capabilities: readonly string[],
  canCompile: boolean,
): SuitableBuild["kernels"] | "none" {
  if (capabilities.length === 0) return "machine-code";
  const { kernels, cuda = "" } = build;
  if (!kernels) {
    const supported = capabilities.every((capability) => gpuSupportedBy(data, cuda, capability).verdict === "yes");
    return supported ? "unknown" : "none";
  }
  const ways = capabilities.map((capability) => howKernelsRun(kernels, capability));
  if (ways.includes("none") || (ways.includes("ptx") && !canCompile)) return "none";
  if (ways.includes("unknown")) return "unknown";
  return ways.includes("ptx") ? "ptx" : "machine-code";
}
