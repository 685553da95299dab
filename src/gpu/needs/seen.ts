// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { ioError, systemErrorCode } from "../../base/index.ts";
import type { Layer } from "../../store/index.ts";

/**
 * Whether a container sees a file or folder of a layer, by what the layers above it have (kernel documentation,
 * overlayfs.rst): a whiteout, a file or a link at the path or above it hides it, and so does an opaque folder above it.
 */
export function isSeen(path: string, above: readonly Layer[]): boolean {
  return above.every((layer) => !hides(layer, path));
}

function hides({ tree, opaque }: Layer, path: string): boolean {
  const names = path.split("/");
  for (let length = 1; length <= names.length; length += 1) {
    const part = names.slice(0, length).join("/");
    const stats = statOrNothing(`${tree}/${part}`);
    if (stats === undefined) return false;
    if (!stats.isDirectory()) return true;
    if (opaque.includes(part)) return true;
  }
  return false;
}

function statOrNothing(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR") return undefined;
    throw ioError(`reading \`${path}\``, error);
  }
}
