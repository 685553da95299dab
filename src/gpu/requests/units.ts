// SPDX-License-Identifier: Apache-2.0
/* The devices of one vendor one by one, each under the name that its specification has for it. */
import type { HostGpu, MigPart } from "../types.ts";
import type { VendorDevices } from "./inventory.ts";

/** One device that a request can get: a GPU, or a part of a divided one. */
export interface GpuUnit {
  /** In its specification. */
  readonly name: string;
  /** Everything that it can be asked for by, in lower case. */
  readonly ids: readonly string[];
  /** For errors: `0 (NVIDIA A100, GPU-…)`. */
  readonly shown: string;
}

/** In the order of indexes: what a count counts. The devices `all` and `none` of a specification are none of them. */
export function unitsOf(devices: VendorDevices): readonly GpuUnit[] {
  const known = devices.gpus.flatMap(idsOfGpu).flatMap((ids) => unitOf(ids, devices.names));
  const taken = new Set(known.flatMap(({ ids }) => ids));
  const others = aliasFree(devices.names.filter((name) => !isCollective(name) && !taken.has(name.toLowerCase())));
  return [...known, ...others.map((name) => ({ name, ids: [name.toLowerCase()], shown: name }))];
}

/** Names of a specification that stand for several devices or none. */
function isCollective(name: string): boolean {
  return name === "all" || name === "none";
}

/** The PCI address as /sys has it, `0000:07:00.0`, of any way to write it; undefined for what is none. */
export function normalBusId(text: string): string | undefined {
  const [, domain = "0000", bus = "", rest = ""] =
    /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2}\.[0-7])$/i.exec(text) ?? [];
  if (bus === "") return undefined;
  const short = domain.replace(/^0+(?=.{4})/, "");
  return `${short}:${bus}:${rest}`.toLowerCase();
}

/** Everything that a GPU or one of its parts can be asked for by, in lower case. */
export function idsOf(gpu: HostGpu): readonly string[] {
  return idsOfGpu(gpu).flatMap(({ ids }) => ids);
}

interface KnownIds {
  readonly ids: readonly string[];
  readonly about: string;
}

function idsOfGpu(gpu: HostGpu): readonly KnownIds[] {
  if (gpu.mig.length > 0) return gpu.mig.map((part) => idsOfPart(gpu, part));
  const index = String(gpu.index);
  return [
    { ids: textsOf([index, gpu.uuid, gpu.busId, `gpu${index}`, ...nodeNames(gpu)]), about: about(gpu.name, gpu.uuid) },
  ];
}

function idsOfPart(gpu: HostGpu, part: MigPart): KnownIds {
  const index = `${gpu.index}:${part.index}`;
  return {
    ids: textsOf([index, part.uuid, `mig${index}`]),
    about: about(`${part.profile ?? "part"} of ${gpu.name}`, part.uuid),
  };
}

/** Vendors name theirs after the node too: `card0`, `renderD128`. */
function nodeNames({ nodes }: HostGpu): readonly string[] {
  return nodes.flatMap((path) => /^\/dev\/dri\/(card\d+|renderD\d+)$/.exec(path)?.[1] ?? []);
}

function textsOf(ids: readonly (string | undefined)[]): readonly string[] {
  return ids.flatMap((id) => (id === undefined ? [] : [id.toLowerCase()]));
}

function about(name: string, uuid: string | undefined): string {
  return uuid === undefined ? name : `${name}, ${uuid}`;
}

/** None when no specification has it: installed ones may have fewer. */
function unitOf({ ids, about: text }: KnownIds, names: readonly string[]): readonly GpuUnit[] {
  const name = ids.flatMap((id) => names.find((one) => one.toLowerCase() === id) ?? [])[0];
  return name === undefined ? [] : [{ name, ids: [...new Set(ids)], shown: `${name} (${text})` }];
}

/** One name a device where a specification has several: its indexes when it has any, else what it has first. */
function aliasFree(names: readonly string[]): readonly string[] {
  const forms = [/^\d+(?::\d+)?$/, /^(?:gpu\d+|mig\d+:\d+|card\d+)$/, /^(?:GPU|MIG)-/];
  const form = forms.find((one) => names.some((name) => one.test(name)));
  const chosen = form === undefined ? names : names.filter((name) => form.test(name));
  return chosen.toSorted((left, right) => left.localeCompare(right, "en", { numeric: true }));
}
