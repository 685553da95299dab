// SPDX-License-Identifier: Apache-2.0
/* What NVML, the management library of NVIDIA's driver, says. Absent fields are those that it does not say. */

/** A process that has memory of a GPU. */
export interface NvmlProcess {
  /** As the host counts processes. */
  readonly pid: number;
  /** Bytes. */
  readonly memory?: number;
  /** Share of the GPU's processors in the last second; 100 is one whole GPU. Not of MIG devices. */
  readonly percent?: number;
  /** With MIG: the ids of the GPU instance and the compute instance that it runs in. */
  readonly gi?: number;
  readonly ci?: number;
}

/** A MIG device. */
export interface NvmlMig {
  /** Place among the MIG devices of its GPU. */
  readonly index: number;
  readonly uuid?: string;
  readonly gi?: number;
  readonly ci?: number;
  /** `1g.5gb` */
  readonly profile?: string;
  /** Bytes. */
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
}

/** A GPU. */
export interface NvmlDevice {
  /** NVML's order, by PCI address. */
  readonly index: number;
  readonly name?: string;
  readonly uuid?: string;
  /** As /sys/bus/pci/devices writes it: `0000:07:00.0`. */
  readonly busId?: string;
  readonly minor?: number;
  /** Lower case: `tesla`. */
  readonly brand?: string;
  /** Compute capability: `8.0`. */
  readonly architecture?: string;
  /** Bytes; absent where the GPU has no memory of its own. */
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
  /** Per cent of the last sample period in which the GPU was busy. */
  readonly utilisation?: number;
  /** Degrees Celsius. */
  readonly temperature?: number;
  readonly mig: readonly NvmlMig[];
  readonly processes: readonly NvmlProcess[];
  /** NVML's own words for what it did not tell although it should: `nvmlDeviceGetHandleByIndex: GPU is lost`. */
  readonly problems: readonly string[];
}

/** Everything. */
export interface NvmlReport {
  /** `535.104.05` */
  readonly driver?: string;
  /** The newest CUDA of the driver: `12.2`. */
  readonly cuda?: string;
  readonly devices: readonly NvmlDevice[];
}

/** What is asked: everything, or only processes and what they use. */
export type NvmlQuestion = "report" | "use";

/** What the child process says about a question. */
export type NvmlAnswer =
  | { readonly kind: "report"; readonly report: NvmlReport }
  | {
      readonly kind: "error";
      /** `load`: the library can't be loaded. Otherwise the function whose answer was no. */
      readonly during: string;
      /** `nvmlReturn_t`; absent when loading failed. */
      readonly code?: number;
      readonly message: string;
    };
