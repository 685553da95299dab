// SPDX-License-Identifier: Apache-2.0
/*
 * A container's root file system as a tar, read from its layers and its upper directory without a mount. What a
 * running container changes meanwhile may be seen or not.
 */
import * as fs from "node:fs";
import type { ByteSink } from "../base/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { containerTree, isOpaque } from "./image-tree.ts";

/** Writes the file system of a container, without what is mounted into it, as a tar. */
export async function exportContainer(
  context: ContainersContext,
  text: string,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  // Loaded here, so that starting a container does not read the rooms of archives.
  const { exportFlatTar } = await import("../images/index.ts");
  const record = findContainer(context, text);
  const { upper } = filesOf(context, record.id);
  const tree = containerTree(context, record, opaqueBelow(upper));
  await exportFlatTar([{ tree }], sink, signal);
}

/** Paths below an overlayfs upper directory that hide the layers under them. */
function opaqueBelow(root: string, path: string = ""): string[] {
  const folder = path === "" ? root : `${root}/${path}`;
  const folders = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const below = folders.flatMap(({ name }) => opaqueBelow(root, path === "" ? name : `${path}/${name}`));
  return isOpaque(folder) ? [path, ...below] : below;
}
