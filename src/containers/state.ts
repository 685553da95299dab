// SPDX-License-Identifier: Apache-2.0
/*
 * What is true about a container, derived when asked and without a lock: the record says what was last written, the
 * process table and the files that the supervisor leaves say what has happened since. After a reboot every process
 * of the record is gone by its boot id alone.
 */
import * as fs from "node:fs";
import { readTextIfPresent } from "../base/index.ts";
import { isAlive } from "./process-identity.ts";
import type { ProcessTable } from "./process-identity.ts";
import { restartAfter } from "./restart-policy.ts";
import type { ContainerRecord, DerivedState, RunEnd, StoredState } from "./types.ts";

/** Files of one container that tell about its processes. */
export interface StateFiles {
  /** Written by the OCI runtime: pid of the container's first process. */
  readonly pidFile: string;
  /** Written by conmon at the end: the exit code. */
  readonly exitFile: string;
  /** Made by conmon when the kernel killed a process for lack of memory. */
  readonly oomFile: string;
}

type Running = Extract<StoredState, { status: "running" }>;

/** A container that vanished with its supervisor: as if killed. */
const LOST = { status: "exited", exitCode: 137 } as const;

/** The truth about a container at this moment. Reads only. */
export function deriveState(record: ContainerRecord, files: StateFiles, processes: ProcessTable): DerivedState {
  const state = record.state;
  switch (state.status) {
    case "created":
      return NEVER_STARTED;
    case "removing":
      return { ...NEVER_STARTED, status: isAlive(state.by, processes) ? "removing" : "dead" };
    case "exited":
      return endOf(state);
    case "restarting": {
      // After a reboot nobody waits any more: what is to be started then is decided by `tare system boot`.
      const isThisBoot = state.preparedBy.bootId === processes.bootId();
      return { ...endOf(state), status: isThisBoot ? "restarting" : "exited" };
    }
    case "running":
      return deriveRunning(record, state, { files, processes });
  }
}

/** A container that is about to be started again counts as one that runs, as in Docker. */
export function isUp({ status }: Pick<DerivedState, "status">): boolean {
  return status === "running" || status === "restarting";
}

const NEVER_STARTED: DerivedState = {
  status: "created",
  paused: false,
  pid: 0,
  exitCode: 0,
  startedAt: 0,
  finishedAt: 0,
  oomKilled: false,
  error: "",
};

/** How a run ended, without what else a state holds. */
export function runEndOf({ exitCode, startedAt, finishedAt, oomKilled, error }: RunEnd): RunEnd {
  return { exitCode, startedAt, finishedAt, oomKilled, error };
}

function endOf(end: RunEnd): DerivedState {
  return { status: "exited", paused: false, pid: 0, ...runEndOf(end) };
}

function deriveRunning(
  record: ContainerRecord,
  state: Running,
  look: { readonly files: StateFiles; readonly processes: ProcessTable },
): DerivedState {
  const { files, processes } = look;
  const before = state.previous;
  const base = { ...NEVER_STARTED, startedAt: state.startedAt, finishedAt: before?.finishedAt ?? 0 };
  const ended = readExit(files, state.startedAt);
  if (ended) {
    const isLater = state.supervisor.bootId === processes.bootId() && isAboutToRestart(record, state, ended);
    return { ...base, ...ended, status: isLater ? "restarting" : "exited" };
  }
  const pid = livePid(record.id, state, look);
  const isHeld = pid === undefined || isWaiting(record.id, processes.words(pid));
  if (isHeld && isAbandoned(state, processes)) return { ...base, ...LOST, error: "its start was interrupted" };
  if (pid !== undefined) return { ...base, status: "running", pid, paused: state.paused ?? false };
  if (!isAlive(state.supervisor, processes)) {
    const error = "ended together with its supervisor: the exit code is not known";
    return { ...base, ...LOST, finishedAt: state.startedAt, error };
  }
  // The supervisor lives: either it has not started the program yet, or it is about to write how it ended.
  const begun = state.started || fs.existsSync(files.pidFile);
  if (begun) return { ...base, status: "running" };
  return before ? { ...endOf(before), status: before.status } : NEVER_STARTED;
}

/** Its starter was killed. If it had not let the program go, what waits in it will be cleared by the next command. */
function isAbandoned(state: Running, processes: ProcessTable): boolean {
  return state.mode === "detached" && !state.started && !isAlive(state.supervisor, processes);
}

/** Until it is let go, the first process is still the runtime: `runc init`, or the `crun create` that it was made by. */
function isWaiting(id: string, words: string): boolean {
  return /(?:^|\/)runc\0init\0$/.test(words) || (words.includes("\0--bundle\0") && words.includes(id));
}

/** It has just ended, and conmon's exit command (or recovery) is about to write that it is restarting. */
function isAboutToRestart(record: ContainerRecord, state: Running, ended: Exit): boolean {
  return state.started && restartAfter(record.host.restart, record.restart, { ...state, ...ended }) !== undefined;
}

type Exit = Pick<DerivedState, "exitCode" | "finishedAt" | "oomKilled">;

function readExit(files: StateFiles, startedAt: number): Exit | undefined {
  const text = readTextIfPresent(files.exitFile);
  if (text === undefined || !/^\d+/.test(text)) return undefined;
  const written = fs.statSync(files.exitFile, { throwIfNoEntry: false })?.mtimeMs ?? startedAt;
  return {
    exitCode: Number.parseInt(text, 10),
    finishedAt: Math.round(written),
    oomKilled: fs.existsSync(files.oomFile),
  };
}

/** A pid from the pid file counts while the supervisor lives, or when that process is in this container's cgroup. */
function livePid(
  id: string,
  state: Running,
  look: { readonly files: StateFiles; readonly processes: ProcessTable },
): number | undefined {
  const { files, processes } = look;
  if (state.supervisor.bootId !== processes.bootId()) return undefined;
  if (state.process) return isAlive(state.process, processes) ? state.process.pid : undefined;
  const pid = Number.parseInt(readTextIfPresent(files.pidFile) ?? "", 10);
  if (!Number.isInteger(pid) || processes.startTime(pid) === undefined) return undefined;
  const isOurs = isAlive(state.supervisor, processes) || processes.cgroup(pid).includes(id);
  return isOurs ? pid : undefined;
}
