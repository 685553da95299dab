// SPDX-License-Identifier: Apache-2.0
import type { GpuVendor, HostGpu } from "../types.ts";

/** What of this host requests are resolved with. */
export interface GpuInventory {
  /** Qualified names of all CDI devices, installed and generated, in the registry's order. */
  readonly names: readonly string[];
  /** What discovery found: names of devices that a specification does not have follow from it. */
  readonly gpus: readonly HostGpu[];
  /** Where drivers and specifications were looked for, as an error tells it. */
  readonly lookedIn: readonly string[];
  /** What is missing or odd, one sentence each. */
  readonly remarks?: readonly string[];
}

/** The devices of one vendor, by their names without the kind. */
export interface VendorDevices {
  readonly vendor: GpuVendor;
  readonly names: readonly string[];
  readonly gpus: readonly HostGpu[];
}

/** In the order in which a request without a driver takes them. */
const VENDORS: readonly GpuVendor[] = ["nvidia", "amd", "intel"];

/** The vendors of which there is a device that can be asked for. */
export function vendorsOf({ names, gpus }: GpuInventory): readonly VendorDevices[] {
  return VENDORS.map((vendor) => ({
    vendor,
    names: names.flatMap((name) => (name.startsWith(kindOf(vendor)) ? [name.slice(kindOf(vendor).length)] : [])),
    gpus: gpus.filter((gpu) => gpu.vendor === vendor),
  })).filter((found) => found.names.length > 0);
}

/** `nvidia.com/gpu=0`. */
export function qualified(vendor: GpuVendor, name: string): string {
  return `${kindOf(vendor)}${name}`;
}

/** Whose device a qualified name is; undefined for what is no GPU. */
export function vendorOfName(name: string): GpuVendor | undefined {
  return VENDORS.find((vendor) => name.startsWith(kindOf(vendor)));
}

function kindOf(vendor: GpuVendor): string {
  return `${vendor}.com/gpu=`;
}
