// SPDX-License-Identifier: Apache-2.0
import { asDiffId, linux } from "../base/index.ts";
import { TreeView } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerRecord } from "./types.ts";

/** The file system of a container's image, as it is without the container's own changes. */
export function imageTree(context: Pick<ContainersContext, "store">, record: ContainerRecord): SourceTree {
  return new TreeView(context.store.layers.getAll(record.layers));
}

/** The same as overlayfs wants it: the layers' links in the store, the uppermost first. Throws `E_LAYER_MISSING`. */
export function lowerOf(
  { store }: Pick<ContainersContext, "store">,
  layers: ContainerRecord["layers"],
): readonly string[] {
  return store.layers
    .getAll(layers)
    .map(({ link }) => link)
    .toReversed();
}

/**
 * The file system of a container with its own changes. `opaque`: paths of its directories that hide the image's; only
 * an export needs them, as finding them takes a walk.
 */
export function containerTree(
  context: Pick<ContainersContext, "store">,
  record: ContainerRecord,
  opaque: readonly string[] = [],
): SourceTree {
  const layers = context.store.layers.getAll(record.layers);
  const changes = { diffId: asDiffId(record.imageId), size: 0, contentSize: 0, entries: 0, whiteouts: 0, link: "" };
  const { upper } = filesOf(context, record.id);
  return new TreeView([...layers, { ...changes, hasXattrs: false, tree: upper, opaque }]);
}

/** A folder of an upper directory hides that of the layers below (kernel documentation, overlayfs.rst). */
export function isOpaque(folder: string): boolean {
  return ["trusted", "user"].some((prefix) => linux.lgetxattr(folder, `${prefix}.overlay.opaque`)?.at(0) === 121);
}
