// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer, viewOf } from "./find.ts";
import { checkedLimits } from "./limits.ts";
import type { ResourceRequest } from "./request.ts";
import { viewOnceStarted } from "./starting.ts";

/** What `update` may change. Absent and 0: as it is. */
export type LimitChanges = Omit<ResourceRequest, "ulimits" | "shmSize" | "oomScoreAdjust">;

/**
 * Changes the limits of a container: of a running one at once, and for every later start. When the kernel refuses,
 * nothing has changed in the record. Throws `E_CONTAINER_NOTFOUND`, `E_USAGE`, `E_CONTAINER_STATE`, `E_RUNTIME`.
 */
export async function updateContainer(
  context: ContainersContext,
  text: string,
  changes: LimitChanges,
  warn: (text: string) => void = () => undefined,
): Promise<void> {
  const known = findContainer(context, text);
  const view = (await viewOnceStarted(context, known, "updating")) ?? viewOf(context, findContainer(context, known.id));
  const { record, state } = view;
  if (state.status === "removing" || state.status === "dead") {
    throw new TareError("E_CONTAINER_STATE", `updating the container \`${record.name}\`: it is being removed`);
  }
  const resources = changedLimits(record.host.resources, changes, warn);
  if (state.status === "running") await context.runtime.update(record, resources);
  recordsOf(context).update(record.id, (current) => ({ ...current, host: { ...current.host, resources } }));
}

/** The limits after a change. Throws `E_USAGE` as Docker does for what contradicts what is set. */
export function changedLimits(
  old: ResourceRequest,
  changes: LimitChanges,
  warn: (text: string) => void,
): ResourceRequest {
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined && value !== 0 && value !== ""),
  );
  checkConflicts(old, given);
  // As at the creation, where the limit of swap is twice that of memory.
  const swap = old.memory && old.memorySwap === undefined ? { memorySwap: old.memory * 2 } : {};
  const pids = changes.pidsLimit === undefined ? {} : { pidsLimit: changes.pidsLimit };
  return checkedLimits({ ...old, ...swap, ...given, ...pids }, warn);
}

type Conflict = readonly [set: keyof ResourceRequest, changed: keyof ResourceRequest, text: string];

const CONFLICTS: readonly Conflict[] = [
  ["nanoCpus", "cpuPeriod", "CPU Period cannot be updated as NanoCPUs has already been set"],
  ["nanoCpus", "cpuQuota", "CPU Quota cannot be updated as NanoCPUs has already been set"],
  ["cpuPeriod", "nanoCpus", "Nano CPUs cannot be updated as CPU Period has already been set"],
  ["cpuQuota", "nanoCpus", "Nano CPUs cannot be updated as CPU Quota has already been set"],
];

function checkConflicts(old: ResourceRequest, given: LimitChanges): void {
  const conflict = CONFLICTS.find(([set, changed]) => old[set] && given[changed as keyof LimitChanges]);
  if (conflict) throw new TareError("E_USAGE", `Conflicting options: ${conflict[2]}`);
  const swap = old.memorySwap ?? (old.memory ?? 0) * 2;
  if (given.memory && swap > 0 && given.memory > swap && given.memorySwap === undefined) {
    const text =
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time";
    throw new TareError("E_USAGE", text, { hint: "add `--memory-swap`, which counts the memory too" });
  }
}
