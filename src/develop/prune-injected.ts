// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { removeTree } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** A command that has just looked for a folder has no record yet that names it. */
const JUST_USED = 10 * 60_000;

/** Removes debuggers and notebook servers that no container has mounted; `used`: sources of mounts. Bytes that are free now. */
export function pruneInjected(store: Pick<Store, "root">, used: readonly string[], now: number): number {
  const root = join(store.root, "cache", "inject");
  const names = fs.existsSync(root) ? fs.readdirSync(root) : [];
  const folders = names.map((name) => join(root, name));
  const unused = folders.filter(
    (folder) =>
      !used.some((source) => source === folder || source.startsWith(`${folder}/`)) &&
      fs.statSync(folder).mtimeMs < now - JUST_USED,
  );
  return unused.reduce((sum, folder) => {
    const size = sizeOf(folder);
    removeTree(folder);
    return sum + size;
  }, 0);
}

function sizeOf(folder: string): number {
  return fs.readdirSync(folder, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
    return sum + (entry.isFile() ? fs.lstatSync(join(entry.parentPath, entry.name)).size : 0);
  }, 0);
}
