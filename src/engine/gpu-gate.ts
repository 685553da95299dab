// SPDX-License-Identifier: Apache-2.0
/* The check before a container with GPUs starts. What the image needs is remembered by layer, what the host has by driver. */
import { TareError } from "../base/index.ts";
import { checkImage, currentGpuData, needsOfImage, selectedGpus, targetsOfHost } from "../gpu/index.ts";
import { describedHost } from "./gpu-host.ts";
import type { ContainerImage } from "../containers/index.ts";
import type { GpuFinding, GpuTarget } from "../gpu/index.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { Rooms } from "./rooms.ts";

/**
 * Refuses an image that can't run on the GPUs that it would get; warnings are told. Throws `E_GPU_CHECK`, or tells errors
 * as warnings too with `gpuCheck` `warn`.
 */
export async function requireGpusSuit(rooms: Rooms, request: CreateRequest, image: ContainerImage): Promise<void> {
  const { deviceRequests = [], gpuCheck = "error", onWarning } = request;
  if (deviceRequests.length === 0 || gpuCheck === "off") return;
  const host = selectedGpus(await describedHost(rooms, request.signal), deviceRequests);
  const findings = await findingsFor(rooms, request, { image, targets: targetsOfHost(host) });
  const errors = findings.filter(({ level }) => level === "error");
  if (gpuCheck === "error" && errors.length > 0) throw refusal(image.reference, errors);
  const told = findings.filter(({ level }) => level === "error" || level === "warning");
  for (const { message, fix } of told) onWarning?.(fix === undefined ? message : `${message}; to change: ${fix}`);
}

async function findingsFor(
  rooms: Rooms,
  { env, signal }: CreateRequest,
  { image, targets }: { readonly image: ContainerImage; readonly targets: readonly GpuTarget[] },
): Promise<readonly GpuFinding[]> {
  if (targets.length === 0) return [];
  const store = rooms.writer();
  const { data } = await currentGpuData(store);
  const subject = {
    image: image.reference,
    env: [...(image.defaults.Env ?? []), ...env],
    diffIds: image.diffIds,
  };
  const needs = await needsOfImage(store, subject, signal === undefined ? {} : { signal });
  return targets.flatMap((target) => checkImage(target, needs, data));
}

function refusal(image: string, errors: readonly GpuFinding[]): TareError {
  const [first, ...others] = errors;
  const more = others.length === 0 ? "" : ` (and ${others.length} more: \`tare gpu check ${image}\`)`;
  const fix = first?.fix === undefined ? "" : `${first.fix}; `;
  return new TareError("E_GPU_CHECK", `starting \`${image}\` with GPUs: ${first?.message ?? ""}${more}`, {
    hint: `${fix}\`--gpu-check=warn\` starts it all the same`,
    exitCode: 125,
  });
}
