// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { removeTree } from "../base/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { diskUsage } from "./disk-usage.ts";

/** Names of anonymous volumes: made like container ids. */
const ANONYMOUS = /^[0-9a-f]{64}$/;

/** What all volumes take; `active` ones belong to a container. */
export interface VolumeUsage {
  readonly count: number;
  readonly active: number;
  /** Bytes. */
  readonly size: number;
  readonly reclaimable: number;
}

/** Counts and measures the volumes; walks them. */
export function volumeUsage(context: ContainersContext): VolumeUsage {
  const used = usedVolumes(context);
  const volumes = volumeNames(context).map((name) => ({ name, size: diskUsage(folderOf(context, name)) }));
  const sum = (list: typeof volumes): number => list.reduce((total, { size }) => total + size, 0);
  return {
    count: volumes.length,
    active: volumes.filter(({ name }) => used.has(name)).length,
    size: sum(volumes),
    reclaimable: sum(volumes.filter(({ name }) => !used.has(name))),
  };
}

/** Removes anonymous volumes that no container has. Named ones hold what somebody wanted to keep. */
export function pruneVolumes(context: ContainersContext): {
  readonly names: readonly string[];
  readonly reclaimed: number;
} {
  // Listed before the records are read: a volume is made after the record that names it.
  const candidates = volumeNames(context).filter((name) => ANONYMOUS.test(name));
  const used = usedVolumes(context);
  const names = candidates.filter((name) => !used.has(name));
  let reclaimed = 0;
  for (const name of names) {
    reclaimed += diskUsage(folderOf(context, name));
    removeTree(folderOf(context, name));
  }
  return { names, reclaimed };
}

function usedVolumes(context: ContainersContext): ReadonlySet<string> {
  const mounts = recordsOf(context)
    .list()
    .flatMap((record) => record.mounts);
  return new Set(mounts.flatMap(({ name }) => name ?? []));
}

function volumeNames(context: ContainersContext): readonly string[] {
  try {
    return fs.readdirSync(join(context.store.root, "volumes")).sort();
  } catch {
    return [];
  }
}

function folderOf(context: ContainersContext, name: string): string {
  return join(context.store.root, "volumes", name);
}
