// SPDX-License-Identifier: Apache-2.0
/*
 * Mounts that are put together in the container's own mount namespace before the runtime starts, below
 * `containers/<id>/mounts/<n>`: root file systems of images, and parts of volumes, which other containers may be
 * changing.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, ioError } from "../base/index.ts";
import type { OverlayMount, SubpathMount } from "../runtime/index.ts";
import { TreeView, resolveInTree } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { dataPath, findVolume, placeOf } from "../volumes/index.ts";
import type { ContainerFiles } from "./context.ts";
import { lowerOf } from "./image-tree.ts";
import type { ContainerRecord, MountPoint } from "./types.ts";

/** What the start has to mount besides the root file system. */
export interface StagedMounts {
  readonly overlays: readonly OverlayMount[];
  readonly subpaths: readonly SubpathMount[];
  /** The container with these as sources of its mounts. */
  readonly record: ContainerRecord;
}

/** Makes the places for them. Throws `E_MOUNT_SOURCE`, `E_LAYER_MISSING`. */
export function stagedMounts(store: Store, files: ContainerFiles, record: ContainerRecord): StagedMounts {
  const overlays: OverlayMount[] = [];
  const subpaths: SubpathMount[] = [];
  const mounts = record.mounts.map((mount, index) => {
    if (!isStaged(mount)) return mount;
    const target = join(files.folder, "mounts", String(index));
    if (mount.type !== "image") {
      subpaths.push(volumePart(store, mount, target));
      return { ...mount, source: target };
    }
    overlays.push(imageOverlay(store, mount, target));
    return { ...mount, source: mount.subpath === undefined ? target : join(target, imagePath(store, mount)) };
  });
  return { overlays, subpaths, record: { ...record, mounts } };
}

/** The path in an image, without symbolic links. Throws `E_MOUNT_SOURCE`, `E_LAYER_MISSING`. */
export function imagePath(store: Store, { source, subpath = "", image }: MountPoint): string {
  const tree = new TreeView(store.layers.getAll(image?.layers ?? []));
  const path = resolveInTree(tree, subpath);
  if (tree.lookup(path)) return path;
  throw new TareError("E_MOUNT_SOURCE", `mounting \`${subpath}\` of the image \`${source}\`: no such file or folder`, {
    exitCode: 125,
  });
}

function isStaged({ type, subpath, inMemory }: MountPoint): boolean {
  return type === "image" || (type === "volume" && subpath !== undefined && inMemory !== true);
}

function imageOverlay(store: Store, { image }: MountPoint, target: string): OverlayMount {
  const lower = lowerOf({ store }, image?.layers ?? []);
  makePlace(target, true);
  return { target, lower };
}

function volumePart(store: Store, { name = "", subpath = "" }: MountPoint, target: string): SubpathMount {
  const record = findVolume(store, name);
  const root = (record && placeOf(store, record).data) ?? dataPath(store, name);
  const facts = fs.statSync(join(root, subpath), { throwIfNoEntry: false });
  makePlace(target, facts?.isFile() !== true);
  return { target, root, subpath };
}

function makePlace(path: string, isDirectory: boolean): void {
  try {
    const known = fs.lstatSync(path, { throwIfNoEntry: false });
    if (known?.isDirectory() === isDirectory) return;
    fs.rmSync(path, { recursive: true, force: true });
    ensureDirectory(isDirectory ? path : join(path, ".."), 0o700);
    if (!isDirectory) fs.writeFileSync(path, "", { mode: 0o600 });
  } catch (error) {
    throw ioError(`making the mount point \`${path}\``, error);
  }
}
