// SPDX-License-Identifier: Apache-2.0
/* What control groups are used for besides limits, on hosts that give an ordinary user none. */
import { readlinkSync } from "node:fs";
import { TareError } from "../base/index.ts";
import { namespaceLimits } from "../runtime/index.ts";
import { processIds } from "./process-identity.ts";
import { signalProcess } from "./signal-process.ts";
import type { ContainerRecord } from "./types.ts";

/** Whether containers of this process have control groups. */
export function hasOwnCgroup(): boolean {
  return namespaceLimits()?.hasCgroups !== false;
}

/** Throws `E_UNSUPPORTED` where containers have no control groups. */
export function requireCgroup({ name }: ContainerRecord, doing: string): void {
  if (hasOwnCgroup()) return;
  throw new TareError("E_UNSUPPORTED", `${doing} \`${name}\`: an ordinary user's containers have no control groups`, {
    hint: "with sudo containers have them",
  });
}

/**
 * The processes that share the process namespace of `pid`, itself first: all of a container that has one of its own.
 * For containers without a control group, which would know them.
 */
export function processesBeside(pid: number): readonly number[] {
  const own = namespaceOf(pid);
  if (own === undefined || own === namespaceOf("self")) return [pid];
  return [pid, ...processIds().filter((other) => other !== pid && namespaceOf(other) === own)];
}

/**
 * Stops all processes of a container where they are, again until none has been started meanwhile. Without a freezer their
 * parents can see it. Throws `E_UNSUPPORTED` where the container's processes are not to be told from the host's.
 */
export function stopProcesses(record: ContainerRecord, pid: number): void {
  if (record.host.namespaces.pid !== undefined) requireCgroup(record, "pausing");
  const stopped = new Set<number>();
  for (let fresh = processesBeside(pid); fresh.length > 0;) {
    for (const each of fresh) signal(each, "SIGSTOP");
    for (const each of fresh) stopped.add(each);
    fresh = processesBeside(pid).filter((each) => !stopped.has(each));
  }
}

/** Lets them go on, the first process last: it may be waiting for the others. */
export function continueProcesses(pid: number): void {
  for (const each of processesBeside(pid).toReversed()) signal(each, "SIGCONT");
}

/** 0 stands for no process. */
function signal(pid: number, name: NodeJS.Signals): void {
  if (pid > 1) signalProcess(pid, name);
}

function namespaceOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
