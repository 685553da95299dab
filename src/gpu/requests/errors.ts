// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import type { GpuVendor } from "../types.ts";
import type { GpuInventory, VendorDevices } from "./inventory.ts";

const NAMES: Readonly<Record<GpuVendor, string>> = { nvidia: "NVIDIA", amd: "AMD", intel: "Intel" };

/** There is nothing at all: what was looked for, and what to do. */
export function gpusMissing({ lookedIn, remarks = [] }: GpuInventory): TareError {
  const hints = [
    ...remarks,
    "`nvidia-smi` (AMD: `rocm-smi`) shows whether the driver works; without its package there is no GPU for any program",
    "to run on the processors, leave `--gpus` out",
  ];
  return new TareError(
    "E_GPU_MISSING",
    `giving GPUs to the container: this host has none (looked for ${lookedIn.join(", ")})`,
    {
      hint: hints.join("; "),
      exitCode: 125,
    },
  );
}

/** There are GPUs, and not of the vendor that was asked for. */
export function vendorMissing(
  { driver }: GpuRequest,
  possible: readonly GpuVendor[],
  found: readonly VendorDevices[],
): TareError {
  const wanted = possible.map((vendor) => NAMES[vendor]).join(" or ");
  const there = found.map(({ vendor }) => NAMES[vendor]).join(" and ");
  const hint = driver === "" ? "leave these capabilities out" : `leave \`driver=${driver}\` out to have what there is`;
  return new TareError(
    "E_GPU_MISSING",
    `giving GPUs to the container: this host has none of ${wanted}, only of ${there}`,
    {
      hint,
      exitCode: 125,
    },
  );
}
