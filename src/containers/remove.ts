// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "../base/index.ts";
import { filesOf, ownIdentity, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { containerFilter } from "./filters.ts";
import type { ContainerView } from "./filters.ts";
import { findContainer, viewOf } from "./find.ts";
import { filterLookups } from "./list.ts";
import { isAlive } from "./process-identity.ts";
import { removeRecord, settled } from "./settle.ts";
import { diskUsage } from "./disk-usage.ts";
import { noteStoppedByUser } from "./restart.ts";
import { isUp } from "./state.ts";
import { endWaiting, killNow } from "./stop.ts";
import { isStarting, viewOnceStarted } from "./starting.ts";
import type { ContainerRecord } from "./types.ts";

const BUSY_LIMIT = 10_000;
const POLL = 20;

/** Removes a container. Throws `E_CONTAINER_STATE` for a running one without `force`. */
export async function removeContainer(
  context: ContainersContext,
  text: string,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<void> {
  const record = await takeForRemoval(context, findContainer(context, text), options.force);
  if (!record) return;
  await context.runtime.cleanup({ record, files: filesOf(context, record.id) });
  removeRecord(context, record, { volumes: options.volumes || record.host.autoRemove });
}

async function stopForRemoval(context: ContainersContext, view: ContainerView, force: boolean): Promise<void> {
  const { name } = view.record;
  if (force) {
    if (view.state.status === "restarting") return endWaiting(context, view.record);
    noteStoppedByUser(context, view.record);
    return killNow(context, view);
  }
  throw new TareError("E_CONTAINER_STATE", `removing the container \`${name}\`: it is ${view.state.status}`, {
    hint: `stop it first with \`tare stop ${name}\`, or use \`tare rm -f\``,
  });
}

/** Stops it if it may, and waits a while for one who is just clearing up. Undefined when it is gone meanwhile. */
async function takeForRemoval(
  context: ContainersContext,
  known: ContainerRecord,
  force: boolean,
): Promise<ContainerRecord | undefined> {
  for (const limit = context.now() + BUSY_LIMIT; context.now() < limit; await sleep(POLL)) {
    const view = await viewOnceStarted(context, known, "removing");
    if (!view) return undefined;
    if (isUp(view.state)) await stopForRemoval(context, view, force);
    const current = recordsOf(context).get(known.id);
    if (current) await settled(context, known.id);
    const taken = markRemoving(context, known.id);
    if (taken !== "busy") return taken;
  }
  throw new TareError("E_CONTAINER_STATE", `removing the container \`${known.name}\`: another command is at it`, {
    hint: "try again in a moment",
  });
}

/** The record marked as being removed by this process; undefined when it is gone. */
function markRemoving(context: ContainersContext, id: string): ContainerRecord | undefined | "busy" {
  let isBusy = false;
  const record = recordsOf(context).update(id, (current) => {
    const { state } = current;
    isBusy = state.status === "running" || (state.status === "removing" && isAlive(state.by, context.processes));
    return isBusy ? current : { ...current, state: { status: "removing", by: ownIdentity(context) } };
  });
  return isBusy ? "busy" : record;
}

/** A container that a prune takes. */
export interface PrunedContainer {
  readonly id: string;
  readonly name: string;
  /** Bytes on disk. */
  readonly size: number;
}

/** What `pruneContainers` would remove at this moment. */
export function prunableContainers(
  context: ContainersContext,
  filters: Readonly<Record<string, readonly string[]>>,
): readonly PrunedContainer[] {
  const matches = containerFilter(filters, filterLookups(context));
  return recordsOf(context)
    .list()
    .filter((record) => !isBusy(context, record) && matches(viewOf(context, record)))
    .map(({ id, name }) => ({ id, name, size: diskUsage(filesOf(context, id).folder) }));
}

function isBusy(context: ContainersContext, record: ContainerRecord): boolean {
  const { state } = viewOf(context, record);
  return isUp(state) || state.status === "removing" || isStarting(context, record);
}

/** Removes all containers that do not run, with their anonymous volumes kept. `until`, `label`, `label!` filter. */
export async function pruneContainers(
  context: ContainersContext,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<{ readonly ids: readonly string[]; readonly reclaimed: number }> {
  const ids: string[] = [];
  let reclaimed = 0;
  for (const { id, size } of prunableContainers(context, filters)) {
    if (!(await removeQuietly(context, id))) continue;
    ids.push(id);
    reclaimed += size;
  }
  return { ids, reclaimed };
}

/** False when it has been started or taken by another command since it was listed. */
async function removeQuietly(context: ContainersContext, id: string): Promise<boolean> {
  try {
    await removeContainer(context, id, { force: false, volumes: false });
    return true;
  } catch {
    return false;
  }
}
