// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { healthCheckOf } from "./health-config.ts";
import { readHealthStatus } from "./health-state.ts";
import type { HealthStatus } from "./health-state.ts";
import { deriveState } from "./state.ts";
import type { ContainerRecord, DerivedState } from "./types.ts";

/** The container with this name, id or unique id prefix. Throws `E_CONTAINER_NOTFOUND`. Takes no lock. */
export function findContainer(context: ContainersContext, text: string): ContainerRecord {
  const records = recordsOf(context);
  const found = records.find(text) ?? (text.startsWith("/") ? records.find(text.slice(1)) : undefined);
  if (found) return found;
  const names = records.list().map((record) => record.name);
  const near = suggest(text, names);
  throw new TareError("E_CONTAINER_NOTFOUND", `looking up the container \`${text}\`: no such container`, {
    hint: near ? `did you mean \`${near}\`?` : "`tare ps -a` lists all containers",
  });
}

/** A record with what is true of it at this moment. */
export function viewOf(context: ContainersContext, record: ContainerRecord): ContainerView {
  const files = filesOf(context, record.id);
  const state = deriveState(record, files, context.processes);
  const health = healthOf(record, state, files.health);
  return { record, state, ...(health === undefined ? {} : { health }) };
}

/** As Docker has it, a container that does not run any more is unhealthy. */
function healthOf(record: ContainerRecord, state: DerivedState, folder: string): HealthStatus | undefined {
  if (!healthCheckOf(record.config) || state.status === "created") return undefined;
  return state.status === "running" ? readHealthStatus(folder).status : "unhealthy";
}

/** All containers with what is true of them at this moment, the newest first. */
export function allViews(context: ContainersContext): readonly ContainerView[] {
  return recordsOf(context)
    .list()
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .map((record) => viewOf(context, record));
}

/** Finds a container and derives its state. Throws `E_CONTAINER_NOTFOUND`. */
export function findView(context: ContainersContext, text: string): ContainerView {
  return viewOf(context, findContainer(context, text));
}
