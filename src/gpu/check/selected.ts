// SPDX-License-Identifier: Apache-2.0
import type { GpuRequest } from "../../options/index.ts";
import type { HostGpu, HostGpus } from "../types.ts";

/** The host with the GPUs alone that requests may give to a container; all of them where that can't be told by name. */
export function selectedGpus(host: HostGpus, requests: readonly GpuRequest[]): HostGpus {
  const chosen = requests.map((request) => chosenBy(host.gpus, request));
  if (chosen.includes(undefined)) return host;
  const all = new Set(chosen.flatMap((each) => each ?? []));
  return { ...host, gpus: host.gpus.filter((gpu) => all.has(gpu)) };
}

function chosenBy(gpus: readonly HostGpu[], { count, deviceIds }: GpuRequest): readonly HostGpu[] | undefined {
  if (count !== 0) return count < 0 ? gpus : firstOfEach(gpus, count);
  const found = deviceIds.map((id) => byId(gpus, id));
  return found.includes(undefined) ? undefined : found.flatMap((gpu) => gpu ?? []);
}

function firstOfEach(gpus: readonly HostGpu[], count: number): readonly HostGpu[] {
  return gpus.filter(({ index }) => index < count);
}

/** By index, uuid or PCI address, plain or as the name of a CDI device; a part (`0:1`) is of its GPU. */
function byId(gpus: readonly HostGpu[], id: string): HostGpu | undefined {
  const [kind, named] = id.includes("=") ? id.split("=") : ["", id];
  const [index = ""] = (named ?? "").split(":");
  const vendor = kind === "" ? undefined : kind?.split(".")[0];
  return gpus.find(
    (gpu) =>
      (vendor === undefined || gpu.vendor === vendor) &&
      (isUuid(gpu, named) || gpu.busId === named || String(gpu.index) === index),
  );
}

/** Whole, or its beginning, as NVIDIA's programs take it. */
function isUuid({ uuid }: HostGpu, text: string | undefined): boolean {
  return uuid !== undefined && text !== undefined && text.length >= 8 && uuid.startsWith(text);
}
