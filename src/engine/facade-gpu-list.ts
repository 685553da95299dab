// SPDX-License-Identifier: Apache-2.0

/** Who uses a GPU. */
export interface GpuUser {
  /** As this host counts processes. */
  readonly pid: number;
  /** The program's name; absent when it has ended meanwhile. */
  readonly command?: string;
  /** The container of this store that it belongs to. */
  readonly container?: { readonly id: string; readonly name: string };
  /** Bytes of the GPU's memory; absent where the driver does not say. */
  readonly memory?: number;
  /** 100 is one whole GPU; absent where the driver does not say. */
  readonly percent?: number;
}

/** A MIG part of a GPU: what can be asked for instead of the GPU. */
export interface GpuPartSummary {
  /** The `1` of `0:1`. */
  readonly index: number;
  readonly uuid?: string;
  /** `1g.5gb` */
  readonly profile?: string;
  /** Bytes. */
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
  readonly users: readonly GpuUser[];
}

/** A row of `gpu ls`. Absent fields are those that the driver does not tell. */
export interface GpuSummary {
  readonly vendor: "nvidia" | "amd" | "intel";
  /** Place among the GPUs of its maker, by PCI address: what `--gpus device=0` means. */
  readonly index: number;
  readonly name: string;
  readonly uuid?: string;
  readonly busId?: string;
  /** Number of the kind of card on the PCI bus: `0x20b0`. */
  readonly pciDevice?: string;
  /** The N of /dev/nvidiaN. */
  readonly minor?: number;
  /** Version of the kernel driver. */
  readonly driver?: string;
  /** The newest CUDA that the driver carries. */
  readonly cuda?: string;
  /** Compute capability (`8.0`), or `gfx90a`. */
  readonly architecture?: string;
  /** NVIDIA's line of products: `tesla`, `geforce`. */
  readonly brand?: string;
  /** Bytes. */
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
  /** Per cent of the time that it was busy. */
  readonly utilisation?: number;
  /** Degrees Celsius. */
  readonly temperature?: number;
  readonly parts: readonly GpuPartSummary[];
  /** Those that run in no part. */
  readonly users: readonly GpuUser[];
}

/** The GPUs of this host. */
export interface GpuList {
  readonly gpus: readonly GpuSummary[];
  /** What is missing or odd, and which question got no answer, one sentence each. */
  readonly remarks: readonly string[];
}
