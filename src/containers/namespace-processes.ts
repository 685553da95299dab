// SPDX-License-Identifier: Apache-2.0
/* What control groups are used for besides limits, on hosts that give an ordinary user none. */
import { readdirSync, readlinkSync } from "node:fs";
import { TareError } from "../base/index.ts";
import { namespaceLimits } from "../runtime/index.ts";
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
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && namespaceOf(name) === own);
  return [pid, ...others.map(Number).filter((other) => other !== pid)];
}

function namespaceOf(pid: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
