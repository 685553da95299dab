// SPDX-License-Identifier: Apache-2.0
/* The accelerator of a project's build, and that a lock is one for it. */
import { TareError } from "../base/index.ts";
import { chooseAccelerator, gpuPackagesError, isGpuPackage, stampOf } from "../python/index.ts";
import { automaticAccelerator } from "./gpu-targets.ts";
import type { Lock, SelectedPackage } from "../python/index.ts";
import type { ProjectBuild } from "./project-build.ts";

type Asking = Pick<ProjectBuild, "place" | "request" | "project">;

/**
 * `--accelerator` or `[tool.tare]`, else that of the lock. `auto` of the project is decided when it is locked, so that
 * a build on another machine is the same.
 */
export async function acceleratorOf({ place, request, project }: Asking, lock?: Lock): Promise<string | undefined> {
  const own = request.python?.accelerator;
  const locked = lock && stampOf(lock)?.accelerator;
  const configured = project.config.accelerator;
  if (own === undefined && locked !== undefined && (configured === undefined || configured === "auto")) return locked;
  const wanted = own ?? configured;
  return chooseAccelerator(wanted, await automaticAccelerator(place, project, wanted));
}

/**
 * A lock made with CUDA does not become one for the CPU by leaving packages out: torch itself is another build. Throws
 * `E_ACCELERATOR` for a lock of the user that is not for `accelerator`.
 */
export function checkAccelerator(
  accelerator: string | undefined,
  lock: Lock,
  selected: readonly SelectedPackage[],
): void {
  if (accelerator === undefined) return;
  const made = stampOf(lock)?.accelerator;
  if (made !== undefined && made !== accelerator) throw madeForOther(accelerator, `was made for ${made}`);
  const gpu = selected.filter(({ name }) => isGpuPackage(name)).map(({ name }) => name);
  if (accelerator === "cpu" && gpu.length > 0) throw gpuPackagesError(gpu, new Map());
  const torch = selected.find(({ name }) => name === "torch")?.version;
  const build = torch?.split("+")[1];
  const isPlain = build === undefined && accelerator === "cpu";
  if (torch !== undefined && build !== accelerator && !isPlain) throw madeForOther(accelerator, `has torch ${torch}`);
}

function madeForOther(accelerator: string, what: string): TareError {
  return new TareError("E_ACCELERATOR", `choosing packages for ${accelerator}: the lock ${what}`, {
    hint: `lock again with \`tare lock --accelerator ${accelerator}\``,
  });
}
