// SPDX-License-Identifier: Apache-2.0
/* Names, for the OCI runtime, of sessions beside containers: they say who owns them, so that prune leaves live ones alone. */
import type { ContainersContext } from "./context.ts";
import { ownIdentity } from "./context.ts";
import { isAlive } from "./process-identity.ts";
import type { ProcessTable } from "./process-identity.ts";

/** The name of this process's session. */
export function besideId(context: ContainersContext): string {
  const { pid, startTime } = ownIdentity(context);
  return `beside-${pid}-${startTime}`;
}

/** True for the name of a session whose process lives. */
export function isBesideAlive(id: string, processes: ProcessTable): boolean {
  const [, pid, startTime = ""] = /^beside-(\d+)-(\d+)$/.exec(id) ?? [];
  return pid !== undefined && isAlive({ pid: Number(pid), startTime, bootId: processes.bootId() }, processes);
}
