// SPDX-License-Identifier: Apache-2.0
/* Whether kernels in a library suit a GPU. */
import type { GpuKernels } from "../types.ts";
import { compareDotted } from "../versions.ts";

/** Kernels as the data has them: all, or the lowest and the highest machine code alone. */
export type KnownKernels =
  | { readonly kind: "list"; readonly kernels: GpuKernels }
  | { readonly kind: "range"; readonly low: string; readonly high: string; readonly ptx: readonly string[] };

/**
 * How a GPU of a compute capability runs kernels: as machine code, compiled by the driver from PTX, or not at all.
 * Machine code runs within one major version upwards (8.6 on 8.9), with `a` on that capability alone, with `f` within
 * its major version upwards; PTX compiles for anything newer, with `a` or `f` for what its machine code would run on.
 */
export function howKernelsRun(known: KnownKernels, capability: string): "machine-code" | "ptx" | "none" | "unknown" {
  const ptx = known.kind === "list" ? known.kernels.ptx : known.ptx;
  const code = known.kind === "list" ? codeOfList(known.kernels.cubins, capability) : codeOfRange(known, capability);
  if (code === "yes") return "machine-code";
  if (ptx.some((kernel) => ptxCompiles(kernel, capability))) return "ptx";
  return code === "no" ? "none" : "unknown";
}

function codeOfList(cubins: readonly string[], capability: string): "yes" | "no" {
  return cubins.some((kernel) => machineCodeRuns(kernel, capability)) ? "yes" : "no";
}

/** The lowest and highest are there; what lies between is not known. */
function codeOfRange(
  { low, high }: { readonly low: string; readonly high: string },
  capability: string,
): "yes" | "no" | "unknown" {
  if (machineCodeRuns(low, capability) || machineCodeRuns(high, capability)) return "yes";
  const outside = compareDotted(capability, bare(low)) < 0 || compareDotted(major(capability), major(high)) > 0;
  return outside ? "no" : "unknown";
}

function machineCodeRuns(kernel: string, capability: string): boolean {
  if (kernel.endsWith("a")) return bare(kernel) === capability;
  return major(kernel) === major(capability) && compareDotted(capability, bare(kernel)) >= 0;
}

function ptxCompiles(kernel: string, capability: string): boolean {
  if (/[af]$/.test(kernel)) return machineCodeRuns(kernel, capability);
  return compareDotted(capability, kernel) >= 0;
}

function bare(kernel: string): string {
  return kernel.replace(/[af]$/, "");
}

function major(capability: string): string {
  return capability.split(".")[0] ?? "";
}
