// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GpuSampler } from "../gpu/index.ts";

/** What processes use of GPUs. */
export interface GpuShare {
  /** Bytes of the GPUs' memory; absent where the driver does not say. */
  readonly memory?: number;
  /** 100 is one whole GPU; absent where the driver does not say. */
  readonly percent?: number;
}

/** Where the use of GPUs is asked for. */
export interface GpuUsage {
  /** Opens rounds of questions, which the caller closes; undefined on a host without a GPU's driver. Never an estimate. */
  open(): Promise<GpuSampler | undefined>;
}

/** One of these is there wherever a driver of a GPU is. */
const SIGNS: readonly string[] = ["proc/driver/nvidia", "dev/dxg", "dev/dri", "dev/kfd"];

/** The GPUs of this host. Without one that costs some looks at the disk, and nothing more is loaded. */
export function hostGpuUsage(driverRoot: string): GpuUsage {
  return {
    open: async () => {
      const places = driverRoot === "/" ? ["/"] : [driverRoot, "/"];
      if (!places.some((place) => SIGNS.some((sign) => existsSync(join(place, sign))))) return undefined;
      const { openGpuSampler } = await import("../gpu/index.ts");
      return openGpuSampler({ driverRoot });
    },
  };
}
