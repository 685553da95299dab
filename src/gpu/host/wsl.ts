// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { GpuVendor } from "../types.ts";
import { namesIn, statusOf } from "./read.ts";
import type { HostRoots } from "./roots.ts";
import type { VendorGpus } from "./vendor.ts";

const NODE = "/dev/dxg";

/** Where Windows shows its GPU drivers inside of WSL2. */
export const WSL_FOLDER = "/usr/lib/wsl";

/**
 * The GPUs of a Windows that this Linux runs in. One node stands for all of them, and how many there are only the
 * driver's libraries could tell. Undefined outside of WSL2.
 */
export function wslGpus(roots: HostRoots): VendorGpus | undefined {
  if (statusOf(join(roots.dev, NODE)) === undefined) return undefined;
  const vendor = vendorOf(roots);
  if (vendor === undefined) {
    const why = "has no driver of NVIDIA or Intel: install one for WSL2 in Windows and run `wsl --shutdown` there";
    return { gpus: [], remarks: [`${NODE} is there, but ${WSL_FOLDER} ${why}`] };
  }
  const name = `${vendor === "nvidia" ? "NVIDIA" : "Intel"} GPU of Windows`;
  return {
    driver: { vendor, kind: "wsl", nodes: [NODE] },
    gpus: [{ vendor, index: 0, name, nodes: [NODE], mig: [] }],
    remarks: [],
  };
}

function vendorOf(roots: HostRoots): GpuVendor | undefined {
  const drivers = join(roots.driver, WSL_FOLDER, "drivers");
  const folders = [join(roots.driver, WSL_FOLDER, "lib"), ...namesIn(drivers).map((name) => join(drivers, name))];
  const names = new Set(folders.flatMap(namesIn));
  if (names.has("libcuda.so.1.1")) return "nvidia";
  return names.has("libze_intel_gpu.so.1") || names.has("libigdgmm.so.12") ? "intel" : undefined;
}
