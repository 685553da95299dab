// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { clearWork } from "../volumes/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { namesIn } from "./folder-names.ts";
import { releaseHolds } from "./pause-hold.ts";
import { rewatchHealth } from "./health.ts";
import { isBesideAlive } from "./beside-id.ts";
import { isAlive } from "./process-identity.ts";
import { lacksWaiter, relaunchWaiter } from "./restart.ts";
import { needsSettling, removeFolder, removeRecord, settle } from "./settle.ts";
import { endWatcher, killStarters } from "./starters.ts";
import type { ContainerRecord } from "./types.ts";

/** What recovery did, by container id. */
export interface RecoveryReport {
  /** Ended while nobody watched; the record says so now, or the container removed itself. */
  readonly settled: readonly string[];
  /** A removal that had been interrupted was finished. */
  readonly removed: readonly string[];
  /** The process that waits for its next start, or carries its health check out, had been killed and was made anew. */
  readonly rewatched: readonly string[];
  /** Folders without a record were deleted. */
  readonly folders: readonly string[];
  /** What could not be cleared up, with the reason. */
  readonly failed: readonly { readonly id: string; readonly error: unknown }[];
}

/**
 * Finishes what dead processes left: every command may call it when it starts. One readdir and one query when there
 * is nothing to do. Never throws for a single container; safe while others do the same.
 */
export async function recoverContainers(context: ContainersContext): Promise<RecoveryReport> {
  await releaseHolds(context);
  clearWork(context.store);
  // The folder is listed before the records: a container made in between has its record first.
  const folders = namesIn(context.store.containersRoot);
  const records = recordsOf(context).list();
  const known = new Set(records.map((record) => record.id));
  const lists = { settled: [] as string[], removed: [] as string[], rewatched: [] as string[] };
  const report = { ...lists, folders: [] as string[], failed: [] as Failure[] };
  for (const record of records) {
    await attempt(record.id, report.failed, async () => {
      const what = await recoverOne(context, record);
      if (what) report[what].push(record.id);
    });
  }
  for (const id of folders.filter((name) => !known.has(name))) {
    await attempt(id, report.failed, async () => {
      removeFolder(join(context.store.containersRoot, id));
      report.folders.push(id);
      return Promise.resolve();
    });
  }
  return report;
}

/**
 * What conmon's exit command calls when a detached container has ended: writes how it ended, clears the runtime's
 * remains, removes the container when it was made so, or leaves a process that starts it again. Nothing to do is no
 * error. conmon, which would wait for that process, is ended when it is the caller's parent.
 */
export async function cleanupContainer(context: ContainersContext, id: string): Promise<void> {
  const record = recordsOf(context).get(id);
  if (record) await recoverOne(context, record);
  if (recordsOf(context).get(id)?.state.status === "restarting") endWatcher(filesOf(context, id).folder);
}

/**
 * The thorough form, for `system prune`: besides `recoverContainers`, kills processes and removes control groups of
 * containers of this store that have no record any more. Returns their ids.
 */
export async function removeOrphans(context: ContainersContext): Promise<readonly string[]> {
  // Listed before the records: a container that is started meanwhile has its record first.
  const started = await context.runtime.list();
  const known = new Set(
    recordsOf(context)
      .list()
      .map((record) => record.id),
  );
  const orphans = started.filter((id) => !known.has(id) && !isBesideAlive(id, context.processes));
  for (const id of orphans) {
    killStarters(filesOf(context, id).folder);
    await context.runtime.discard(id);
  }
  return orphans;
}

interface Failure {
  readonly id: string;
  readonly error: unknown;
}

async function recoverOne(
  context: ContainersContext,
  record: ContainerRecord,
): Promise<"settled" | "removed" | "rewatched" | undefined> {
  if (needsSettling(context, record)) {
    await settle(context, record.id);
    return "settled";
  }
  if (await rewatchHealth(context, record)) return "rewatched";
  if (lacksWaiter(context, record) && relaunchWaiter(context, record.id)) return "rewatched";
  if (!isHalfRemoved(context, record)) return undefined;
  await context.runtime.cleanup({ record, files: filesOf(context, record.id) });
  removeRecord(context, record, { volumes: record.host.autoRemove });
  return "removed";
}

/** A removal whose process died, or a container that should have removed itself at its end. */
function isHalfRemoved(context: ContainersContext, { state, host }: ContainerRecord): boolean {
  if (state.status === "exited") return host.autoRemove;
  return state.status === "removing" && !isAlive(state.by, context.processes);
}

async function attempt(id: string, failed: Failure[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed.push({ id, error });
  }
}
