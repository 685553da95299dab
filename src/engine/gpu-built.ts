// SPDX-License-Identifier: Apache-2.0
/* What a Dockerfile made, against the machines that its folder's settings name. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { readTextIfPresent } from "../base/index.ts";
import type { BuildResult, BuildRequest } from "./types.ts";
import type { Rooms } from "./rooms.ts";

const SETTINGS = [
  ["tare.toml", /^\s*(?:\[\s*)?gpu\b/m],
  ["pyproject.toml", /\btare\b.*\bgpu\b|^\s*gpu\s*(?:\.|=\s*\{)/m],
] as const;

/**
 * Warns of what keeps an image from running on the machines of `[gpu.targets]`, or with `check = "error"` throws
 * `E_GPU_CHECK`: the image is there then and goes nowhere. A project without a Dockerfile is checked before it is built.
 */
export async function checkBuiltImages(rooms: Rooms, request: BuildRequest, result: BuildResult): Promise<void> {
  const { context } = request;
  if (result.decisions !== undefined || result.target === undefined || !namesMachines(context)) return;
  const { checkTargetsOfImage, projectIn, tellTargets } = await import("../build/index.ts");
  const project = projectIn(context);
  if (project?.config.gpu === undefined) return;
  const { gpuNeedsOfImage } = await import("./gpu-needs.ts");
  const image = result.names[0] ?? result.target;
  const store = rooms.writer();
  const found = await checkTargetsOfImage({ store }, project, () => gpuNeedsOfImage(rooms, { ...request, image }));
  tellTargets(found, project, request, `checking \`${image}\``);
}

/**
 * Whether the folder's settings have a table about GPUs. Others of a Dockerfile's folder need not be a project that Tare
 * can read; the context may also be a repository, an archive or the standard input.
 */
function namesMachines(context: string): boolean {
  const isFolder = statSync(context, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && SETTINGS.some(([name, table]) => table.test(readTextIfPresent(join(context, name)) ?? ""));
}
