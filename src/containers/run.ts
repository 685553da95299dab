// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, isTareError, messageOf } from "../base/index.ts";
import type { LogConfig } from "../options/index.ts";
import { filesOf, ownIdentity, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { createRecord } from "./create.ts";
import type { Session } from "./attached.ts";
import { recordDeath } from "./events.ts";
import { findContainer, viewOf } from "./find.ts";
import { logLimitsOf } from "./logs/settings.ts";
import { beginHealthChecks, endHealthChecks } from "./health.ts";
import { LogWriter } from "./logs/writer.ts";
import { identify } from "./process-identity.ts";
import type { CreateRequest, ProcessIo, RunResult } from "./request.ts";
import type { Outcome } from "./runtime-port.ts";
import { noteStoppedByUser } from "./restart.ts";
import { NEVER_RESTARTED } from "./restart-policy.ts";
import { WAITER_GRACE, needsSettling, recordEnding, recordFailure, removeRecord, settle, settled } from "./settle.ts";
import { isUp, runEndOf } from "./state.ts";
import { findRunning, viewOnceStarted } from "./starting.ts";
import type { ContainerImage, ContainerRecord, PreviousRun, StoredState } from "./types.ts";

/**
 * Makes a container and starts it. In the foreground this process supervises it to its end (and removes it with
 * `autoRemove`); detached, conmon does. When the program can't be started the error has exit code 125, 126 or 127.
 */
export async function runContainer(
  context: ContainersContext,
  image: ContainerImage,
  request: CreateRequest,
  io: ProcessIo | "detached",
): Promise<RunResult> {
  const state = startingState(context, isSupervised(request, io));
  return await launch(context, await createRecord(context, image, request, state), io);
}

/** Makes a container and does not start it. */
export async function createContainer(
  context: ContainersContext,
  image: ContainerImage,
  request: CreateRequest,
): Promise<{ readonly id: string }> {
  return { id: (await createRecord(context, image, request, { status: "created" })).id };
}

/**
 * Starts a created or stopped container; with `io` attached and to its end. One that runs already, or that its restart
 * policy is about to start, stays as it is.
 */
export async function startContainer(context: ContainersContext, text: string, io?: ProcessIo): Promise<RunResult> {
  const known = findContainer(context, text);
  const view = await viewOnceStarted(context, known, "starting");
  if (view) await settled(context, known.id);
  const { status } = viewOf(context, findContainer(context, known.id)).state;
  if (status === "running" && io) return await attachContainer(context, known.id, io);
  if (view?.state.paused === true) throw pausedError(known.name);
  if (isUp({ status })) return { id: known.id };
  const { Tty: tty, OpenStdin: interactive } = known.config;
  const isOurs = isSupervised({ tty, interactive, autoRemove: known.host.autoRemove, log: known.host.log }, io);
  const record = takeForStart(context, known.id, { state: startingState(context, isOurs) });
  if (record) return await launch(context, record, io ?? "detached");
  throw new TareError("E_CONTAINER_STATE", `starting the container \`${known.name}\`: another command is at it`, {
    hint: "try again in a moment",
  });
}

function pausedError(name: string): TareError {
  const why = "cannot start a paused container, try unpause instead";
  return new TareError("E_CONTAINER_STATE", `starting the container \`${name}\`: ${why}`, {
    hint: `let it go on with \`tare unpause ${name}\``,
  });
}

/**
 * Starts a container for its restart policy: what a waiter does when the moment `due` has come. Does nothing when the
 * container does not wait for that moment any more.
 */
export async function restartContainerDue(context: ContainersContext, id: string, due: number): Promise<void> {
  const record = takeForStart(context, id, { state: startingState(context, false), due });
  if (record) await launch(context, record, "detached");
}

/**
 * Whether this process runs the container itself, which is the quickest. One with a terminal runs under conmon when it
 * has input (so that one can leave it and come back) or a log, and so does one that writes to the journal.
 */
function isSupervised(
  wanted: Pick<CreateRequest, "tty" | "interactive" | "autoRemove"> & { readonly log?: LogConfig | undefined },
  io: ProcessIo | "detached" | undefined,
): boolean {
  if (io === undefined || io === "detached") return false;
  const { tty, interactive, autoRemove, log } = wanted;
  return !(tty && (interactive || !autoRemove)) && log?.driver !== "journald";
}

function startingState(context: ContainersContext, isForeground: boolean): Start["state"] {
  return {
    status: "running",
    mode: isForeground ? "foreground" : "detached",
    supervisor: ownIdentity(context),
    started: false,
    startedAt: context.now(),
  };
}

/** A start by a user, or (with `due`) by the restart policy. */
interface Start {
  readonly state: Extract<StoredState, { status: "running" }>;
  readonly due?: number;
}

/** Exactly one of several starters gets the container; the others get undefined. */
function takeForStart(context: ContainersContext, id: string, start: Start): ContainerRecord | undefined {
  let taken: ContainerRecord | undefined;
  recordsOf(context).update(id, (record) => {
    if (!mayStart(context, record, start.due)) return record;
    // Inside the transaction: an exit file that is left must be of this run.
    forgetLastRun(context, record.id);
    const restart = start.due === undefined ? NEVER_RESTARTED : record.restart;
    taken = { ...record, restart, state: { ...start.state, previous: previousRun(record.state) } };
    return taken;
  });
  return taken;
}

function mayStart(context: ContainersContext, record: ContainerRecord, due: number | undefined): boolean {
  if (due !== undefined) return record.state.status === "restarting" && record.state.due === due;
  const { status } = viewOf(context, record).state;
  const isLeft = record.state.status === "restarting" && status === "exited";
  return record.state.status === "created" || record.state.status === "exited" || isLeft;
}

function previousRun(state: StoredState): PreviousRun | undefined {
  if (state.status !== "exited" && state.status !== "restarting") return undefined;
  return { status: state.status, ...runEndOf(state) };
}

function forgetLastRun(context: ContainersContext, id: string): void {
  const { pidFile, exitFile, oomFile, runtimeLog, supervisorPid } = filesOf(context, id);
  for (const path of [exitFile, oomFile, pidFile, runtimeLog, supervisorPid]) fs.rmSync(path, { force: true });
}

async function launch(
  context: ContainersContext,
  record: ContainerRecord,
  io: ProcessIo | "detached",
): Promise<RunResult> {
  const { id } = record;
  if (io === "detached") {
    const started = await orGiveUp(context, record, () => startUnderConmon(context, record));
    // The exit command of a program that ended before this was written has left the clearing up to this process.
    if (started && needsSettling(context, started)) await settle(context, id);
    return { id };
  }
  if (record.state.status === "running" && record.state.mode === "detached") return await converse(context, record, io);
  const outcome = await orGiveUp(context, record, () => supervise(context, record, io));
  if (outcome.endedByUser === true) noteStoppedByUser(context, record);
  await end(context, record, outcome, "");
  return { id, exitCode: outcome.exitCode };
}

/** Starts under conmon with a session from the first byte on. */
async function converse(context: ContainersContext, record: ContainerRecord, io: ProcessIo): Promise<RunResult> {
  const { openSession } = await import("./attached.ts");
  let session: Session | undefined;
  const open = async (): Promise<void> => Promise.resolve(void (session = openSession(context, record, io)));
  try {
    await orGiveUp(context, record, () => startUnderConmon(context, record, open));
    return resultOf(record.id, await session?.run());
  } finally {
    await session?.close();
  }
}

function resultOf(id: string, end: number | "detached" | undefined): RunResult {
  return typeof end === "number" ? { id, exitCode: end } : { id, isDetached: true };
}

/**
 * Joins a running container's streams to `io` until its end or the detach keys. Throws `E_CONTAINER_STATE` for one that
 * does not run, or that runs in another command's foreground.
 */
export async function attachContainer(context: ContainersContext, text: string, io: ProcessIo): Promise<RunResult> {
  const { record, state } = await findRunning(context, text, "attaching to");
  const doing = `attaching to the container \`${record.name}\``;
  if (state.paused) {
    throw new TareError("E_CONTAINER_STATE", `${doing}: it is paused`, {
      hint: `unpause it first with \`tare unpause ${record.name}\``,
    });
  }
  if (record.state.status === "running" && record.state.mode === "foreground") {
    throw new TareError("E_CONTAINER_STATE", `${doing}: it runs in the foreground of another command`, {
      hint: `\`tare logs -f ${record.name}\` shows its output; with \`-d\` or \`-it\` it could be attached to`,
    });
  }
  const { askToDraw, openSession } = await import("./attached.ts");
  await askToDraw(context, record, io);
  const session = openSession(context, record, io);
  try {
    return resultOf(record.id, await session.run());
  } finally {
    await session.close();
  }
}

/** When the start fails, the record says why (or the container goes away), and the error goes on to the caller. */
async function orGiveUp<T>(context: ContainersContext, record: ContainerRecord, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const exitCode = isTareError(error) ? error.exitCode : 125;
    await context.runtime.cleanup({ record, files: filesOf(context, record.id) }).catch(() => undefined);
    await end(context, record, { exitCode, oomKilled: false }, messageOf(error)).catch(() => undefined);
    throw error;
  }
}

async function supervise(context: ContainersContext, record: ContainerRecord, io: ProcessIo): Promise<Outcome> {
  const files = filesOf(context, record.id);
  const limits = record.host.autoRemove ? undefined : logLimitsOf(record);
  const log = limits ? new LogWriter(files.logs, limits) : undefined;
  await beginHealthChecks(context, record);
  try {
    return await context.runtime.runForeground({ record, files }, io, log);
  } finally {
    endHealthChecks(context, record);
    log?.close();
  }
}

async function startUnderConmon(
  context: ContainersContext,
  record: ContainerRecord,
  onCreated?: () => Promise<void>,
): Promise<ContainerRecord | undefined> {
  const files = filesOf(context, record.id);
  const { supervisorPid, pid } = await context.runtime.startDetached({ record, files }, onCreated);
  await beginHealthChecks(context, record);
  const supervisor = identify(supervisorPid, context.processes);
  const process = identify(pid, context.processes);
  return recordsOf(context).update(record.id, (current) => {
    if (current.state.status !== "running") return current;
    // A program that has ended already has left its exit file; then the identities do not matter.
    const known = { ...current.state, started: true, supervisor: supervisor ?? current.state.supervisor };
    return { ...current, state: process ? { ...known, process } : known };
  });
}

/** The end of a run of this process's own: one write, or with `autoRemove` folder and record are deleted. */
async function end(
  context: ContainersContext,
  record: ContainerRecord,
  outcome: Outcome,
  error: string,
): Promise<void> {
  const { exitCode, oomKilled } = outcome;
  const ending = { exitCode, oomKilled, finishedAt: context.now(), error };
  const write = error === "" ? recordEnding : recordFailure;
  const files = filesOf(context, record.id);
  // Not as it was at the start: a restart keeps what would remove itself.
  const { autoRemove } = (recordsOf(context).get(record.id) ?? record).host;
  const awaited = autoRemove && fs.existsSync(files.waiting);
  if (!autoRemove || awaited) write(context, record.id, ending);
  else if (error === "") recordDeath(context, record, ending);
  if (awaited) await new Promise((resolve) => setTimeout(resolve, WAITER_GRACE));
  if (autoRemove) removeRecord(context, record, { volumes: true });
}
