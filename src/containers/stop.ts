// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "../base/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { recordContainerEvent } from "./events.ts";
import { findContainer, findView, viewOf } from "./find.ts";
import { cancelRestart, noteStoppedByUser } from "./restart.ts";
import { settled } from "./settle.ts";
import { isMeantToEnd, signalNumber } from "./signals.ts";
import { findRunning, isStarting, viewOnceStarted } from "./starting.ts";
import { unpauseContainer } from "./exec.ts";
import { startContainer } from "./run.ts";
import { sharesProcesses } from "./joined-namespaces.ts";
import type { ContainerRecord } from "./types.ts";

const SIGKILL = 9;
const DEFAULT_TIMEOUT = 10;
const KILL_TIMEOUT = 10;
const POLL = 20;

/** `stop`, `restart`: absent fields are the container's own, then SIGTERM and 10 seconds. */
export interface StopOptions {
  readonly signal?: string | undefined;
  /** Seconds until SIGKILL; -1: never. */
  readonly timeout?: number | undefined;
  /** Not by a user: its restart policy stays in force for the next boot. */
  readonly forShutdown?: boolean;
}

/** Sends the stop signal, after the timeout SIGKILL, and returns when it has ended. A stopped one is no error. */
export async function stopContainer(
  context: ContainersContext,
  text: string,
  options: StopOptions = {},
): Promise<void> {
  const view = await viewOnceStarted(context, findContainer(context, text), "stopping");
  const byUser = options.forShutdown !== true;
  if (view?.state.status === "restarting") return endWaiting(context, view.record, byUser);
  if (view?.state.status !== "running") return;
  const { config } = view.record;
  if (byUser) noteStoppedByUser(context, view.record);
  const timeout = options.timeout ?? config.StopTimeout ?? DEFAULT_TIMEOUT;
  if (view.state.paused) await unpauseContainer(context, view.record.id);
  await send(context, view, signalNumber(options.signal ?? config.StopSignal ?? "TERM"));
  if (!(await hasEnded(context, view.record.id, timeout))) await killNow(context, view);
  recordContainerEvent(context, view.record, "stop");
}

/** Stops it if it runs, then starts it detached. */
export async function restartContainer(
  context: ContainersContext,
  text: string,
  options: StopOptions = {},
): Promise<void> {
  const record = findContainer(context, text);
  const stop = async (): Promise<void> => await stopContainer(context, record.id, options);
  await (record.host.autoRemove ? keeping(context, record.id, stop) : stop());
  await startContainer(context, record.id);
  recordContainerEvent(context, record, "restart");
}

/** Does what ends a container without its `--rm` removing it; that holds again for its next end. */
async function keeping(context: ContainersContext, id: string, stop: () => Promise<void>): Promise<void> {
  const set = (autoRemove: boolean): ContainerRecord | undefined =>
    recordsOf(context).update(id, (record) => ({ ...record, host: { ...record.host, autoRemove } }));
  set(false);
  try {
    await stop();
    // Whoever runs it in the foreground writes its end, and asks then.
    const limit = context.now() + KILL_TIMEOUT * 1000;
    while (recordsOf(context).get(id)?.state.status === "running" && context.now() < limit) await sleep(POLL);
    // overlayfs marks what it did not sync (`volatile`, for containers that go away) and mounts it no second time.
    fs.rmSync(join(filesOf(context, id).work, "work", "incompat"), { recursive: true, force: true });
  } finally {
    set(true);
  }
}

/**
 * Sends a signal to the first process; one that waits for its restart stays ended. Throws `E_SIGNAL`,
 * `E_CONTAINER_STATE` when it does not run.
 */
export async function killContainer(context: ContainersContext, text: string, signal: string): Promise<void> {
  const number = signalNumber(signal);
  const known = findView(context, text);
  if (known.state.status === "restarting") return endWaiting(context, known.record);
  const view = await findRunning(context, text, "killing");
  const isEnd = isMeantToEnd(view.record.config, signal);
  if (isEnd) noteStoppedByUser(context, view.record);
  // As in Docker, what is killed has ended when the command has.
  if (number === SIGKILL) return killNow(context, view);
  await send(context, view, number);
  if (isEnd) await thaw(context, view);
}

/** A container that waits for its restart stays ended. */
export async function endWaiting(
  context: ContainersContext,
  record: ContainerRecord,
  byUser: boolean = true,
): Promise<void> {
  if (byUser) noteStoppedByUser(context, record);
  // Its end may not have been written yet.
  await settled(context, record.id);
  cancelRestart(context, record.id);
}

/** The exit code, as soon as the container does not run; at once for one that has ended or was never started (0). */
export async function waitContainer(context: ContainersContext, text: string, signal?: AbortSignal): Promise<number> {
  const { id, host, state } = findContainer(context, text);
  if (host.autoRemove && state.status === "running") noteWaiter(filesOf(context, id).waiting);
  let exitCode = 0;
  for (;;) {
    const record = recordsOf(context).get(id);
    if (!record) return exitCode;
    const current = viewOf(context, record).state;
    exitCode = current.exitCode;
    const isIdle = current.status === "created" && !isStarting(context, record);
    if (isIdle || current.status === "exited" || current.status === "dead") return exitCode;
    if (signal?.aborted) throw new TareError("E_ABORTED", `waiting for \`${text}\`: interrupted`, { exitCode: 130 });
    await sleep(POLL, undefined, { signal }).catch(() => undefined);
  }
}

/** Frozen processes get their signals when they go on. */
async function thaw(context: ContainersContext, { record, state }: ContainerView): Promise<void> {
  if (!state.paused) return;
  try {
    await context.runtime.resume(record);
  } catch (error) {
    if (viewOf(context, record).state.status === "running") throw error;
  }
}

/** SIGKILL, and waits for the end. Throws `E_CONTAINER_STATE` when it does not come. */
export async function killNow(context: ContainersContext, view: ContainerView): Promise<void> {
  await send(context, view, SIGKILL);
  await thaw(context, view);
  if (await hasEnded(context, view.record.id, KILL_TIMEOUT)) return;
  throw new TareError("E_CONTAINER_STATE", `killing the container \`${view.record.name}\`: it does not end`, {
    hint: "a process in it may hang in the kernel (state D in `ps`); `tare system prune` tries again",
  });
}

/**
 * The pid was just checked to be this container's. Killing the first process of a pid namespace ends all others; in
 * the host's namespace the runtime must find them.
 */
async function send(context: ContainersContext, view: ContainerView, signal: number): Promise<void> {
  const { record, state } = view;
  recordContainerEvent(context, record, "kill", { signal: String(signal) });
  const shared = sharesProcesses(record) && signal === SIGKILL;
  try {
    if (state.pid > 0 && !shared) process.kill(state.pid, signal);
    else await context.runtime.kill(record, signal, shared);
  } catch (error) {
    if (viewOf(context, record).state.status === "running") throw error;
  }
}

/** Polls until the container does not run, then clears up if nobody else does. */
async function hasEnded(context: ContainersContext, id: string, seconds: number): Promise<boolean> {
  const limit = seconds < 0 ? Infinity : context.now() + seconds * 1000;
  for (;;) {
    const record = recordsOf(context).get(id);
    if (record && viewOf(context, record).state.status === "running") {
      if (context.now() >= limit) return false;
      await sleep(POLL);
      continue;
    }
    if (record) await settled(context, id);
    return true;
  }
}

/** Only a hint, so a folder that has just gone is no error. */
function noteWaiter(path: string): void {
  try {
    fs.writeFileSync(path, "", { mode: 0o600 });
  } catch {
    return;
  }
}
