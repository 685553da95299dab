// SPDX-License-Identifier: Apache-2.0
import type { GpuTarget, HostGpu, HostGpus } from "../types.ts";

/** What this machine is called in messages. */
const THIS_HOST = "this host";

/** A host as targets: one for every maker whose driver has a GPU, NVIDIA's first. */
export function targetsOfHost({ drivers, gpus }: HostGpus): readonly GpuTarget[] {
  return drivers.flatMap(({ vendor, version, cuda }) => {
    const own = gpus.filter((gpu) => gpu.vendor === vendor);
    if (own.length === 0) return [];
    return [
      {
        name: THIS_HOST,
        vendor,
        gpus: kindsOf(own),
        ...(version === undefined ? {} : { driver: version }),
        ...(cuda === undefined ? {} : { cuda }),
      },
    ];
  });
}

/** Equal GPUs once. */
function kindsOf(gpus: readonly HostGpu[]): GpuTarget["gpus"] {
  const kinds = gpus.map(({ name, architecture, brand }) => ({
    name,
    ...(architecture === undefined ? {} : { architecture }),
    ...(brand === undefined ? {} : { brand }),
  }));
  return [...new Map(kinds.map((kind) => [JSON.stringify(kind), kind])).values()];
}
