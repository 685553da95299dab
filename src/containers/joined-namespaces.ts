// SPDX-License-Identifier: Apache-2.0
/* `--pid container:NAME`: another container's processes are seen. */
import { TareError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import type { ProcessTable } from "./process-identity.ts";
import type { NamespaceRequest } from "./request.ts";
import { deriveState } from "./state.ts";
import type { ContainerRecord } from "./types.ts";

const OTHER = "container:";

/** The request with the other container's name made an id. Throws `E_CONTAINER_NOTFOUND`. */
export function withContainerId(context: ContainersContext, request: NamespaceRequest): NamespaceRequest {
  const pid = otherContainer(request.pid);
  return pid === undefined ? request : { ...request, pid: `${OTHER}${findContainer(context, pid).id}` };
}

/** The process namespace that a container joins at its start. Throws `E_CONTAINER_STATE` when its container does not run. */
export function joinedProcesses(
  place: { readonly store: Store; readonly processes: ProcessTable },
  { host }: ContainerRecord,
): string | undefined {
  const other = otherContainer(host.namespaces.pid);
  return other === undefined ? undefined : `/proc/${firstProcess(place, other, "process namespace")}/ns/pid`;
}

/** The pid of a running container's first process. Throws `E_CONTAINER_STATE`. */
export function firstProcess(
  { store, processes }: { readonly store: Store; readonly processes: ProcessTable },
  id: string,
  what: string,
): number {
  const record = recordsOf({ store }).get(id);
  const { pid } = record ? deriveState(record, filesOf({ store }, id), processes) : { pid: 0 };
  if (pid > 0) return pid;
  const name = record?.name ?? id.slice(0, 12);
  throw new TareError("E_CONTAINER_STATE", `joining the ${what} of the container \`${name}\`: it does not run`, {
    hint: record ? `start it with \`tare start ${name}\`` : "it has been removed: make a new container",
  });
}

/** Whether the first process is not the first of a process namespace: the kernel ends no others with it. */
export function sharesProcesses({ host }: ContainerRecord): boolean {
  return host.namespaces.pid === "host" || otherContainer(host.namespaces.pid) !== undefined;
}

/** The container that a mode `container:…` names; undefined for other modes. */
export function otherContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith(OTHER) ? mode.slice(OTHER.length) : undefined;
}
