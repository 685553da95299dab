// SPDX-License-Identifier: Apache-2.0
import { TreeView } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerRecord } from "./types.ts";

/** The file system of a container's image, as it is without the container's own changes. */
export function imageTree(context: ContainersContext, record: ContainerRecord): SourceTree {
  return new TreeView(context.store.layers.getAll(record.layers));
}
