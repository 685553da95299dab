// SPDX-License-Identifier: Apache-2.0
/* The watcher of a container with a health check: made with every start, killed at the end, made anew when it is gone. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory, readTextIfPresent, writeFileAtomic } from "../base/index.ts";
import { formatDuration } from "../options/index.ts";
import type { Store } from "../store/index.ts";
import { launchShell } from "./background-shell.ts";
import { filesOf, recordsOf } from "./context.ts";
import { recordContainerEvent } from "./events.ts";
import type { ContainersContext } from "./context.ts";
import { healthCheckOf } from "./health-config.ts";
import type { HealthCheck } from "./health-config.ts";
import { HEALTH_SCRIPT } from "./health-script.ts";
import { killGroup } from "./kill-group.ts";
import { identify, isAlive } from "./process-identity.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { ContainerRecord } from "./types.ts";

/**
 * Begins to carry out a container's health check, if it has one: status `starting`. May be called before the program
 * has started: the watcher waits for the runtime's pid file.
 */
export async function beginHealthChecks(context: ContainersContext, record: ContainerRecord): Promise<void> {
  if (!healthCheckOf(record.config)) return;
  rmSync(join(filesOf(context, record.id).health, "status"), { force: true });
  await launchWatcher(context, record);
}

/** Ends the checks of a container that has ended. */
export function endHealthChecks(context: ContainersContext, record: ContainerRecord): void {
  if (!healthCheckOf(record.config)) return;
  const watcher = watcherOf(context, record.id);
  if (watcher) killGroup(watcher, context.processes);
}

/** Makes another watcher for a container that runs and has lost its own. False when it needs none. */
export async function rewatchHealth(context: ContainersContext, record: ContainerRecord): Promise<boolean> {
  if (!lacksHealthWatcher(context, record)) return false;
  const release = context.store.claim(`health ${record.id}`);
  if (!release) return false;
  try {
    if (!lacksHealthWatcher(context, record)) return false;
    await launchWatcher(context, record);
    return true;
  } finally {
    release();
  }
}

/** True when nobody carries out the check of a container that has been started. */
function lacksHealthWatcher(context: ContainersContext, record: ContainerRecord): boolean {
  if (record.state.status !== "running" || !record.state.started || !healthCheckOf(record.config)) return false;
  const watcher = watcherOf(context, record.id);
  return !watcher || !isAlive(watcher, context.processes);
}

/** Records that a container's health is another now. */
export function recordHealth(store: Store, id: string, status: string): void {
  const record = recordsOf({ store }).get(id);
  if (record) recordContainerEvent({ store }, record, `health_status: ${status}`);
}

async function launchWatcher(context: ContainersContext, record: ContainerRecord): Promise<void> {
  const check = healthCheckOf(record.config);
  if (!check) return;
  const files = filesOf(context, record.id);
  ensureDirectory(files.health);
  const probe = await context.runtime.execCommand({ record, files }, check.command, files.health);
  const words = [files.health, files.pidFile, ...timesOf(check, record), lateText(check)];
  const notify = context.healthCommand.length === 0 ? [] : [...context.healthCommand, record.id];
  const pid = launchShell(HEALTH_SCRIPT, [...words, String(notify.length), ...notify, ...probe]);
  const watcher = identify(pid, context.processes);
  if (watcher) writeFileAtomic(watcherFile(context, record.id), JSON.stringify(watcher));
}

function timesOf(check: HealthCheck, { state }: ContainerRecord): readonly string[] {
  const { interval, timeout, startPeriod, startInterval, retries } = check;
  const started = state.status === "running" ? state.startedAt : 0;
  return [interval, timeout, startPeriod, startInterval, retries, started].map(String);
}

/** Docker's text. */
function lateText({ timeout }: HealthCheck): string {
  return `Health check exceeded timeout (${formatDuration(timeout * 1e6)})`;
}

function watcherFile(context: ContainersContext, id: string): string {
  return join(filesOf(context, id).health, "watcher.json");
}

function watcherOf(context: ContainersContext, id: string): ProcessIdentity | undefined {
  const text = readTextIfPresent(watcherFile(context, id));
  // Written by `launchWatcher` only, by rename.
  return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
}
