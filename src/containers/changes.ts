// SPDX-License-Identifier: Apache-2.0
/*
 * What a container changed of its image, read from its upper directory without a mount. Paths are those that a
 * container sees; what is mounted into it is not part of them.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { isWhiteout, readNames } from "../store/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { imageTree, isOpaque } from "./image-tree.ts";

/** A path that is not as it was in the image. */
export interface ContainerChange {
  readonly kind: "added" | "changed" | "deleted";
  /** Absolute, as the container sees it. */
  readonly path: string;
}

/** Made by the start of a container to mount on, where an image lacks them. */
export const MOUNT_POINTS: ReadonlySet<string> = new Set([
  "dev",
  "dev/console",
  "dev/mqueue",
  "dev/pts",
  "dev/shm",
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
  "proc",
  "sys",
]);

/** All changes, by path; a directory stands before what is in it. Throws `E_CONTAINER_NOTFOUND`. */
export function containerChanges(context: ContainersContext, text: string): readonly ContainerChange[] {
  const record = findContainer(context, text);
  const { upper } = filesOf(context, record.id);
  return fs.existsSync(upper) ? changesBelow(upper, imageTree(context, record), "") : [];
}

function changesBelow(upper: string, image: SourceTree, folder: string): ContainerChange[] {
  const host = folder === "" ? upper : `${upper}/${folder}`;
  const here = new Set(readNames(host).map((name) => (folder === "" ? name : `${folder}/${name}`)));
  const hidden = isOpaque(host) ? image.list(folder).map(({ path }) => path) : [];
  const all = [...new Set([...here, ...hidden])].sort();
  return all.flatMap((path) => (here.has(path) ? changesOf(upper, image, path) : [change("deleted", path)]));
}

function changesOf(upper: string, image: SourceTree, path: string): ContainerChange[] {
  const stats = fs.lstatSync(`${upper}/${path}`, { throwIfNoEntry: false });
  // It was deleted while this walk went on.
  if (!stats) return [];
  const before = image.lookup(path);
  if (isWhiteout(stats)) return before ? [change("deleted", path)] : [];
  const below = stats.isDirectory() ? changesBelow(upper, image, path) : [];
  if (!before) return isMountPoint(stats, path, below) ? [] : [change("added", path), ...below];
  const isParent = stats.isDirectory() && isSameFolder(upper, image, { stats, before, below });
  return isParent ? below : [change("changed", path), ...below];
}

interface Folder {
  readonly stats: fs.Stats;
  readonly before: TreeEntry;
  readonly below: readonly ContainerChange[];
}

/** A directory is in the upper one only because something below it is. Mounting changes the time of `/etc`. */
function isSameFolder(upper: string, image: SourceTree, { stats, before, below }: Folder): boolean {
  const old = before.stats;
  const isSame = old.isDirectory() && stats.mode === old.mode && stats.uid === old.uid && stats.gid === old.gid;
  const hasOther = below.some(({ kind, path }) => kind !== "changed" && dirname(path) === `/${before.path}`);
  if (!isSame || hasOther) return false;
  const wasMountedIn = [...MOUNT_POINTS].some(
    (path) => dirname(path) === before.path && !image.lookup(path) && fs.existsSync(`${upper}/${path}`),
  );
  return wasMountedIn || Math.floor(stats.mtimeMs / 1000) === Math.floor(old.mtimeMs / 1000);
}

function isMountPoint(stats: fs.Stats, path: string, below: readonly ContainerChange[]): boolean {
  if (!MOUNT_POINTS.has(path) || below.length > 0) return false;
  return stats.isDirectory() || (stats.isFile() && stats.size === 0);
}

function change(kind: ContainerChange["kind"], path: string): ContainerChange {
  return { kind, path: `/${path}` };
}
