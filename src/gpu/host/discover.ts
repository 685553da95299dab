// SPDX-License-Identifier: Apache-2.0
import type { HostGpus } from "../types.ts";
import { amdGpus } from "./amd.ts";
import { intelGpus } from "./intel.ts";
import { nvidiaGpus } from "./nvidia.ts";
import { rootsOf } from "./roots.ts";
import type { HostPlace } from "./roots.ts";
import { wslGpus } from "./wsl.ts";

/** The GPUs of this host and their drivers, as files tell: no program is started and no device is opened. */
export function discoverGpus(place: HostPlace = {}): HostGpus {
  const roots = rootsOf(place);
  const wsl = wslGpus(roots);
  const found = wsl ? [wsl] : [nvidiaGpus(roots), amdGpus(roots), intelGpus(roots)];
  return {
    drivers: found.flatMap(({ driver }) => (driver === undefined ? [] : [driver])),
    gpus: found.flatMap(({ gpus }) => gpus),
    remarks: found.flatMap(({ remarks }) => remarks),
  };
}
