// SPDX-License-Identifier: Apache-2.0
import * as layouts from "./layouts.ts";
import type { NvmlLibrary } from "./library.ts";
import type { Asking } from "./asking.ts";
import { NVML_INSUFFICIENT_SIZE, NVML_NOT_FOUND, NVML_SUCCESS } from "./return-codes.ts";
import type { NvmlProcess } from "./types.ts";

/** CUDA programs, and those that draw: a process may be both. */
const KINDS = ["nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"] as const;
/** Processes may start between the question for their number and the question for them. */
const SPARE = 16;
const MICROSECONDS = 1000;
/** The driver keeps samples of some seconds; those of the last one count. */
const SAMPLED = 1_000_000;

/**
 * The processes that have memory of a GPU, each once, and what they use. Of a divided GPU only the administrator may ask
 * as a whole; others ask its parts.
 */
export function readDeviceProcesses(ask: Asking, device: bigint, parts: readonly bigint[]): readonly NvmlProcess[] {
  const layout = layouts.processLayout((name) => ask.library.has(name));
  const found = KINDS.flatMap((kind) => readKind(ask, [device, ...parts], `${kind}${layout.suffix}`, layout));
  const busy = found.length === 0 ? undefined : readBusy(ask.library, device);
  const once = new Map(found.map((process) => [`${process.pid} ${process.gi} ${process.ci}`, process]));
  return [...once.values()].map((process) => ({
    ...process,
    ...(busy === undefined ? {} : { percent: busy.get(process.pid) ?? 0 }),
  }));
}

function readKind(
  ask: Asking,
  [device = 0n, ...parts]: readonly bigint[],
  name: string,
  layout: layouts.ProcessLayout,
): readonly layouts.ProcessItem[] {
  let code = NVML_SUCCESS;
  const list = (handle: bigint): readonly layouts.ProcessItem[] | undefined => {
    const filled = fill((count, bytes) => (code = ask.library.call([name], handle, count, bytes)), layout.size);
    return filled && layouts.readProcesses(filled.bytes, filled.count, layout);
  };
  const whole = list(device);
  if (whole) return whole;
  if (parts.length === 0) ask.note(name, code);
  return parts.flatMap((part) => list(part) ?? []);
}

/** Undefined where the driver does not count by process, as with MIG. */
function readBusy(library: NvmlLibrary, device: bigint): ReadonlyMap<number, number> | undefined {
  const since = BigInt(Date.now() * MICROSECONDS - SAMPLED);
  let last = NVML_SUCCESS;
  const filled = fill((count, bytes) => {
    last = library.call(["nvmlDeviceGetProcessUtilization"], device, bytes, count, since);
    return last;
  }, layouts.UTILIZATION_SIZE);
  if (filled) return layouts.readUtilization(filled.bytes, filled.count);
  // No process has done anything since then.
  return last === NVML_NOT_FOUND ? new Map() : undefined;
}

/** NVML's way with lists: asked without a buffer it says how many items there are. Undefined when it refuses. */
function fill(
  read: (count: Buffer, bytes: Buffer | null) => number,
  size: number,
): { readonly bytes: Buffer; readonly count: number } | undefined {
  const count = Buffer.alloc(4);
  const first = read(count, null);
  if (first === NVML_SUCCESS) return { bytes: Buffer.alloc(0), count: 0 };
  if (first !== NVML_INSUFFICIENT_SIZE) return undefined;
  const room = count.readUInt32LE() + SPARE;
  const bytes = Buffer.alloc(room * size);
  count.writeUInt32LE(room);
  return read(count, bytes) === NVML_SUCCESS ? { bytes, count: count.readUInt32LE() } : undefined;
}
