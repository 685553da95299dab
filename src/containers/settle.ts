// SPDX-License-Identifier: Apache-2.0
/*
 * What happens when a container's first process has ended: the runtime's remains are cleared, and the record says how
 * it ended, or goes away together with the folder when the container was made to remove itself. Several processes may
 * want to do that at once (the supervisor, conmon's exit command, recovery, `rm -f`), so the record is claimed first.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { removeTree } from "../base/index.ts";
import { filesOf, ownIdentity, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { recordDeath } from "./events.ts";
import { viewOf } from "./find.ts";
import { endHealthChecks } from "./health.ts";
import { isAlive } from "./process-identity.ts";
import type { Outcome } from "./runtime-port.ts";
import { releaseMounts } from "./release-mounts.ts";
import { ended, launchWaiter } from "./restart.ts";
import { killStarters } from "./starters.ts";
import type { ContainerRecord, StoredState } from "./types.ts";
import { removeAnonymous } from "./volumes.ts";

type Running = Extract<StoredState, { status: "running" }>;

/** How a run ended, for the record. */
export interface Ending extends Pick<Outcome, "exitCode" | "oomKilled"> {
  readonly finishedAt: number;
  readonly error: string;
}

/**
 * Writes how a run ended, and has it started again later where its restart policy says so. Does nothing when another
 * has taken the record over.
 */
export function recordEnding(context: ContainersContext, id: string, ending: Ending): void {
  const record = recordsOf(context).update(id, (current) => {
    if (current.state.status !== "running") return current;
    return ended(context, current, { startedAt: current.state.startedAt, ...ending });
  });
  if (record?.state.status === "restarting") launchWaiter(context, id);
}

/** Writes why a start failed. A policy does not try it again, as in Docker: it would fail in the same way. */
export function recordFailure(context: ContainersContext, id: string, ending: Ending): void {
  recordsOf(context).update(id, (record) => {
    if (record.state.status !== "running") return record;
    return { ...record, state: { status: "exited", startedAt: record.state.startedAt, ...ending } };
  });
}

/**
 * Clears up after a container whose record says that it runs though it does not, or whose supervisor is gone.
 * Returns the new record; undefined when the container is gone now, or when another process is at it.
 */
export async function settle(context: ContainersContext, id: string): Promise<ContainerRecord | undefined> {
  const record = claim(context, id);
  if (!record) return undefined;
  const { state } = viewOf(context, record);
  const files = filesOf(context, id);
  endHealthChecks(context, record);
  if (!existsSync(files.exitFile)) killStarters(files.folder);
  await context.runtime.cleanup({ record, files });
  const lost = state.status !== "exited" && state.status !== "restarting";
  const ending = {
    exitCode: lost ? 137 : state.exitCode,
    oomKilled: state.oomKilled,
    finishedAt: lost || state.finishedAt <= state.startedAt ? context.now() : state.finishedAt,
    error: state.error,
  };
  if (record.host.autoRemove) {
    recordDeath(context, record, ending);
    if (existsSync(files.waiting)) await sleep(WAITER_GRACE);
    return removeRecord(context, record, { volumes: true });
  }
  recordEnding(context, id, ending);
  return recordsOf(context).get(id);
}

/** True when `settle` has something to do: the container ended, or its supervisor or starter did. */
export function needsSettling(context: ContainersContext, record: ContainerRecord): boolean {
  const { state } = record;
  if (state.status !== "running") return false;
  if (state.claimedBy && isAlive(state.claimedBy, context.processes)) return false;
  // Until a detached one has started it belongs to its starter. If that is killed before the program's start, the
  // container would wait for ever.
  if (state.mode === "foreground") return !isAlive(state.supervisor, context.processes);
  const { status } = viewOf(context, record).state;
  if (!state.started) return status !== "running" && !isAlive(state.supervisor, context.processes);
  return status === "exited" || status === "restarting";
}

/** How long a waiting process gets to read the exit code of a container that removes itself. */
export const WAITER_GRACE = 200;

/** How long another process may take to clear up. */
const LONGEST_SETTLING = 10_000;
const POLL = 20;

/** Clears up after an end, or waits while another process does. Returns the record as it is then, if it is still there. */
export async function settled(context: ContainersContext, id: string): Promise<ContainerRecord | undefined> {
  for (const limit = context.now() + LONGEST_SETTLING; ; await sleep(POLL)) {
    const record = recordsOf(context).get(id);
    if (!record || context.now() > limit) return record;
    if (needsSettling(context, record)) return await settle(context, id);
    const claimer = record.state.status === "running" ? record.state.claimedBy : undefined;
    if (!claimer || !isAlive(claimer, context.processes)) return record;
  }
}

function claim(context: ContainersContext, id: string): ContainerRecord | undefined {
  let claimed: ContainerRecord | undefined;
  recordsOf(context).update(id, (record) => {
    if (!needsSettling(context, record)) return record;
    const state: Running = { ...(record.state as Running), claimedBy: ownIdentity(context) };
    claimed = { ...record, state };
    return claimed;
  });
  return claimed;
}

/**
 * Removes a container that does not run: folder, anonymous volumes if asked, record, in this order.
 */
export function removeRecord(
  context: ContainersContext,
  record: ContainerRecord,
  what: { readonly volumes: boolean },
): undefined {
  const { folder } = filesOf(context, record.id);
  endHealthChecks(context, record);
  removeFolder(folder);
  if (what.volumes) removeAnonymous(context, record);
  recordsOf(context, record.host).remove(record.id);
}

/** Deletes a container's folder, never through something that is mounted in it. */
export function removeFolder(folder: string): void {
  releaseMounts(folder);
  removeTree(folder);
}
