// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, isTareError, messageOf } from "../base/index.ts";
import { filesOf, ownIdentity, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { createRecord } from "./create.ts";
import { findContainer, viewOf } from "./find.ts";
import { LogWriter } from "./log-writer.ts";
import { identify } from "./process-identity.ts";
import type { CreateRequest, ProcessIo, RunResult } from "./request.ts";
import type { Outcome } from "./runtime-port.ts";
import { needsSettling, recordEnding, removeRecord, settle } from "./settle.ts";
import { viewOnceStarted } from "./starting.ts";
import type { ContainerImage, ContainerRecord, StoredState } from "./types.ts";

/** How long a waiting `tare wait` gets to read the exit code of a container that removes itself. */
const WAITER_GRACE = 200;

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
  const record = createRecord(context, image, request, startingState(context, io));
  return await launch(context, record, io);
}

/** Makes a container and does not start it. */
export function createContainer(
  context: ContainersContext,
  image: ContainerImage,
  request: CreateRequest,
): { readonly id: string } {
  return { id: createRecord(context, image, request, { status: "created" }).id };
}

/** Starts a created or stopped container; with `io` attached and to its end. One that runs already stays as it is. */
export async function startContainer(context: ContainersContext, text: string, io?: ProcessIo): Promise<RunResult> {
  const known = findContainer(context, text);
  const view = await viewOnceStarted(context, known, "starting");
  if (view && needsSettling(context, view.record)) await settle(context, known.id);
  if (viewOf(context, findContainer(context, known.id)).state.status === "running") return { id: known.id };
  const record = takeForStart(context, known, startingState(context, io ?? "detached"));
  return await launch(context, record, io ?? "detached");
}

function startingState(context: ContainersContext, io: ProcessIo | "detached"): StoredState {
  return {
    status: "running",
    mode: io === "detached" ? "detached" : "foreground",
    supervisor: ownIdentity(context),
    started: false,
    startedAt: context.now(),
  };
}

/** Exactly one of several starters gets the container. */
function takeForStart(context: ContainersContext, known: ContainerRecord, state: StoredState): ContainerRecord {
  let taken: ContainerRecord | undefined;
  recordsOf(context).update(known.id, (record) => {
    if (record.state.status !== "created" && record.state.status !== "exited") return record;
    // Inside the transaction: an exit file that is left must be of this run.
    forgetLastRun(context, record.id);
    taken = { ...record, state };
    return taken;
  });
  if (taken) return taken;
  throw new TareError("E_CONTAINER_STATE", `starting the container \`${known.name}\`: another command is at it`, {
    hint: "try again in a moment",
  });
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
  const outcome = await orGiveUp(context, record, () => supervise(context, record, io));
  await end(context, record, outcome, "");
  return { id, exitCode: outcome.exitCode };
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
  const hasLog = !record.host.autoRemove && !record.config.Tty;
  const log = hasLog ? new LogWriter(files.log) : undefined;
  try {
    return await context.runtime.runForeground({ record, files }, io, log);
  } finally {
    log?.close();
  }
}

async function startUnderConmon(
  context: ContainersContext,
  record: ContainerRecord,
): Promise<ContainerRecord | undefined> {
  const files = filesOf(context, record.id);
  const { supervisorPid, pid } = await context.runtime.startDetached({ record, files });
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
  const ending = { ...outcome, finishedAt: context.now(), error };
  const files = filesOf(context, record.id);
  const awaited = record.host.autoRemove && fs.existsSync(files.waiting);
  if (!record.host.autoRemove || awaited) recordEnding(context, record.id, ending);
  if (awaited) await new Promise((resolve) => setTimeout(resolve, WAITER_GRACE));
  if (record.host.autoRemove) removeRecord(context, record, { volumes: true });
}
