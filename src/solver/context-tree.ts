// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { ioError } from "../base/index.ts";
import { readNames } from "../store/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** Which paths of a folder a build may see; made from `.dockerignore`. */
export interface IgnoreFilter {
  excludes(path: string, isDirectory: boolean): boolean;
  /** False when nothing below an excluded directory can be taken in again by a `!` pattern. */
  mayIncludeBelow(directory: string): boolean;
}

/**
 * A folder of the user as a build sees it: filtered by the ignore patterns, read lazily, each directory once. An
 * excluded directory shows when something below it is taken in again, as BuildKit's sender has it.
 */
export class ContextTree implements SourceTree {
  readonly root: string;
  readonly #filter: IgnoreFilter | undefined;
  readonly #lists = new Map<string, readonly TreeEntry[]>();
  readonly #entries = new Map<string, TreeEntry>();

  constructor(root: string, filter?: IgnoreFilter) {
    this.root = root;
    this.#filter = filter;
  }

  lookup(path: string): TreeEntry | undefined {
    if (path === "") return { path: "", hostPath: this.root, stats: fs.statSync(this.root) };
    const slash = path.lastIndexOf("/");
    this.list(slash < 0 ? "" : path.slice(0, slash));
    return this.#entries.get(path);
  }

  list(path: string): readonly TreeEntry[] {
    const known = this.#lists.get(path);
    if (known) return known;
    const self = path === "" ? undefined : this.lookup(path);
    const entries = path === "" || self?.stats.isDirectory() ? this.#read(path) : [];
    this.#lists.set(path, entries);
    for (const entry of entries) this.#entries.set(entry.path, entry);
    return entries;
  }

  hides(path: string): boolean {
    return this.lookup(path) === undefined && fs.existsSync(join(this.root, path));
  }

  #read(path: string): TreeEntry[] {
    const directory = join(this.root, path);
    try {
      const names = readNames(directory).sort();
      return names
        .map((name) => this.#entry(path === "" ? name : `${path}/${name}`))
        .filter((entry) => entry !== undefined);
    } catch (error) {
      throw ioError(`reading the build context folder \`${directory}\``, error);
    }
  }

  #entry(path: string): TreeEntry | undefined {
    const hostPath = join(this.root, path);
    const stats = fs.lstatSync(hostPath, { throwIfNoEntry: false });
    if (!stats || stats.isSocket()) return undefined;
    const isDirectory = stats.isDirectory();
    const excluded = this.#filter?.excludes(path, isDirectory) ?? false;
    if (excluded && !(isDirectory && this.#showsBelow(path))) return undefined;
    return { path, hostPath, stats };
  }

  /** True when a directory that is excluded itself has something visible in it. */
  #showsBelow(path: string): boolean {
    return (this.#filter?.mayIncludeBelow(path) ?? false) && this.#read(path).length > 0;
  }
}
