// SPDX-License-Identifier: Apache-2.0
import type { HostDriver, HostGpu } from "../types.ts";

/** A process that uses a GPU. */
export interface GpuProcess {
  readonly pid: number;
  /** Bytes of the GPU's memory; absent where the driver does not say. */
  readonly memory?: number;
  /** 100 is one whole GPU; absent where the driver does not say. */
  readonly percent?: number;
  /** The MIG part that it runs in, by the part's index. */
  readonly part?: number;
}

/** A GPU and what it does at this moment. Absent fields are those that its driver does not tell. */
export interface GpuState {
  readonly gpu: HostGpu;
  /** Bytes. */
  readonly memoryUsed?: number;
  /** Per cent of the time that it was busy. */
  readonly utilisation?: number;
  /** Degrees Celsius. */
  readonly temperature?: number;
  /** Bytes in use of MIG parts, by their index. */
  readonly partMemoryUsed: Readonly<Record<number, number>>;
  readonly processes: readonly GpuProcess[];
}

/** The GPUs of this host at this moment. */
export interface HostGpuStates {
  readonly drivers: readonly HostDriver[];
  readonly gpus: readonly GpuState[];
  /** What is missing or odd, and which question got no answer, one sentence each. */
  readonly remarks: readonly string[];
}
