// SPDX-License-Identifier: Apache-2.0
import { drmNodes, pciGpus } from "./pci.ts";
import type { HostRoots } from "./roots.ts";
import type { VendorGpus } from "./vendor.ts";

const VENDOR = "0x8086";

/** Intel's GPUs that i915 or xe has. */
export function intelGpus(roots: HostRoots): VendorGpus {
  const usable = pciGpus(roots, VENDOR).filter(({ driver }) => driver === "i915" || driver === "xe");
  if (usable.length === 0) return { gpus: [], remarks: [] };
  const gpus = usable.map(({ bus, device }, index) => ({
    vendor: "intel" as const,
    index,
    name: `Intel GPU ${device}`,
    busId: bus,
    nodes: drmNodes(roots, bus),
    mig: [],
  }));
  return { driver: { vendor: "intel", kind: "native", nodes: [] }, gpus, remarks: [] };
}
