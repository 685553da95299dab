// SPDX-License-Identifier: Apache-2.0
import type { NetworkRecord } from "../network/index.ts";
import { filesOf, networksOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { diskUsage } from "./disk-usage.ts";
import { containerFilter } from "./filters.ts";
import type { ContainerView, FilterLookups } from "./filters.ts";
import { allViews, findContainer, viewOf } from "./find.ts";
import type { HealthStatus } from "./health-state.ts";
import { processArguments } from "./merge-config.ts";
import { networkNames, openPorts, shownPorts } from "./network-document.ts";
import { isUp } from "./state.ts";
import type { DerivedState, MountPoint } from "./types.ts";

/** `ps`. */
export interface ContainerListRequest {
  /** Also those that do not run; implied by a `status` or `exited` filter. */
  readonly all: boolean;
  /** The newest so many, whatever their state; -1 = no limit. */
  readonly last: number;
  readonly size: boolean;
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

/** A row of `ps`. Times in milliseconds since the epoch. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly command: readonly string[];
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly state: DerivedState["status"] | "paused";
  readonly exitCode?: number;
  /** Of one that runs and has a health check. */
  readonly health?: HealthStatus;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly string[];
  readonly localVolumes: number;
  readonly networks: readonly string[];
  readonly ports: readonly string[];
  /** Bytes written above the image, and of the whole; only when asked for. */
  readonly size?: { readonly writable: number; readonly root: number };
}

/** Containers, newest first. Takes no lock. Throws `E_FILTER`. */
export function listContainers(context: ContainersContext, request: ContainerListRequest): readonly ContainerSummary[] {
  const matches = containerFilter(request.filters, filterLookups(context));
  const all = request.all || request.last >= 0 || "status" in request.filters || "exited" in request.filters;
  const views = allViews(context).filter((view) => (all || isUp(view.state)) && matches(view));
  const chosen = request.last >= 0 ? views.slice(0, request.last) : views;
  const networks = networksOf(context).all();
  return chosen.map((view) => summary(context, networks, view, request.size));
}

/** Docker's word for a state: a paused container is not shown as running. */
export function shownStatus(state: DerivedState): ContainerSummary["state"] {
  return state.paused ? "paused" : state.status;
}

/** All names, for completion. */
export function containerNames(context: ContainersContext, options: { readonly all: boolean }): readonly string[] {
  const views = recordsOf(context)
    .list()
    .map((record) => viewOf(context, record));
  return views.filter((view) => options.all || isUp(view.state)).map((view) => view.record.name);
}

/** What filters look up, in this context. */
export function filterLookups(context: ContainersContext): FilterLookups {
  const networks = remembered(() => networksOf(context).all());
  return {
    container: remembered((text) => findContainer(context, text)),
    image: remembered((text) => context.findImage?.(text)),
    network: remembered((text) => membersOf(context, text)),
    ports: (record) => openPorts(networks(""), record),
  };
}

/** Asked for every container, answered once. */
function remembered<T>(lookUp: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (!known.has(text)) known.set(text, lookUp(text));
    return known.get(text) as T;
  };
}

/** Containers that are in a network or join it when they start. */
function membersOf(context: ContainersContext, text: string): ReadonlySet<string> | undefined {
  const network = networksOf(context).find(text);
  if (network === undefined) return undefined;
  const joining = recordsOf(context)
    .list()
    .filter(({ host }) => (host.joins ?? []).some((join) => join.network === network.id));
  return new Set([...Object.keys(network.endpoints), ...joining.map(({ id }) => id)]);
}

function summary(
  context: ContainersContext,
  networks: readonly NetworkRecord[],
  { record, state, health }: ContainerView,
  withSize: boolean,
): ContainerSummary {
  return {
    id: record.id,
    name: record.name,
    image: record.image,
    imageId: record.imageId,
    command: processArguments(record.config),
    createdAt: record.createdAt,
    ...(state.startedAt > 0 ? { startedAt: state.startedAt } : {}),
    ...(state.finishedAt > 0 ? { finishedAt: state.finishedAt } : {}),
    state: shownStatus(state),
    ...(state.status === "exited" || state.status === "restarting" ? { exitCode: state.exitCode } : {}),
    ...(health !== undefined && state.status === "running" ? { health } : {}),
    labels: record.config.Labels,
    mounts: record.mounts.map(mountLabel),
    localVolumes: record.mounts.filter(({ type }) => type === "volume").length,
    networks: networkNames(networks, record),
    ports: shownPorts(networks, record, state),
    ...(withSize ? { size: sizeOf(context, record.id, record.layers) } : {}),
  };
}

function mountLabel(mount: MountPoint): string {
  return mount.name ?? (mount.source === "" ? mount.destination : mount.source);
}

/** Bytes written above the image, and of the whole root file system. */
export function sizeOf(
  context: ContainersContext,
  id: string,
  layers: Parameters<ContainersContext["store"]["layers"]["getAll"]>[0],
): { readonly writable: number; readonly root: number } {
  const writable = diskUsage(filesOf(context, id).upper);
  const below = context.store.layers.getAll(layers).reduce((sum, layer) => sum + layer.contentSize, 0);
  return { writable, root: writable + below };
}
