// SPDX-License-Identifier: Apache-2.0
import type { HostPlace } from "../host/roots.ts";
import type { CdiSpec } from "../types.ts";
import type { DriverCapability } from "./capabilities.ts";

/** How devices are named: `0` and `0:1`, by uuid, `gpu0` and `mig0:1`. */
export type DeviceNaming = "index" | "uuid" | "type-index";

/** What specifications are generated for. */
export interface GenerateOptions extends HostPlace {
  /** Parts of NVIDIA's driver that are given; all when absent. */
  readonly capabilities?: readonly DriverCapability[];
  /** Default `index` and `uuid`; a device has one name of each. */
  readonly names?: readonly DeviceNaming[];
  /** A device `all`; default true. */
  readonly hasAll?: boolean;
  /** Groups of nodes that not everybody may open; default true. They need version 0.7.0. */
  readonly hasGroups?: boolean;
  /**
   * For other programs too, in the words of the standard alone. Otherwise edits have `searchPaths`, and a GPU that could
   * not compute for a missing part of the driver is an error.
   */
  readonly isPortable?: boolean;
}

/** Specifications of what a host has, one for each maker, and what was missing, a sentence each. */
export interface GeneratedSpecs {
  readonly specs: readonly CdiSpec[];
  readonly remarks: readonly string[];
}
