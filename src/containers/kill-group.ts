// SPDX-License-Identifier: Apache-2.0
import { isAlive } from "./process-identity.ts";
import type { ProcessIdentity, ProcessTable } from "./process-identity.ts";
import { signalProcess } from "./signal-process.ts";

/** Kills a process that leads a group of its own, with the whole group. One that is gone already is no error. */
export function killGroup(leader: ProcessIdentity, processes: ProcessTable): void {
  if (isAlive(leader, processes)) signalProcess(-leader.pid, "SIGKILL");
}
