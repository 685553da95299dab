// SPDX-License-Identifier: Apache-2.0
import { frameworkBuild } from "../data/frameworks.ts";
import { cudaOfPins, isNvidia } from "../needs/metadata.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuPackage } from "../types.ts";

/**
 * Packages with the CUDA that they do not tell themselves: by NVIDIA's distributions beside them, which are there for
 * them, else by the tables. What a package tells is never changed.
 */
export function withTables(packages: readonly GpuPackage[], data: GpuData): readonly GpuPackage[] {
  const pins = Object.fromEntries(
    packages.filter(({ name }) => isNvidia(name)).map(({ name, version }) => [name, version]),
  );
  const beside = cudaOfPins(pins);
  return packages.map((each) => {
    if (each.cuda !== undefined || isNvidia(each.name) || isOfCpu(each)) return each;
    const named = frameworkBuild(data, each.name, each.version);
    const cuda =
      bringsLibraries(each.name) && beside !== undefined ? beside : named.known ? named.value.cuda : undefined;
    return cuda === undefined ? each : { ...each, cuda, source: each.source === "wheel" ? "wheel" : "table" };
  });
}

function isOfCpu({ version, kernels }: GpuPackage): boolean {
  const isEmpty = kernels !== undefined && kernels.cubins.length + kernels.ptx.length === 0;
  return isEmpty || /\+(?:cpu|rocm|xpu)/.test(version);
}

/** Frameworks that require NVIDIA's distributions. */
function bringsLibraries(name: string): boolean {
  return name === "torch" || /^jax-cuda\d+-(?:plugin|pjrt)$/.test(name);
}
