// SPDX-License-Identifier: Apache-2.0
/*
 * What happens when a container's first process has ended: the runtime's remains are cleared, and the record says how
 * it ended, or goes away together with the folder when the container was made to remove itself. Several processes may
 * want to do that at once (the supervisor, conmon's exit command, recovery, `rm -f`), so the record is claimed first.
 */
import { existsSync, readFileSync } from "node:fs";
import { linux, removeTree } from "../base/index.ts";
import { filesOf, ownIdentity, recordsOf, volumesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { viewOf } from "./find.ts";
import { isAlive } from "./process-identity.ts";
import type { Outcome } from "./runtime-port.ts";
import { killStarters } from "./starters.ts";
import type { ContainerRecord, StoredState } from "./types.ts";

type Running = Extract<StoredState, { status: "running" }>;

/** How a run ended, for the record. */
export interface Ending extends Outcome {
  readonly finishedAt: number;
  readonly error: string;
}

/** Writes how a container of this supervisor ended. Does nothing when another has taken the record over. */
export function recordEnding(context: ContainersContext, id: string, ending: Ending): void {
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
  if (!existsSync(files.exitFile)) killStarters(files.folder);
  await context.runtime.cleanup({ record, files });
  if (record.host.autoRemove) return removeRecord(context, record, { volumes: true });
  const lost = state.status !== "exited";
  const ending = {
    exitCode: lost ? 137 : state.exitCode,
    oomKilled: state.oomKilled,
    finishedAt: lost || state.finishedAt <= state.startedAt ? context.now() : state.finishedAt,
    error: state.error,
  };
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
  if (state.mode === "foreground" || !state.started) return !isAlive(state.supervisor, context.processes);
  return viewOf(context, record).state.status === "exited";
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
  removeFolder(folder);
  if (what.volumes) volumesOf(context).removeAnonymous(record.mounts);
  recordsOf(context, record.host).remove(record.id);
}

/**
 * Deletes a container's folder, never through something that is mounted in it. On the host nothing ever is; but conmon's
 * exit command lives in the container's private mount namespace and sees the root file system there.
 */
export function removeFolder(folder: string): void {
  for (const point of mountsBelow(folder, readFileSync("/proc/self/mountinfo", "utf8"))) {
    linux.umount2(point, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW);
  }
  removeTree(folder);
}

/** Mount points at or below a folder, deepest first, from a mountinfo text. */
export function mountsBelow(folder: string, mountinfo: string): readonly string[] {
  const points = mountinfo.split("\n").map((line) => unescapeOctal(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).toReversed();
}

/** mountinfo writes space, tab, line feed and backslash as `\040` and so on (proc(5)). */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
