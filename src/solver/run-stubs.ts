// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { cleanPath } from "./copy-plan.ts";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";

/** What the runtime itself mounts, besides the step's own mounts. */
const RUNTIME_TARGETS = ["proc", "dev", "sys"];

/**
 * Mount points that are not in the image: the runtime makes them in the layer, and they must not stay there. Removal
 * walks real directories only, so a step that put a symbolic link in the way reaches nothing outside its layer.
 */
export class MountStubs {
  /** Missing paths, deepest first, by what they were before: absent. */
  readonly #missing: readonly string[];

  /** `targets` are absolute paths inside the root file system. */
  constructor(tree: SourceTree, targets: readonly string[]) {
    const missing = new Set<string>();
    for (const target of [...targets.map(cleanPath), ...RUNTIME_TARGETS]) {
      const names = resolveInTree(tree, target).split("/");
      for (let count = names.length; count > 0; count -= 1) {
        const path = names.slice(0, count).join("/");
        if (path === "" || tree.lookup(path)) break;
        missing.add(path);
      }
    }
    this.#missing = [...missing].sort((a, b) => b.length - a.length);
  }

  /** Removes the stubs that are still empty from a layer's tree. */
  remove(root: string): void {
    for (const path of this.#missing) {
      if (!isBelowRealDirectories(root, path)) continue;
      const hostPath = join(root, path);
      const stats = fs.lstatSync(hostPath, { throwIfNoEntry: false });
      if (stats?.isDirectory() && fs.readdirSync(hostPath).length === 0) fs.rmdirSync(hostPath);
      else if (stats?.isFile() && stats.size === 0) fs.unlinkSync(hostPath);
    }
  }
}

function isBelowRealDirectories(root: string, path: string): boolean {
  const names = path.split("/");
  for (let count = 1; count < names.length; count += 1) {
    const stats = fs.lstatSync(join(root, ...names.slice(0, count)), { throwIfNoEntry: false });
    if (!stats?.isDirectory()) return false;
  }
  return true;
}
