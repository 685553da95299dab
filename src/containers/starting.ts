// SPDX-License-Identifier: Apache-2.0
/*
 * Between the record "running" and the moment when the runtime has let the program go, a container belongs to its
 * starter. Others may not even clear up after a program that ended meanwhile: `runc start` removes its FIFO after the
 * program has gone, and would fail on a state folder that is no longer there. So others wait, or leave it alone; the
 * starter looks at the end itself, and once it is dead everybody may.
 */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "../base/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { findContainer, viewOf } from "./find.ts";
import { isAlive } from "./process-identity.ts";
import type { ContainerRecord } from "./types.ts";

/** A sound start takes 0.1 s, on a busy machine some seconds. */
const LONGEST_START = 30_000;
const POLL = 20;

/** True while a live process is about to start the container's program. */
export function isStarting(context: ContainersContext, { id, state }: ContainerRecord): boolean {
  if (state.status !== "running" || state.started || !isAlive(state.supervisor, context.processes)) return false;
  // A foreground supervisor does not write that it has started: the runtime's pid file says so.
  return state.mode === "detached" || !fs.existsSync(filesOf(context, id).pidFile);
}

/**
 * What is true of a container as soon as nobody is starting it; undefined when it is gone by then. Throws
 * `E_CONTAINER_STATE` when that takes too long.
 */
export async function viewOnceStarted(
  context: ContainersContext,
  known: ContainerRecord,
  doing: string,
): Promise<ContainerView | undefined> {
  for (const limit = context.now() + LONGEST_START; context.now() < limit; await sleep(POLL)) {
    const record = recordsOf(context).get(known.id);
    if (!record) return undefined;
    if (!isStarting(context, record)) return viewOf(context, record);
  }
  throw new TareError("E_CONTAINER_STATE", `${doing} the container \`${known.name}\`: another command is starting it`, {
    hint: "try again in a moment",
  });
}

/** A running container, which may be on the way to that. Throws `E_CONTAINER_STATE` saying how it ended. */
export async function findRunning(context: ContainersContext, text: string, doing: string): Promise<ContainerView> {
  const known = findContainer(context, text);
  const view = (await viewOnceStarted(context, known, doing)) ?? viewOf(context, findContainer(context, known.id));
  if (view.state.status === "running") return view;
  const { status, exitCode } = view.state;
  const how = status === "exited" ? `it has exited with code ${exitCode}` : `it is ${status}`;
  throw new TareError("E_CONTAINER_STATE", `${doing} the container \`${view.record.name}\`: ${how}`, {
    hint: `start it with \`tare start ${view.record.name}\``,
  });
}
