// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, systemErrorCode } from "../base/index.ts";
import type { Layer } from "./types.ts";

/** What the merged file system shows at a path. */
export interface TreeEntry {
  /** Path inside the tree, without a leading slash; `""` is the root. */
  readonly path: string;
  /** Where its bytes and metadata are on this host. */
  readonly hostPath: string;
  readonly stats: fs.Stats;
}

/** A directory tree that can be looked at without a mount: an unpacked image, or a folder of the user. */
export interface SourceTree {
  /** The entry at `path`, not following a final symbolic link; undefined when absent or below a non-directory. */
  lookup(path: string): TreeEntry | undefined;
  /** The entries of a directory sorted by name; empty for anything else. */
  list(path: string): readonly TreeEntry[];
  /** False when no entry has extended attributes worth copying; asking for them costs a system call each. */
  readonly hasXattrs?: boolean;
  /** True when the path exists but a filter leaves it out; for messages. */
  hides?(path: string): boolean;
}

interface Node {
  readonly entry: TreeEntry;
  /** Directories of the layers that make up this one, topmost first; empty for anything but a directory. */
  readonly parts: readonly string[];
}

/**
 * The merged view of unpacked layers as overlayfs would show it (kernel documentation, overlayfs.rst: "Whiteouts and
 * opaque directories"), computed in user space, so that copying needs neither a mount nor root. Layers never change,
 * so look-ups are remembered.
 */
export class TreeView implements SourceTree {
  readonly #layers: readonly { readonly tree: string; readonly opaque: ReadonlySet<string> }[];
  readonly #nodes = new Map<string, Node | undefined>();
  readonly hasXattrs: boolean;

  /** `layers` lowest first. */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers.toReversed().map((layer) => ({ tree: layer.tree, opaque: new Set(layer.opaque) }));
    this.hasXattrs = layers.some((layer) => layer.hasXattrs);
  }

  lookup(path: string): TreeEntry | undefined {
    return this.#node(path)?.entry;
  }

  list(path: string): readonly TreeEntry[] {
    const node = this.#node(path);
    if (!node) return [];
    const names = new Set<string>();
    for (const part of node.parts) for (const name of readNames(part)) names.add(name);
    const children = [...names].sort().map((name) => this.lookup(path === "" ? name : `${path}/${name}`));
    return children.filter((child) => child !== undefined);
  }

  #node(path: string): Node | undefined {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const node = path === "" ? this.#root() : this.#find(path);
    this.#nodes.set(path, node);
    return node;
  }

  #root(): Node {
    const parts = this.#layers.map((layer) => layer.tree);
    const hostPath = parts.find((part) => readNames(part).length > 0) ?? parts[0];
    if (hostPath === undefined) return { entry: { path: "", hostPath: "", stats: emptyRoot() }, parts: [] };
    return { entry: { path: "", hostPath, stats: fs.lstatSync(hostPath) }, parts };
  }

  #find(path: string): Node | undefined {
    const slash = path.lastIndexOf("/");
    const parent = this.#node(slash < 0 ? "" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    let top: TreeEntry | undefined;
    const parts: string[] = [];
    for (const part of parent?.parts ?? []) {
      const hostPath = join(part, name);
      const stats = lstatOrNothing(hostPath);
      if (!stats) continue;
      if (isWhiteout(stats)) break;
      if (!stats.isDirectory()) {
        top ??= { path, hostPath, stats };
        break;
      }
      top ??= { path, hostPath, stats };
      parts.push(hostPath);
      if (this.#isOpaque(hostPath, path)) break;
    }
    return top && { entry: top, parts };
  }

  #isOpaque(hostPath: string, path: string): boolean {
    return this.#layers.some((layer) => layer.opaque.has(path) && hostPath === join(layer.tree, path));
  }
}

/** True for overlayfs's mark of a deleted name: a character device with number 0/0. */
export function isWhiteout(stats: fs.Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

/** A directory's names. Throws `E_IO` for a name that is not UTF-8, which no step can address. */
export function readNames(directory: string): string[] {
  const names = fs.readdirSync(directory);
  const odd = names.find((name) => name.includes("�"));
  if (odd === undefined) return names;
  throw new TareError("E_IO", `reading \`${directory}\`: the name \`${odd}\` is not UTF-8`, {
    hint: "rename the file",
  });
}

/** Most symbolic links on one path, as Linux (path_resolution(7)). */
const LINK_LIMIT = 255;

/**
 * Resolves `path` inside a tree with every symbolic link confined to the tree's root, as `chroot` would. Missing tails
 * stay as they are. Returns a clean path without leading slash. Throws `E_IO` on a loop.
 */
export function resolveInTree(tree: SourceTree, path: string, followLast: boolean = true): string {
  const pending = path.split("/").toReversed();
  const done: string[] = [];
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    done.push(name);
    if (!followLast && pending.every((rest) => rest === "" || rest === ".")) break;
    const entry = tree.lookup(done.join("/"));
    if (!entry?.stats.isSymbolicLink()) continue;
    links += 1;
    if (links > LINK_LIMIT) throw new TareError("E_IO", `resolving \`${path}\`: too many symbolic links`);
    const target = fs.readlinkSync(entry.hostPath);
    done.pop();
    if (target.startsWith("/")) done.length = 0;
    pending.push(...target.split("/").toReversed());
  }
  return done.join("/");
}

/** Reads a regular file of a tree (links followed inside it), at most `limit` bytes; undefined when there is none. */
export function readFileInTree(tree: SourceTree, path: string, limit: number = 1 << 20): Buffer | undefined {
  const entry = tree.lookup(resolveInTree(tree, path));
  if (!entry) return undefined;
  if (!entry.stats.isFile()) throw new TareError("E_IO", `reading \`/${path}\` of the image: not a regular file`);
  if (entry.stats.size > limit) {
    throw new TareError("E_IO", `reading \`/${path}\` of the image: ${entry.stats.size} bytes are more than ${limit}`);
  }
  return fs.readFileSync(entry.hostPath);
}

function lstatOrNothing(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR") return undefined;
    throw ioError(`reading \`${path}\``, error);
  }
}

function emptyRoot(): fs.Stats {
  const stats = fs.lstatSync("/");
  return Object.assign(Object.create(Object.getPrototypeOf(stats)) as fs.Stats, stats, {
    mode: 0o40755,
    uid: 0,
    gid: 0,
    ino: 0,
  });
}
