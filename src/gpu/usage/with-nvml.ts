// SPDX-License-Identifier: Apache-2.0
/* What files tell of NVIDIA's GPUs, and what their driver's library adds. Pure. */
import { known } from "../nvml/known.ts";
import type { NvmlDevice, NvmlReport } from "../nvml/types.ts";
import type { HostGpu, HostGpus, MigPart } from "../types.ts";

/** A GPU and what NVML says of it. */
export interface GpuPair {
  readonly gpu: HostGpu;
  readonly device?: NvmlDevice;
}

/** GPUs of all makers with what NVML adds to NVIDIA's, and remarks on what does not go together. */
export interface WithNvml extends HostGpus {
  readonly pairs: readonly GpuPair[];
}

/** Joins both. Where files are silent (WSL2 has one node for all GPUs) NVML's list is the list. */
export function withNvml(host: HostGpus, report: NvmlReport): WithNvml {
  const drivers = host.drivers.map((driver) =>
    driver.vendor === "nvidia" ? { ...driver, ...known({ version: report.driver, cuda: report.cuda }) } : driver,
  );
  const isWsl = host.drivers.some(({ vendor, kind }) => vendor === "nvidia" && kind === "wsl");
  const own = host.gpus.filter(({ vendor }) => vendor === "nvidia");
  const nvidia = isWsl ? wslPairs(own[0], report) : own.map((gpu) => pairOf(gpu, report));
  const pairs = [...nvidia, ...host.gpus.filter(({ vendor }) => vendor !== "nvidia").map((gpu) => ({ gpu }))];
  return { drivers, gpus: pairs.map(({ gpu }) => gpu), remarks: [...host.remarks, ...pairs.flatMap(oddities)], pairs };
}

function wslPairs(template: HostGpu | undefined, report: NvmlReport): readonly GpuPair[] {
  return template ? report.devices.map((device) => merged({ ...template, index: device.index }, device)) : [];
}

/** By address, which every driver tells; else by uuid, else by the number of the node. */
function pairOf(gpu: HostGpu, { devices }: NvmlReport): GpuPair {
  const device =
    devices.find(({ busId }) => busId !== undefined && sameFunction(busId, gpu.busId)) ??
    devices.find(({ uuid }) => uuid !== undefined && uuid === gpu.uuid) ??
    devices.find(({ busId, minor }) => busId === undefined && minor !== undefined && minor === gpu.minor);
  return device ? merged(gpu, device) : { gpu };
}

/** NVML does not tell the function's number, which is 0 for every GPU that is no part of another. */
function sameFunction(left: string, right: string | undefined): boolean {
  return right !== undefined && left.replace(/\.\d$/, "") === right.toLowerCase().replace(/\.\d$/, "");
}

function merged(gpu: HostGpu, device: NvmlDevice): GpuPair {
  const { name, uuid, busId, minor, memoryTotal: memoryBytes, architecture, brand } = device;
  const facts = known({ name, uuid, minor, memoryBytes, architecture, brand, busId: gpu.busId ?? busId });
  return { gpu: { ...gpu, ...facts, mig: mergedParts(gpu.mig, device) }, device };
}

/** Indexes stay those of the files' order, by instance, which is NVML's too. */
function mergedParts(parts: readonly MigPart[], { mig }: NvmlDevice): readonly MigPart[] {
  const found = parts.map((part) => {
    const own = mig.find(({ gi, ci }) => gi !== undefined && gi === part.gi && ci === part.ci);
    return { ...part, ...known({ uuid: own?.uuid, profile: own?.profile, memoryBytes: own?.memoryTotal }) };
  });
  if (found.length > 0) return found;
  return mig.map(({ index, gi, ci, uuid, profile, memoryTotal: memoryBytes }) => ({
    index,
    nodes: [],
    ...known({ gi, ci, uuid, profile, memoryBytes }),
  }));
}

function oddities({ gpu, device }: GpuPair): readonly string[] {
  if (gpu.vendor !== "nvidia") return [];
  const place = `GPU ${gpu.index}${gpu.busId === undefined ? "" : ` (${gpu.busId})`}`;
  if (device === undefined) return [`${place}: NVIDIA's driver has it, but its library NVML does not list it`];
  return device.problems.map((problem) => `${place}: NVML answers ${problem}`);
}
