// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { ownersOfProcesses } from "../containers/index.ts";
import type { ProcessOwner } from "../containers/index.ts";
import { gpuStates } from "../gpu/index.ts";
import type { GpuProcess, GpuState, HostDriver, HostGpuStates } from "../gpu/index.ts";
import type { GpuList, GpuPartSummary, GpuSummary, GpuUser } from "./facade-gpu-list.ts";
import type { Rooms } from "./rooms.ts";

/** `gpu ls`. */
export async function listGpus(rooms: Rooms, call: { readonly signal?: AbortSignal }): Promise<GpuList> {
  const { signal } = call;
  const found = await gpuStates({ driverRoot: rooms.settings.driverRoot }, signal ? { signal } : {});
  const pids = found.gpus.flatMap(({ processes }) => processes.map(({ pid }) => pid));
  const owners = pids.length === 0 ? new Map() : ownersOfProcesses(await rooms.containersToRead(), pids);
  return { gpus: found.gpus.map((state) => summaryOf(state, found, owners)), remarks: remarksOf(found) };
}

/** Where there is nothing at all, what was looked for. */
function remarksOf({ gpus, remarks }: HostGpuStates): readonly string[] {
  return gpus.length > 0 || remarks.length > 0 ? remarks : [NOTHING];
}

const NOTHING =
  "no GPU found: neither NVIDIA's driver (/proc/driver/nvidia, /dev/dxg) nor amdgpu, i915 or xe has one (/sys/bus/pci); " +
  "install the driver and load its module, or name the driver's folder with NVIDIA_DRIVER_ROOT";

type Owners = ReadonlyMap<number, ProcessOwner>;

function summaryOf(state: GpuState, { drivers }: HostGpuStates, owners: Owners): GpuSummary {
  const { nodes: _, mig, memoryBytes, ...gpu } = state.gpu;
  const { memoryUsed, utilisation, temperature } = state;
  const users = (part: number | undefined): readonly GpuUser[] => usersOf(state.processes, part, owners);
  const parts = mig.map((each): GpuPartSummary => {
    const { index, uuid, profile, memoryBytes: total } = each;
    const names = { ...(uuid === undefined ? {} : { uuid }), ...(profile === undefined ? {} : { profile }) };
    return { index, ...names, ...memoryOf(total, state.partMemoryUsed[index]), users: users(index) };
  });
  return {
    ...gpu,
    ...driverOf(drivers.find(({ vendor }) => vendor === gpu.vendor)),
    ...memoryOf(memoryBytes, memoryUsed),
    ...(utilisation === undefined ? {} : { utilisation }),
    ...(temperature === undefined ? {} : { temperature }),
    parts,
    users: users(undefined),
  };
}

function driverOf(driver: HostDriver | undefined): Pick<GpuSummary, "driver" | "cuda"> {
  const { version, cuda } = driver ?? {};
  return { ...(version === undefined ? {} : { driver: version }), ...(cuda === undefined ? {} : { cuda }) };
}

function memoryOf(total: number | undefined, used: number | undefined): Pick<GpuSummary, "memoryTotal" | "memoryUsed"> {
  return {
    ...(total === undefined ? {} : { memoryTotal: total }),
    ...(used === undefined ? {} : { memoryUsed: used }),
  };
}

function usersOf(processes: readonly GpuProcess[], part: number | undefined, owners: Owners): readonly GpuUser[] {
  return processes
    .filter((process) => process.part === part)
    .map((process) => userOf(process, owners.get(process.pid)));
}

function userOf({ pid, memory, percent }: GpuProcess, container: ProcessOwner | undefined): GpuUser {
  const command = commandOf(pid);
  return {
    pid,
    ...(command === undefined ? {} : { command }),
    ...(container ? { container } : {}),
    ...(memory === undefined ? {} : { memory }),
    ...(percent === undefined ? {} : { percent }),
  };
}

/** The kernel's short name of a program; undefined when it has ended. */
function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}
