// SPDX-License-Identifier: Apache-2.0
/*
 * Between two runs of a container with a restart policy there is one small process, the waiter: `sh` sleeps and becomes
 * the program that starts the container again. The record (`restarting`, with the moment) comes first; a waiter that
 * comes for another moment than the record's does nothing, so that any number of them start a container once. Whoever
 * finds that the waiter is gone makes another.
 */
import { TareError } from "../base/index.ts";
import type { RestartPolicy } from "../options/index.ts";
import { recordsOf, filesOf, ownIdentity } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { killGroup } from "./kill-group.ts";
import { identify, isAlive } from "./process-identity.ts";
import { NEVER_RESTARTED, isNoPolicy, restartAfter } from "./restart-policy.ts";
import { releaseMounts } from "./release-mounts.ts";
import { runEndOf } from "./state.ts";
import type { ContainerRecord, RunEnd, StoredState } from "./types.ts";

type Restarting = Extract<StoredState, { status: "restarting" }>;

/**
 * The record of a container whose run has ended: started again later, or left ended. After a run of an earlier boot that
 * is for `tare system boot` to decide, not for the command that happens to come first.
 */
export function ended(context: ContainersContext, record: ContainerRecord, end: RunEnd): ContainerRecord {
  const restart = isOfThisBoot(context, record) ? restartAfter(record.host.restart, record.restart, end) : undefined;
  if (!restart) return { ...record, state: { status: "exited", ...end } };
  const due = end.finishedAt + restart.delay;
  return { ...record, restart, state: { status: "restarting", ...end, due, preparedBy: ownIdentity(context) } };
}

function isOfThisBoot({ processes }: ContainersContext, { state }: ContainerRecord): boolean {
  return state.status === "running" && state.supervisor.bootId === processes.bootId();
}

/** Makes the waiter of a container that this process has just written to be restarting. */
export function launchWaiter(context: ContainersContext, id: string): void {
  const record = recordsOf(context).get(id);
  if (record?.state.status !== "restarting") return;
  const { due } = record.state;
  // conmon's exit command sees the root file system of the last run, which would stay mounted with the waiter.
  releaseMounts(filesOf(context, id).folder);
  const pid = context.restarter.launch(id, due);
  const waiter = identify(pid, context.processes);
  if (!waiter) return;
  const noted = recordsOf(context).update(id, (current) =>
    isWaiting(current.state, due) ? { ...current, state: { ...current.state, waiter } } : current,
  );
  // It may have been stopped meanwhile, or the waiter has been so quick that it starts it already.
  const isStarting = noted?.state.status === "running" && noted.state.supervisor.pid === pid;
  if (!isStarting && !(noted && isWaiting(noted.state, due))) killGroup(waiter, context.processes);
}

/** Makes another waiter where there is none any more. False when nothing is to be done. */
export function relaunchWaiter(context: ContainersContext, id: string): boolean {
  let taken = false;
  recordsOf(context).update(id, (record) => {
    taken = lacksWaiter(context, record);
    if (!taken) return record;
    const { waiter: _, ...state } = record.state as Restarting;
    return { ...record, state: { ...state, preparedBy: ownIdentity(context) } };
  });
  if (taken) launchWaiter(context, id);
  return taken;
}

/** True when the waiter of this boot was killed. After a reboot `tare system boot` decides. */
export function lacksWaiter({ processes }: ContainersContext, { state }: ContainerRecord): boolean {
  if (state.status !== "restarting" || state.preparedBy.bootId !== processes.bootId()) return false;
  return !isAlive(state.waiter ?? state.preparedBy, processes);
}

/** A container that waits for its next start stays ended; its waiter is killed. The record as it is then. */
export function cancelRestart(context: ContainersContext, id: string): ContainerRecord | undefined {
  let waiter: Restarting["waiter"];
  const record = recordsOf(context).update(id, (current) => {
    const { state } = current;
    if (state.status !== "restarting") return current;
    waiter = state.waiter;
    return { ...current, state: { status: "exited", ...runEndOf(state) } };
  });
  if (waiter) killGroup(waiter, context.processes);
  return record;
}

/** From now on the container's policy does not start it again after its end, until a user starts it. */
export function noteStoppedByUser(context: ContainersContext, { id, host }: ContainerRecord): void {
  if (isNoPolicy(host.restart)) return;
  recordsOf(context).update(id, (record) => {
    return { ...record, restart: { ...(record.restart ?? NEVER_RESTARTED), stoppedByUser: true } };
  });
}

/** The container is stopped because the machine ends: its policy starts it again at the next boot only. */
export function noteShutdown(context: ContainersContext, id: string): void {
  recordsOf(context).update(id, (record) => {
    const known = record.restart ?? NEVER_RESTARTED;
    return { ...record, restart: { ...known, stoppedForShutdown: true } };
  });
}

/**
 * `update --restart`. One that waits for its next start stays ended when the new policy would not have started it.
 * Throws `E_CONTAINER_NOTFOUND`, and `E_USAGE` for a container that removes itself.
 */
export function setRestartPolicy(context: ContainersContext, text: string, policy: RestartPolicy): void {
  const { id, host } = findContainer(context, text);
  if (host.autoRemove && !isNoPolicy(policy)) {
    throw new TareError("E_USAGE", "Restart policy cannot be updated because AutoRemove is enabled for the container");
  }
  const record = recordsOf(context).update(id, (known) => ({ ...known, host: { ...known.host, restart: policy } }));
  if (record?.state.status === "restarting" && isNoPolicy(policy)) cancelRestart(context, id);
}

function isWaiting(state: StoredState, due: number): state is Restarting {
  return state.status === "restarting" && state.due === due;
}
