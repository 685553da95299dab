// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { HostGpu } from "../types.ts";
import { migParts } from "./mig.ts";
import { byBus, drmNodes, pciGpus } from "./pci.ts";
import { namesIn, readFact } from "./read.ts";
import type { HostRoots } from "./roots.ts";
import type { VendorGpus } from "./vendor.ts";

const VENDOR = "0x10de";
const GPUS = "proc/driver/nvidia/gpus";
const SHARED: readonly string[] = ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"];

/** NVIDIA's GPUs by the kernel module's own files. */
export function nvidiaGpus(roots: HostRoots): VendorGpus {
  const version = moduleVersion(roots);
  if (version === undefined) return { gpus: [], remarks: withoutModule(roots) };
  const found = namesIn(join(roots.kernel, GPUS))
    .toSorted(byBus)
    .map((bus) => information(roots, bus));
  const usable = found.filter(({ isExcluded }) => !isExcluded);
  const gpus = usable.map(({ gpu }, index) => ({ ...gpu, index }));
  return {
    driver: { vendor: "nvidia", kind: "native", version, nodes: SHARED },
    gpus,
    remarks: [...found.filter(({ isExcluded }) => isExcluded).map(excluded), ...odd(gpus)],
  };
}

/** Of the loaded kernel module; undefined where none is. */
function moduleVersion(roots: HostRoots): string | undefined {
  const own = readFact(join(roots.kernel, "sys/module/nvidia/version"));
  return own ?? parseModuleVersion(readFact(join(roots.kernel, "proc/driver/nvidia/version")) ?? "");
}

/** The version in /proc/driver/nvidia/version, in the wording of the closed or of the open module. */
export function parseModuleVersion(text: string): string | undefined {
  return /^NVRM version:.* Kernel Module(?: for \S+)? +(\d+(?:\.\d+)+) /m.exec(`${text} `)?.[1];
}

interface Information {
  readonly gpu: HostGpu;
  readonly isExcluded: boolean;
}

function information(roots: HostRoots, bus: string): Information {
  const facts = parseInformation(readFact(join(roots.kernel, GPUS, bus, "information")) ?? "");
  const number = facts.get("Device Minor");
  const minor = number !== undefined && /^\d+$/.test(number) ? Number(number) : undefined;
  const uuid = facts.get("GPU UUID");
  const own = minor === undefined ? [] : [`/dev/nvidia${minor}`];
  const pciDevice = readFact(join(roots.kernel, "sys/bus/pci/devices", bus, "device"));
  const gpu: HostGpu = {
    vendor: "nvidia",
    index: 0,
    name: facts.get("Model") ?? "NVIDIA GPU",
    busId: bus,
    nodes: [...own, ...drmNodes(roots, bus)],
    mig: minor === undefined ? [] : migParts(roots, minor),
    ...(uuid === undefined || uuid.includes("?") ? {} : { uuid }),
    ...(minor === undefined ? {} : { minor }),
    ...(pciDevice === undefined ? {} : { pciDevice }),
  };
  return { gpu, isExcluded: facts.get("GPU Excluded") === "Yes" };
}

function parseInformation(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").map((line) => /^([^:]+):\s*(.*\S)/.exec(line));
  return new Map(rows.flatMap((row) => (row ? [[row[1] ?? "", row[2] ?? ""]] : [])));
}

function excluded({ gpu }: Information): string {
  return `GPU ${gpu.busId ?? ""} (${gpu.name}) is excluded by the driver's settings and can't be used`;
}

function odd(gpus: readonly HostGpu[]): readonly string[] {
  if (gpus.length === 0) return ["NVIDIA's kernel module is loaded, and it has no GPU"];
  return gpus.flatMap(({ index, busId = "", uuid, minor }) => {
    if (minor === undefined) return [`GPU ${index} (${busId}): the driver does not say which device node it has`];
    return uuid === undefined ? [`GPU ${index} (${busId}) has no uuid yet: nothing has used it since the start`] : [];
  });
}

function withoutModule(roots: HostRoots): readonly string[] {
  return pciGpus(roots, VENDOR).map(({ bus, device, driver }) => {
    const state = driver === undefined ? "no kernel driver has it" : `kernel driver \`${driver}\` has it`;
    return `an NVIDIA GPU is at ${bus} (${device}), but NVIDIA's kernel module is not loaded: ${state}`;
  });
}
