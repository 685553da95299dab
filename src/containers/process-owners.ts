// SPDX-License-Identifier: Apache-2.0
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";

/** A container that has a process. */
export interface ProcessOwner {
  readonly id: string;
  readonly name: string;
}

/** The containers of this store that have these processes of the host, by pid; others are left out. */
export function ownersOfProcesses(
  context: ContainersContext,
  pids: readonly number[],
): ReadonlyMap<number, ProcessOwner> {
  const records = recordsOf(context).list();
  return new Map(
    pids.flatMap((pid): [number, ProcessOwner][] => {
      const groups = context.processes.cgroup(pid);
      const owner = records.find(({ id }) => groups.includes(id));
      return owner ? [[pid, { id: owner.id, name: owner.name }]] : [];
    }),
  );
}
