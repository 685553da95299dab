// SPDX-License-Identifier: Apache-2.0
import { gpuOfPciDevice } from "../data/capabilities.ts";
import { shippedGpuData } from "../data/load.ts";
import type { HostGpu } from "../types.ts";

/** NVIDIA's GPUs with the compute capability of their chip, where the driver's library did not tell it. */
export async function withChips(gpus: readonly HostGpu[]): Promise<readonly HostGpu[]> {
  if (!gpus.some(isUnknown)) return gpus;
  const data = await shippedGpuData();
  return gpus.map((gpu) => {
    const chip = isUnknown(gpu) ? gpuOfPciDevice(data, gpu.pciDevice ?? "") : undefined;
    return chip?.known === true ? { ...gpu, architecture: chip.value.capability } : gpu;
  });
}

function isUnknown({ vendor, architecture, pciDevice }: HostGpu): boolean {
  return vendor === "nvidia" && architecture === undefined && pciDevice !== undefined;
}
