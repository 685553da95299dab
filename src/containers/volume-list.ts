// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, suggest } from "../base/index.ts";
import { folderOf, isAnonymous, listVolumes, removeVolume } from "../volumes/index.ts";
import type { VolumeRecord } from "../volumes/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { diskUsage } from "./disk-usage.ts";
import { fitsFilters, matchesLabel, parseMoment } from "./filters.ts";
import { volumeUsers } from "./volumes.ts";

type Filters = Readonly<Record<string, readonly string[]>>;

/** What all volumes take; `active` ones belong to a container. */
export interface VolumeUsage {
  readonly count: number;
  readonly active: number;
  /** Bytes. */
  readonly size: number;
  readonly reclaimable: number;
}

/** A volume and who has it. */
export interface VolumeView {
  readonly record: VolumeRecord;
  /** Names of containers. */
  readonly users: readonly string[];
}

/** A volume that a prune takes. */
export interface PrunedVolume {
  readonly name: string;
  /** Bytes on disk. */
  readonly size: number;
}

/** Counts and measures the volumes; walks them. */
export function volumeUsage(context: ContainersContext): VolumeUsage {
  const volumes = viewVolumes(context).map((view) => ({ ...view, size: volumeSize(context, view.record.name) }));
  const sum = (list: typeof volumes): number => list.reduce((total, { size }) => total + size, 0);
  return {
    count: volumes.length,
    active: volumes.filter(({ users }) => users.length > 0).length,
    size: sum(volumes),
    reclaimable: sum(volumes.filter(({ users }) => users.length === 0)),
  };
}

/** Bytes on disk of a volume's own folder. */
export function volumeSize(context: ContainersContext, name: string): number {
  return diskUsage(folderOf(context.store, name));
}

const LIST_FILTERS: Readonly<Record<string, (view: VolumeView, value: string) => boolean>> = {
  name: ({ record }, value) => record.name.includes(value),
  label: ({ record }, value) => matchesLabel(record.labels, value),
  driver: (_view, value) => value === "local",
  dangling: ({ users }, value) => (users.length === 0) === isTrue("dangling", value),
};

const PRUNE_FILTERS: Readonly<Record<string, (view: VolumeView, value: string) => boolean>> = {
  label: ({ record }, value) => matchesLabel(record.labels, value),
  "label!": ({ record }, value) => !matchesLabel(record.labels, value),
  until: ({ record }, value) => record.createdAt < parseMoment(value, Date.now()),
  all: () => true,
};

/** All volumes by name that fit the filters `name`, `label`, `driver`, `dangling`. Throws `E_FILTER`. */
export function findVolumes(context: ContainersContext, filters: Filters): readonly VolumeView[] {
  return viewVolumes(context).filter(matcher(filters, LIST_FILTERS));
}

/**
 * Removes volumes that no container has: those that nobody named, with `all` the others too. What a filter leaves out
 * stays. `dryRun` says what would go. Throws `E_FILTER`.
 */
export function pruneVolumes(
  context: ContainersContext,
  request: { readonly all: boolean; readonly filters: Filters; readonly dryRun?: boolean },
): { readonly volumes: readonly PrunedVolume[]; readonly reclaimed: number } {
  const matches = matcher(request.filters, PRUNE_FILTERS);
  const all = request.all || (request.filters["all"] ?? []).some((value) => isTrue("all", value));
  const volumes: PrunedVolume[] = [];
  for (const view of viewVolumes(context)) {
    const { name } = view.record;
    if (view.users.length > 0 || !(all || isAnonymous(view.record)) || !matches(view)) continue;
    const size = volumeSize(context, name);
    if (request.dryRun === true || removeUnused(context, name)) volumes.push({ name, size });
  }
  return { volumes, reclaimed: volumes.reduce((sum, { size }) => sum + size, 0) };
}

/** False for one that a container has got meanwhile. */
function removeUnused(context: ContainersContext, name: string): boolean {
  try {
    return removeVolume(context.store, name, (volume) => volumeUsers(context, volume));
  } catch (error) {
    if (!isTareError(error, "E_VOLUME_INUSE")) throw error;
    return false;
  }
}

/** The records of containers are read after the volumes: a volume is made after the record that names it. */
function viewVolumes(context: ContainersContext): readonly VolumeView[] {
  const volumes = listVolumes(context.store);
  const users = new Map<string, Set<string>>();
  for (const { name: container, mounts } of recordsOf(context).list()) {
    for (const { name } of mounts) {
      if (name !== undefined) users.set(name, (users.get(name) ?? new Set<string>()).add(container));
    }
  }
  return volumes.map((record) => ({ record, users: [...(users.get(record.name) ?? [])].sort() }));
}

function matcher(
  filters: Filters,
  known: Readonly<Record<string, (view: VolumeView, value: string) => boolean>>,
): (view: VolumeView) => boolean {
  for (const [key, values] of Object.entries(filters)) {
    if (!Object.hasOwn(known, key)) throw unknownFilter(key, Object.keys(known));
    if (key === "dangling" || key === "all") for (const value of values) isTrue(key, value);
    if (key === "until") for (const value of values) parseMoment(value, 0);
  }
  return (view) => fitsFilters(filters, (key, value) => known[key]?.(view, value) ?? false);
}

function unknownFilter(key: string, known: readonly string[]): TareError {
  const near = suggest(key, known);
  return new TareError("E_FILTER", `reading the filter \`${key}\`: invalid filter '${key}'`, {
    hint: near === undefined ? `filters: ${known.join(", ")}` : `did you mean \`${near}\`?`,
  });
}

function isTrue(key: string, value: string): boolean {
  if (["1", "true", "True", "TRUE", "t", "T"].includes(value)) return true;
  if (["0", "false", "False", "FALSE", "f", "F"].includes(value)) return false;
  throw new TareError("E_FILTER", `reading the filter \`${key}=${value}\`: expected true or false`);
}
