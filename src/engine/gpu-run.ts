// SPDX-License-Identifier: Apache-2.0
/* What `run` and `create` do about GPUs before a container is made. Runs without GPUs load nothing of that room. */
import { isTareError } from "../base/index.ts";
import type { ContainerImage } from "../containers/index.ts";
import type { FoundDevices } from "../gpu/index.ts";
import type { GpuRequest } from "../options/index.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { Rooms } from "./rooms.ts";

/** NVIDIA's runtime is asked by it. */
const VARIABLE = "NVIDIA_VISIBLE_DEVICES=";

/** The request, with the GPUs that a variable of the user's own asks for when no flag does. */
export async function withGpusOfVariable(request: CreateRequest): Promise<CreateRequest> {
  if (gpusOf(request).length > 0 || !asksByVariable(request.env)) return request;
  const { requestOfEnvironment } = await import("../gpu/index.ts");
  const found = requestOfEnvironment(request.env);
  return found === undefined ? request : { ...request, deviceRequests: [found, ...(request.deviceRequests ?? [])] };
}

/**
 * What a request's devices come to, before an image is pulled for nothing; undefined when it names none. Throws
 * `E_GPU_MISSING`, `E_GPU_UNKNOWN`, `E_GPU_DRIVER`, `E_CDI_DEVICE`, `E_USAGE`.
 */
export async function requiredDevices(rooms: Rooms, request: CreateRequest): Promise<FoundDevices | undefined> {
  const { deviceRequests: requests = [], env } = request;
  if (requests.length === 0) return undefined;
  const { devicePlaces } = await import("./devices.ts");
  const { findDevices } = await import("../gpu/index.ts");
  return await findDevices({ requests, env }, devicePlaces(rooms.settings));
}

/** Tells of an image that asks for GPUs by its own variable, on a host that has some, when the user does not. */
export async function noteUnaskedGpus(rooms: Rooms, request: CreateRequest, image: ContainerImage): Promise<void> {
  const own = image.defaults.Env ?? [];
  if ((request.deviceRequests ?? []).length > 0 || !asksByVariable(own) || asksByVariable(request.env)) return;
  const { discoverGpus, imageAsksFor } = await import("../gpu/index.ts");
  const asked = imageAsksFor(own);
  if (asked === undefined || discoverGpus({ driverRoot: rooms.settings.driverRoot }).gpus.length === 0) return;
  request.onNote?.(
    `the image is for GPUs (${VARIABLE}${asked}) and gets none: \`--gpus all\` gives it those of this host`,
  );
}

/** Refuses an image that can't run on the GPUs that it would get. Throws `E_GPU_CHECK`. */
export async function requireSuitableGpus(
  rooms: Rooms,
  request: CreateRequest,
  { image, devices }: { readonly image: ContainerImage; readonly devices: FoundDevices | undefined },
): Promise<void> {
  if (devices === undefined || devices.gpus.length === 0 || request.gpuCheck === "off") return;
  await (await import("./gpu-gate.ts")).requireGpusSuit(rooms, request, { image, devices });
}

/** `requiredDevices` for a container that is only made: what can't be had now may be there when it is started. */
export async function devicesNow(rooms: Rooms, request: CreateRequest): Promise<FoundDevices | undefined> {
  try {
    return await requiredDevices(rooms, request);
  } catch (error) {
    if (isTareError(error)) return undefined;
    throw error;
  }
}

function gpusOf({ deviceRequests = [] }: CreateRequest): readonly GpuRequest[] {
  return deviceRequests.filter(({ driver }) => driver !== "cdi");
}

function asksByVariable(env: readonly string[]): boolean {
  return env.some((entry) => entry.startsWith(VARIABLE));
}
