// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { linux } from "../base/index.ts";
import { resolveInTree } from "../store/index.ts";
import { cleanPath } from "./copy-plan.ts";
import type { SourceTree } from "../store/index.ts";

/** What the runtime itself mounts, besides the step's own mounts. */
const RUNTIME_TARGETS = ["proc", "dev", "sys"];

/**
 * Mount points that are not in the image: the runtime makes them in the layer, and they must not stay there. Removal
 * walks real directories only, so a step that put a symbolic link in the way reaches nothing outside its layer.
 */
export class MountStubs {
  readonly #tree: SourceTree;
  /** Paths that were absent before the step, deepest first. */
  readonly #missing: readonly string[];

  /** `targets` are absolute paths inside the root file system. */
  constructor(tree: SourceTree, targets: readonly string[]) {
    this.#tree = tree;
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

  /** Removes the stubs that are still empty from a layer's tree, and directories copied up only for them. */
  remove(root: string): void {
    const parents = new Set<string>();
    for (const path of this.#missing) {
      if (!isBelowRealDirectories(root, path)) continue;
      removeIfEmpty(join(root, path));
      const parent = dirname(path);
      if (parent !== "." && this.#tree.lookup(parent)) parents.add(parent);
    }
    for (const parent of parents) this.#dropCopy(root, parent);
  }

  /** A directory of the image that was copied up for a stub and is as it was: the layer does not need it. */
  #dropCopy(root: string, path: string): void {
    if (path === "." || !isBelowRealDirectories(root, path)) return;
    const hostPath = join(root, path);
    const copy = fs.lstatSync(hostPath, { throwIfNoEntry: false });
    const original = this.#tree.lookup(path)?.stats;
    if (!copy?.isDirectory() || !original?.isDirectory() || fs.readdirSync(hostPath).length > 0) return;
    const isSame = copy.mode === original.mode && copy.uid === original.uid && copy.gid === original.gid;
    if (!isSame || isOpaque(hostPath)) return;
    fs.rmdirSync(hostPath);
    this.#dropCopy(root, dirname(path));
  }
}

function isOpaque(folder: string): boolean {
  return ["trusted", "user"].some((prefix) => linux.lgetxattr(folder, `${prefix}.overlay.opaque`)?.toString() === "y");
}

function removeIfEmpty(path: string): void {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() && fs.readdirSync(path).length === 0) fs.rmdirSync(path);
  else if (stats?.isFile() && stats.size === 0) fs.unlinkSync(path);
}

function isBelowRealDirectories(root: string, path: string): boolean {
  const names = path.split("/");
  for (let count = 1; count < names.length; count += 1) {
    const stats = fs.lstatSync(join(root, ...names.slice(0, count)), { throwIfNoEntry: false });
    if (!stats?.isDirectory()) return false;
  }
  return true;
}
