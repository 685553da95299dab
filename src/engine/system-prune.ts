// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { pruneContainers, pruneVolumes, recoverContainers, removeOrphans, sweepNetworks } from "../containers/index.ts";
import type { ContainerRecord } from "../containers/index.ts";
import type { PruneOptions, PruneReport } from "../store/index.ts";
import { clearKilledBuilds } from "./build.ts";
import type { SystemPruneReport, SystemPruneRequest } from "./facade.ts";
import { filterHelp } from "./image-filters.ts";
import { dropImages, layerEntries } from "./image-removal.ts";
import type { Rooms } from "./rooms.ts";

/**
 * `system prune`, from what refers to what is referred to: containers, volumes, images, cache, then everything that
 * nothing reaches any more. What interrupted commands left is cleared first. Every part can be interrupted after any
 * other; the next prune does the rest.
 */
export async function pruneSystem(rooms: Rooms, request: SystemPruneRequest): Promise<SystemPruneReport> {
  refuseAges(request);
  const store = rooms.writer();
  store.makeRoom();
  const context = await rooms.containers();
  const recovered = await recoverContainers(context);
  const orphans = [...(await removeOrphans(context)), ...(await clearKilledBuilds(rooms))];
  requireGoingOn(request);
  const containers = await pruneContainers(context, request.filters);
  const volumes = request.volumes
    ? pruneVolumes(context, { all: false, filters: request.filters })
    : { volumes: [], reclaimed: 0 };
  const cables = await sweepNetworks(context);
  requireGoingOn(request);
  const images = await dropImages(store, request.filters, request.all);
  requireGoingOn(request);
  const report = store.prune(await pruneOptions(rooms, request));
  const injected = request.cache ? await dropInjected(rooms) : 0;
  return {
    containers: containers.ids,
    images: [...images, ...layerEntries(report)],
    volumes: volumes.volumes.map(({ name }) => name),
    cacheRecords: itemsOf(report, "cache"),
    wheels: itemsOf(report, "wheels"),
    leftovers:
      cables + recovered.removed.length + recovered.folders.length + orphans.length + itemsOf(report, "temporary"),
    reclaimed: containers.reclaimed + volumes.reclaimed + report.freed + injected,
  };
}

/** A volume's age says nothing about its use, so it can't be a reason to delete it. */
function refuseAges({ volumes, filters }: SystemPruneRequest): void {
  if (!volumes || filters["until"] === undefined) return;
  throw new TareError("E_FILTER", 'pruning: the "until" filter is not supported with "--volumes"', {
    hint: "prune the volumes by themselves: `tare volume prune`",
  });
}

/** Debuggers and notebook servers that no container has mounted. */
async function dropInjected(rooms: Rooms): Promise<number> {
  const store = rooms.writer();
  const { pruneInjected } = await import("../develop/index.ts");
  const records = store.documents<ContainerRecord>("container").list();
  const used = records.flatMap(({ mounts }) => mounts.map(({ source }) => source));
  return pruneInjected(store, used, Date.now());
}

async function pruneOptions(rooms: Rooms, request: SystemPruneRequest): Promise<PruneOptions> {
  const { moment } = await filterHelp(rooms.writer(), request.filters);
  const times = (request.filters["until"] ?? []).map(moment);
  return {
    cache: request.cache ? (request.all ? "all" : "unused") : "none",
    mounts: request.cache && request.all,
    ...(times.length > 0 ? { until: Math.min(...times) } : {}),
  };
}

function itemsOf(report: PruneReport, ...kinds: readonly string[]): number {
  return report.rows.reduce((sum, { kind, items }) => sum + (kinds.includes(kind) ? items.length : 0), 0);
}

function requireGoingOn({ signal }: SystemPruneRequest): void {
  if (signal?.aborted) throw new TareError("E_ABORTED", "pruning: interrupted", { exitCode: 130 });
}
