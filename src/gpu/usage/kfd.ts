// SPDX-License-Identifier: Apache-2.0
/* Processes of AMD's compute side (KFD): a folder each in /sys/class/kfd/kfd/proc, with a file for each GPU. */
import { join } from "node:path";
import { busOf } from "../host/amd.ts";
import { namesIn, readFact } from "../host/read.ts";
import type { HostRoots } from "../host/roots.ts";

/** A process that computes on a GPU. */
export interface KfdUse {
  readonly pid: number;
  readonly bus: string;
  /** Bytes of the GPU's memory. */
  readonly memory: number;
}

const KFD = "sys/class/kfd/kfd";

/** True where the kernel's compute side is. */
export function hasKfd(roots: HostRoots): boolean {
  return namesIn(join(roots.kernel, KFD, "topology/nodes")).length > 0;
}

/** All of them. */
export function kfdUses(roots: HostRoots): readonly KfdUse[] {
  const folder = join(roots.kernel, KFD, "proc");
  const pids = namesIn(folder).filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return [];
  const buses = busesById(roots);
  return pids.flatMap((pid) =>
    namesIn(join(folder, pid)).flatMap((name) => {
      const bus = name.startsWith("vram_") ? buses.get(name.slice(5)) : undefined;
      if (bus === undefined) return [];
      return [{ pid: Number(pid), bus, memory: Number(readFact(join(folder, pid, name)) ?? 0) }];
    }),
  );
}

/** Parts of one GPU have an id each and its bus address. */
function busesById(roots: HostRoots): ReadonlyMap<string, string> {
  const folder = join(roots.kernel, KFD, "topology/nodes");
  return new Map(
    namesIn(folder).flatMap((number): [string, string][] => {
      const id = readFact(join(folder, number, "gpu_id"));
      const properties = readFact(join(folder, number, "properties")) ?? "";
      const fact = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, "m").exec(properties)?.[1] ?? 0);
      return id === undefined || id === "0" ? [] : [[id, busOf(fact("domain"), fact("location_id"))]];
    }),
  );
}
