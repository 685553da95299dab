// SPDX-License-Identifier: Apache-2.0
import { TareError, execute } from "../base/index.ts";
import type { ExecuteResult } from "../base/index.ts";
import { lastLine } from "./failure.ts";
import type { OciRuntime } from "./find.ts";
import type { OciResources } from "./spec-types.ts";
import { launchEnvironment } from "./overlay.ts";
import { runtimeCommand } from "./task.ts";

/** A container that the runtime knows. */
export interface ContainerHandle {
  readonly runtime: OciRuntime;
  readonly stateRoot: string;
  readonly id: string;
}

/** What the runtime says about a container. */
export interface ContainerState {
  readonly status: "creating" | "created" | "running" | "paused" | "stopped";
  /** Of the init process; 0 when stopped. */
  readonly pid: number;
  readonly bundle: string;
}

const STATUSES: readonly string[] = ["creating", "created", "running", "paused", "stopped"];
const UNKNOWN_CONTAINER = /does not exist|no such (?:file|container)|not found/i;
const ENDED = /not running|already finished|no such process|os: process already/i;

/** The runtime's view, or undefined for a container that it does not know (never started, or deleted). */
export async function containerState(handle: ContainerHandle): Promise<ContainerState | undefined> {
  const result = await call(handle, ["state", handle.id]);
  if (result.code !== 0) {
    if (UNKNOWN_CONTAINER.test(result.stderr)) return undefined;
    throw failed(handle, "asking for the state of", result);
  }
  const value: unknown = JSON.parse(result.stdout);
  if (isState(value)) return { status: value.status, pid: value.pid, bundle: value.bundle };
  throw new TareError("E_RUNTIME", `asking for the state of container \`${handle.id}\`: the answer is malformed`);
}

/**
 * Sends a signal (`TERM`, `SIGTERM` or a number) to the init process, or with `all` to every process. False when the
 * container has ended already or is unknown.
 */
export async function killContainer(handle: ContainerHandle, signal: string, all: boolean = false): Promise<boolean> {
  const result = await call(handle, ["kill", ...(all ? ["--all"] : []), handle.id, signal]);
  if (result.code === 0) return true;
  if (UNKNOWN_CONTAINER.test(result.stderr) || ENDED.test(result.stderr)) return false;
  throw failed(handle, `sending ${signal} to`, result);
}

/** Removes a stopped container's record and control groups; with `force` a running one is killed first. */
export async function deleteContainer(handle: ContainerHandle, force: boolean = false): Promise<void> {
  const result = await call(handle, ["delete", ...(force ? ["--force"] : []), handle.id]);
  if (result.code !== 0 && !UNKNOWN_CONTAINER.test(result.stderr)) throw failed(handle, "deleting", result);
}

/** Stops all processes where they are. */
export async function pauseContainer(handle: ContainerHandle): Promise<void> {
  const result = await call(handle, ["pause", handle.id]);
  if (result.code !== 0) throw failed(handle, "pausing", result);
}

/** Lets paused processes go on. */
export async function resumeContainer(handle: ContainerHandle): Promise<void> {
  const result = await call(handle, ["resume", handle.id]);
  if (result.code !== 0) throw failed(handle, "resuming", result);
}

/** Pids on this host of all its processes; throws when it does not run. */
export async function containerProcesses(handle: ContainerHandle): Promise<readonly number[]> {
  const result = await call(handle, ["ps", "--format", "json", handle.id]);
  if (result.code !== 0) throw failed(handle, "listing the processes of", result);
  const value: unknown = JSON.parse(result.stdout);
  if (Array.isArray(value) && value.every((pid) => typeof pid === "number")) return value;
  throw new TareError("E_RUNTIME", `listing the processes of container \`${handle.id}\`: the answer is malformed`);
}

/** Changes the limits of a running container. */
export async function updateResources(
  handle: ContainerHandle,
  resources: Omit<OciResources, "devices">,
): Promise<void> {
  const result = await call(handle, ["update", "--resources", "-", handle.id], JSON.stringify(resources));
  if (result.code !== 0) throw failed(handle, "changing the limits of", result);
}

function call(handle: ContainerHandle, words: readonly string[], input?: string): Promise<ExecuteResult> {
  const [program = "", ...global] = runtimeCommand(handle.runtime, handle.stateRoot);
  return execute(program, [...global, ...words], {
    env: launchEnvironment(undefined),
    ...(input === undefined ? {} : { input }),
  });
}

function failed(handle: ContainerHandle, doing: string, result: ExecuteResult): TareError {
  const why = lastLine(result.stderr) || `exit code ${result.code}`;
  return new TareError("E_RUNTIME", `${doing} container \`${handle.id}\`: ${why}`);
}

function isState(value: unknown): value is ContainerState {
  if (typeof value !== "object" || value === null) return false;
  if (!("status" in value) || !("pid" in value) || !("bundle" in value)) return false;
  return typeof value.status === "string" && STATUSES.includes(value.status) && typeof value.pid === "number";
}
