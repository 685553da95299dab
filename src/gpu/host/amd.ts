// SPDX-License-Identifier: Apache-2.0
/*
 * AMD's GPUs. The compute side (KFD) has a node for each GPU, or for each part that one is divided into; it tells the
 * PCI address and the render node. GPUs that it does not have are listed with their graphics nodes alone.
 */
import { join } from "node:path";
import type { HostGpu } from "../types.ts";
import { byBus, drmNodes, drmNodesBelow, pciGpus } from "./pci.ts";
import { namesIn, readFact, statusOf } from "./read.ts";
import type { HostRoots } from "./roots.ts";
import type { VendorGpus } from "./vendor.ts";

const VENDOR = "0x1002";
const TOPOLOGY = "sys/class/kfd/kfd/topology/nodes";
const KFD = "/dev/kfd";

/** AMD's GPUs that the kernel's amdgpu has. */
export function amdGpus(roots: HostRoots): VendorGpus {
  const onBus = pciGpus(roots, VENDOR);
  const usable = onBus.filter(({ driver }) => driver === "amdgpu");
  if (usable.length === 0)
    return { gpus: [], remarks: onBus.map(({ bus }) => `amdgpu does not have the AMD GPU at ${bus}`) };
  const nodes = computeNodes(roots);
  const gpus = usable.flatMap(({ bus, device }) => {
    const own = nodes.filter((node) => node.bus === bus);
    return own.length === 0 ? [graphicsOnly(roots, bus, device)] : own.map((node) => computeGpu(roots, node, device));
  });
  const version = readFact(join(roots.kernel, "sys/module/amdgpu/version"));
  return {
    driver: { vendor: "amd", kind: "native", nodes: [KFD], ...(version === undefined ? {} : { version }) },
    gpus: gpus.map((gpu, index) => ({ ...gpu, index })),
    remarks: statusOf(join(roots.dev, KFD)) === undefined ? [`${KFD} is missing: ROCm can't compute on this host`] : [],
  };
}

interface ComputeNode {
  readonly bus: string;
  readonly renderMinor: number;
  readonly name?: string;
  readonly uniqueId?: string;
  readonly target?: string;
}

function computeNodes(roots: HostRoots): readonly ComputeNode[] {
  const folder = join(roots.kernel, TOPOLOGY);
  const nodes = namesIn(folder).flatMap((number) => computeNode(join(folder, number)));
  return nodes.toSorted((left, right) => byBus(left.bus, right.bus) || left.renderMinor - right.renderMinor);
}

/** Nothing for the node of a processor. */
function computeNode(folder: string): readonly ComputeNode[] {
  const rows = (readFact(join(folder, "properties")) ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const facts = new Map(rows.map(([name = "", value = ""]) => [name, value]));
  const number = (name: string): number => Number(facts.get(name) ?? 0);
  if (number("drm_render_minor") <= 0) return [];
  const name = readFact(join(folder, "name"));
  const uniqueId = facts.get("unique_id");
  const version = number("gfx_target_version");
  return [
    {
      bus: busOf(number("domain"), number("location_id")),
      renderMinor: number("drm_render_minor"),
      ...(name === undefined || name === "" ? {} : { name }),
      ...(uniqueId === undefined || !/^[1-9]\d*$/.test(uniqueId)
        ? {}
        : { uniqueId: `0x${BigInt(uniqueId).toString(16)}` }),
      ...(version > 0 ? { target: targetOf(version) } : {}),
    },
  ];
}

/** The PCI address that KFD writes as two numbers. */
export function busOf(domain: number, location: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  return `${hex(domain, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`;
}

/** 90010 → `gfx90a`: two decimal digits each of minor version and stepping, written in hexadecimal. */
function targetOf(version: number): string {
  const [major, minor, stepping] = [Math.floor(version / 10_000), Math.floor(version / 100) % 100, version % 100];
  return `gfx${major}${minor.toString(16)}${stepping.toString(16)}`;
}

function computeGpu(roots: HostRoots, node: ComputeNode, device: string): HostGpu {
  const render = `/dev/dri/renderD${node.renderMinor}`;
  const whole = graphicsOnly(roots, node.bus, device);
  const places = [whole.nodes, ...partFolders(roots).map(drmNodesBelow)];
  return {
    ...whole,
    name: productName(roots, node.bus) ?? node.name ?? whole.name,
    nodes: places.find((nodes) => nodes.includes(render)) ?? [render],
    ...(node.uniqueId === undefined ? {} : { uuid: node.uniqueId }),
    ...(node.target === undefined ? {} : { architecture: node.target }),
  };
}

/** Parts beyond the first of a divided GPU are devices of the platform, not of the bus. */
function partFolders(roots: HostRoots): readonly string[] {
  const folder = join(roots.kernel, "sys/devices/platform");
  return namesIn(folder)
    .filter((name) => name.startsWith("amdgpu_xcp"))
    .map((name) => join(folder, name));
}

function productName(roots: HostRoots, bus: string): string | undefined {
  const name = readFact(join(roots.kernel, "sys/bus/pci/devices", bus, "product_name"));
  return name === "" ? undefined : name;
}

function graphicsOnly(roots: HostRoots, bus: string, device: string): HostGpu {
  const memory = readFact(join(roots.kernel, "sys/bus/pci/devices", bus, "mem_info_vram_total"));
  return {
    vendor: "amd",
    index: 0,
    name: productName(roots, bus) ?? `AMD GPU ${device}`,
    busId: bus,
    nodes: drmNodes(roots, bus),
    mig: [],
    ...(memory !== undefined && /^[1-9]\d*$/.test(memory) ? { memoryBytes: Number(memory) } : {}),
  };
}
