// SPDX-License-Identifier: Apache-2.0

/** What processes use of GPUs. */
export interface GpuShare {
  /** Bytes of the GPUs' memory. */
  readonly memory: number;
  /** 100 is one whole GPU; absent where the driver does not say. */
  readonly percent?: number;
}

/** Where the use of GPUs is asked for. */
export interface GpuUsage {
  /** By pid of this host; undefined where no GPU's driver answers. Never an estimate. */
  sample(): Promise<ReadonlyMap<number, GpuShare> | undefined>;
}
