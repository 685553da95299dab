// SPDX-License-Identifier: Apache-2.0
/* Specifications of devices, generated for other programs: that part of the face. */
import type { DeviceNaming, DriverCapability } from "../gpu/index.ts";

export type { DeviceNaming, DriverCapability } from "../gpu/index.ts";

/** `gpu cdi generate`. */
export interface GenerateCdiRequest {
  readonly format: "yaml" | "json";
  /** Where the driver's files are; default `NVIDIA_DRIVER_ROOT`, else `/`. */
  readonly driverRoot?: string;
  /** Folder whose `dev` has the device nodes; default the driver's root where it has some, else `/`. */
  readonly devRoot?: string;
  /** One name a device for each; default `index` and `uuid`. */
  readonly names?: readonly DeviceNaming[];
  /** Parts of NVIDIA's driver; default all. */
  readonly capabilities?: readonly DriverCapability[];
  readonly hasAll: boolean;
  /** Groups of nodes that not everybody may open; they need readers of version 0.7.0. */
  readonly hasGroups: boolean;
}

/** One specification. */
export interface GeneratedCdi {
  /** `nvidia.com/gpu` */
  readonly kind: string;
  readonly cdiVersion: string;
  /** Names of its devices. */
  readonly devices: readonly string[];
  /** Its file. */
  readonly text: string;
}

/** Specifications of this host's GPUs, and what was missing or odd, a sentence each. */
export interface GeneratedCdiList {
  /** One for each maker, NVIDIA's first. */
  readonly specs: readonly GeneratedCdi[];
  readonly remarks: readonly string[];
}
