// SPDX-License-Identifier: Apache-2.0
/*
 * The structures of nvml.h as bytes, for the two 64-bit ABIs that the driver exists for: little-endian, natural
 * alignment. Sizes and offsets follow the declarations; nothing else of NVML is known here.
 */

/** `unsigned int` that stands for "no such instance". */
const NO_INSTANCE = 0xffffffff;
/** `NVML_VALUE_NOT_AVAILABLE` as an `unsigned long long`. */
const NOT_AVAILABLE = 0xffffffffffffffffn;

/** How a version of a driver lays `nvmlProcessInfo_t` out. */
export interface ProcessLayout {
  /** Ends the names of the functions that fill it: `_v3`. */
  readonly suffix: "" | "_v2" | "_v3";
  readonly size: number;
  readonly hasInstances: boolean;
}

/** `nvmlProcessInfo_v1_t`: pid and memory. */
const PROCESS_V1 = { size: 16, hasInstances: false } as const;
/** `nvmlProcessInfo_v2_t`: also the two MIG instances. The functions `_v2` and `_v3` both fill it. */
const PROCESS_V2 = { size: 24, hasInstances: true } as const;
/** The first drivers of branch 535 let `_v3` fill 8 bytes more, which later ones took back. */
const PROCESS_535 = { size: 32, hasInstances: true } as const;

/** The layout that a library with these functions fills. */
export function processLayout(has: (name: string) => boolean): ProcessLayout {
  const base = "nvmlDeviceGetComputeRunningProcesses";
  if (has(`${base}_v3`)) {
    const isFirst535 = has("nvmlDeviceGetConfComputeMemSizeInfo") && !has("nvmlDeviceGetRunningProcessDetailList");
    return { suffix: "_v3", ...(isFirst535 ? PROCESS_535 : PROCESS_V2) };
  }
  return has(`${base}_v2`) ? { suffix: "_v2", ...PROCESS_V2 } : { suffix: "", ...PROCESS_V1 };
}

/** An item of the list of processes. */
export interface ProcessItem {
  readonly pid: number;
  readonly memory?: number;
  readonly gi?: number;
  readonly ci?: number;
}

/** The first `count` items, as many as the bytes hold. */
export function readProcesses(bytes: Buffer, count: number, layout: ProcessLayout): readonly ProcessItem[] {
  return items(bytes, count, layout.size).map((at) => {
    const memory = bytes.readBigUInt64LE(at + 8);
    const [gi, ci] = layout.hasInstances
      ? [bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)]
      : [NO_INSTANCE, NO_INSTANCE];
    return {
      pid: bytes.readUInt32LE(at),
      ...(memory === NOT_AVAILABLE ? {} : { memory: Number(memory) }),
      ...(gi === NO_INSTANCE ? {} : { gi }),
      ...(ci === NO_INSTANCE ? {} : { ci }),
    };
  });
}

/** `nvmlProcessUtilizationSample_t`. */
export const UTILIZATION_SIZE = 32;

/** Per cent of the processors by pid; of several samples of one process the newest counts. */
export function readUtilization(bytes: Buffer, count: number): ReadonlyMap<number, number> {
  const samples = items(bytes, count, UTILIZATION_SIZE).map((at) => ({
    pid: bytes.readUInt32LE(at),
    time: bytes.readBigUInt64LE(at + 8),
    percent: bytes.readUInt32LE(at + 16),
  }));
  const oldestFirst = samples.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return new Map(oldestFirst.map(({ pid, percent }) => [pid, percent]));
}

/** `nvmlMemory_t` and `nvmlMemory_v2_t`; the second begins with its version and tells reserved memory apart. */
export const MEMORY_SIZE = 24;
export const MEMORY_V2_SIZE = 40;
export const MEMORY_V2_VERSION: number = 0x02000000 | MEMORY_V2_SIZE;

/** Bytes of memory. */
export interface MemoryItem {
  readonly memoryTotal: number;
  readonly memoryUsed: number;
}

/** From `nvmlMemory_t`. */
export function readMemory(bytes: Buffer): MemoryItem {
  return { memoryTotal: Number(bytes.readBigUInt64LE(0)), memoryUsed: Number(bytes.readBigUInt64LE(16)) };
}

/** From `nvmlMemory_v2_t`. */
export function readMemoryV2(bytes: Buffer): MemoryItem {
  return { memoryTotal: Number(bytes.readBigUInt64LE(8)), memoryUsed: Number(bytes.readBigUInt64LE(32)) };
}

/** `nvmlPciInfo_t`: its old versions are shorter and begin with the same fields. */
export const PCI_SIZE = 68;

/** `0000:07:00.0`, as /sys writes it; NVML writes eight digits of domain. */
export function readBusId(bytes: Buffer): string {
  const hex = (at: number, digits: number): string => bytes.readUInt32LE(at).toString(16).padStart(digits, "0");
  return `${hex(16, 4)}:${hex(20, 2)}:${hex(24, 2)}.0`;
}

/** `nvmlDeviceAttributes_t`. */
export const ATTRIBUTES_SIZE = 40;

/** Slices of a MIG device, and its memory in bytes. */
export interface MigAttributes {
  readonly instanceSlices: number;
  readonly computeSlices: number;
  readonly memoryTotal: number;
}

/** From `nvmlDeviceAttributes_t`. */
export function readAttributes(bytes: Buffer): MigAttributes {
  return {
    instanceSlices: bytes.readUInt32LE(24),
    computeSlices: bytes.readUInt32LE(28),
    memoryTotal: Number(bytes.readBigUInt64LE(32)) * 1024 * 1024,
  };
}

/** Text up to the first zero byte. */
export function readText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** Offsets of the whole items that the bytes hold. */
function items(bytes: Buffer, count: number, size: number): readonly number[] {
  const whole = Math.min(count, Math.floor(bytes.length / size));
  return Array.from({ length: whole }, (_, index) => index * size);
}
