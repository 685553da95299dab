// SPDX-License-Identifier: Apache-2.0
/*
 * What is mounted for devices gets its mount points from a folder that is the lowest layer of the root file system. So
 * starting writes nothing into the container's own changes: NVIDIA's driver alone would leave forty empty files there,
 * which `commit` would make part of an image, and which hide the libraries of a later driver.
 */
import * as fs from "node:fs";
import { join, posix } from "node:path";
import { ioError, removeTree } from "../base/index.ts";
import type { OciSpec } from "../runtime/index.ts";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";

type Mount = OciSpec["mounts"][number];

/** Not of the root file system. */
const KERNEL_FOLDERS: readonly string[] = ["dev", "proc", "sys"];

/** A container's configuration without and with its devices. */
interface Change {
  readonly before: OciSpec;
  readonly after: OciSpec;
}

/**
 * Makes the folder anew, with an empty file or folder for each mount that devices add and `tree` (the container's files)
 * has no place for; the folder, or nothing when there are none.
 */
export function makeMountPoints(folder: string, tree: SourceTree, { before, after }: Change): readonly string[] {
  const wanted = addedMounts(before.mounts, after.mounts).flatMap((mount) => pointOf(mount, tree) ?? []);
  try {
    removeTree(folder);
    if (wanted.length === 0) return [];
    makeFolders(folder, "");
    for (const point of wanted) makePoint(folder, point);
    return [folder];
  } catch (error) {
    throw ioError(`making mount points in \`${folder}\``, error);
  }
}

/** What lies in another mount, as in a file system in memory, is made there by the runtime. */
function addedMounts(before: readonly Mount[], after: readonly Mount[]): readonly Mount[] {
  const known = new Set(before.map(({ destination }) => destination));
  const roots = after.map(({ destination }) => posix.normalize(destination)).filter((path) => path !== "/");
  return after.filter(({ destination }) => {
    const path = posix.normalize(destination);
    return !known.has(destination) && !roots.some((root) => path.startsWith(`${root}/`));
  });
}

interface Point {
  /** Without the leading slash and without links. */
  readonly path: string;
  readonly isFile: boolean;
}

/** Where the runtime will look for it: links of the image lead to other places, as from /lib to /usr/lib. */
function pointOf({ destination, source = "", type }: Mount, tree: SourceTree): Point | undefined {
  const path = resolveInTree(tree, destination);
  if (KERNEL_FOLDERS.some((root) => path === root || path.startsWith(`${root}/`)) || tree.lookup(path))
    return undefined;
  const isFile = type !== "tmpfs" && fs.statSync(source, { throwIfNoEntry: false })?.isDirectory() === false;
  return { path, isFile };
}

function makePoint(folder: string, { path, isFile }: Point): void {
  makeFolders(folder, isFile ? posix.dirname(path) : path);
  if (isFile) fs.writeFileSync(join(folder, path), "", { mode: 0o644 });
}

/** Everybody may go through them, whatever this process's umask says. */
function makeFolders(folder: string, path: string): void {
  const place = join(folder, path);
  if (fs.existsSync(place)) return;
  if (path !== "" && path !== ".") makeFolders(folder, posix.dirname(path));
  fs.mkdirSync(place);
  fs.chmodSync(place, 0o755);
}
