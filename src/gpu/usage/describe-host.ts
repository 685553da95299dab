// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { discoverGpus } from "../host/discover.ts";
import { namesIn, readFact } from "../host/read.ts";
import { rootsOf } from "../host/roots.ts";
import type { HostPlace, HostRoots } from "../host/roots.ts";
import type { AskOptions } from "../nvml/client.ts";
import { known } from "../nvml/known.ts";
import type { NvmlDevice } from "../nvml/types.ts";
import type { HostGpu, HostGpus, MigPart } from "../types.ts";
import { askNvml } from "./ask-nvml.ts";
import { drmClients, hostProcesses } from "./drm-clients.ts";
import { kfdUses } from "./kfd.ts";
import type { GpuProcess, GpuState, HostGpuStates } from "./types.ts";
import { withChips } from "./with-chips.ts";
import { withNvml } from "./with-nvml.ts";
import type { WithNvml } from "./with-nvml.ts";

/**
 * The GPUs of this host with what only their driver's library knows: CUDA, compute capability, brand, memory, uuids of MIG
 * parts. Where that library does not answer within its limit, what files tell, and a remark with the reason. Throws
 * `E_ABORTED`.
 */
export async function describeHost(place: HostPlace = {}, options: AskOptions = {}): Promise<HostGpus> {
  const { drivers, gpus, remarks } = await describe(rootsOf(place), place, options);
  return { drivers, gpus, remarks };
}

/** The same, and what the GPUs do at this moment and for whom. */
export async function gpuStates(place: HostPlace = {}, options: AskOptions = {}): Promise<HostGpuStates> {
  const roots = rootsOf(place);
  const { drivers, pairs, remarks } = await describe(roots, place, options);
  const others = pairs.some(({ gpu }) => gpu.vendor !== "nvidia") ? otherProcesses(roots) : new Map<string, never>();
  const gpus = pairs.map(({ gpu, device }) =>
    gpu.vendor === "nvidia" ? nvidiaState(gpu, device) : otherState(roots, gpu, others.get(gpu.busId ?? "") ?? []),
  );
  return { drivers, gpus, remarks };
}

async function describe(roots: HostRoots, place: HostPlace, options: AskOptions): Promise<WithNvml> {
  const host = discoverGpus(place);
  const answer = await askNvml(host, roots, options);
  if (answer !== undefined && "report" in answer) return withNvml(host, answer.report);
  const remarks = answer === undefined ? host.remarks : [...host.remarks, answer.remark];
  const gpus = await withChips(host.gpus);
  return { ...host, gpus, remarks, pairs: gpus.map((gpu) => ({ gpu })) };
}

function nvidiaState(gpu: HostGpu, device: NvmlDevice | undefined): GpuState {
  if (device === undefined) return { gpu, partMemoryUsed: {}, processes: [] };
  const { memoryUsed, utilisation, temperature } = device;
  const processes = device.processes.map(({ pid, memory, percent, gi, ci }) => {
    const part = gpu.mig.find((each) => each.gi !== undefined && each.gi === gi && each.ci === ci)?.index;
    return { pid, ...known({ memory, percent, part }) };
  });
  const used = gpu.mig.flatMap((part): [number, number][] => {
    const own = device.mig.find((each) => isSamePart(each, part))?.memoryUsed;
    return own === undefined ? [] : [[part.index, own]];
  });
  return {
    gpu,
    partMemoryUsed: Object.fromEntries(used),
    processes,
    ...known({ memoryUsed, utilisation, temperature }),
  };
}

function isSamePart(own: NvmlDevice["mig"][number], part: MigPart): boolean {
  return own.uuid !== undefined && own.uuid === part.uuid;
}

/** Of AMD's GPUs; Intel's drivers tell neither memory nor use in these files. */
function otherState(roots: HostRoots, gpu: HostGpu, processes: readonly GpuProcess[]): GpuState {
  const folder = join(roots.kernel, "sys/bus/pci/devices", gpu.busId ?? "");
  const number = (name: string): number | undefined => numberOf(readFact(join(folder, name)));
  const sensor = namesIn(join(folder, "hwmon"))[0];
  const heat = sensor === undefined ? undefined : number(`hwmon/${sensor}/temp1_input`);
  return {
    gpu,
    partMemoryUsed: {},
    processes,
    ...known({
      memoryUsed: number("mem_info_vram_used"),
      utilisation: number("gpu_busy_percent"),
      temperature: heat === undefined ? undefined : Math.round(heat / 1000),
    }),
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** By GPU's address. What a process has by both ways is the same memory, seen twice. */
function otherProcesses(roots: HostRoots): ReadonlyMap<string, readonly GpuProcess[]> {
  const uses = [...kfdUses(roots), ...drmClients(roots, hostProcesses(roots))];
  return new Map([...new Set(uses.map(({ bus }) => bus))].map((bus) => [bus, processesOf(bus, uses)]));
}

interface Use {
  readonly pid: number;
  readonly bus: string;
  readonly memory: number;
}

function processesOf(bus: string, uses: readonly Use[]): readonly GpuProcess[] {
  const memory = new Map<number, number>();
  for (const use of uses) if (use.bus === bus) memory.set(use.pid, Math.max(use.memory, memory.get(use.pid) ?? 0));
  return [...memory].map(([pid, bytes]) => ({ pid, memory: bytes }));
}
