// SPDX-License-Identifier: Apache-2.0
/*
 *     volumes/<name>/data/      what containers see
 *     volumes/<name>/used       there once a container has been made with it: it is never filled again
 *     volumes/<name>/fill-…/    a copy from an image in the making; rubbish after a crash
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { TareError, ensureDirectory, ioError, removeTree, systemErrorCode } from "../base/index.ts";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";
import type { MountPoint } from "./types.ts";

/** Where volumes live. */
export class Volumes {
  readonly #root: string;

  /** `root`: the folder of all volumes. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The folder that containers see. */
  dataPath(name: string): string {
    return join(this.#root, name, "data");
  }

  /**
   * Makes what a mount's source needs: a missing volume (filled from the image when nobody has used it yet) or a
   * missing host directory. Throws `E_MOUNT_SOURCE`, `E_NOSPACE`, `E_PERMISSION`.
   */
  prepare(mount: MountPoint, image: () => SourceTree): void {
    if (mount.type === "bind") prepareBind(mount);
    if (mount.type !== "volume" || mount.name === undefined) return;
    this.#prepareVolume(mount.name, mount, image);
    if (fs.existsSync(mount.source)) return;
    throw missingSource(mount.source, "the volume has no such folder");
  }

  /** Removes anonymous volumes of a container that is going away. */
  removeAnonymous(mounts: readonly MountPoint[]): void {
    for (const { name, anonymous } of mounts) if (anonymous && name !== undefined) removeTree(join(this.#root, name));
  }

  #prepareVolume(name: string, mount: MountPoint, image: () => SourceTree): void {
    const folder = join(this.#root, name);
    const used = join(folder, "used");
    if (fs.existsSync(used)) return;
    try {
      ensureDirectory(folder);
      if (!mount.noCopy) fillOnce(folder, mount.destination, image());
      ensureDirectory(join(folder, "data"), 0o755);
      fs.writeFileSync(used, "", { mode: 0o600 });
    } catch (error) {
      throw ioError(`preparing the volume \`${name}\``, error);
    }
  }
}

function prepareBind(mount: MountPoint): void {
  if (fs.existsSync(mount.source)) return;
  if (!mount.createSource) throw missingSource(mount.source, "no such file or directory on this machine");
  try {
    ensureDirectory(mount.source, 0o755);
  } catch (error) {
    throw ioError(`making the folder \`${mount.source}\` for a bind mount`, error);
  }
}

function missingSource(source: string, why: string): TareError {
  return new TareError("E_MOUNT_SOURCE", `mounting \`${source}\`: ${why}`, {
    hint: "make it first, or use `-v`, which makes a missing folder",
    exitCode: 125,
  });
}

/** Copies the image's directory aside and renames it to `data`; an existing `data` with content stays as it is. */
function fillOnce(folder: string, destination: string, image: SourceTree): void {
  const path = resolveInTree(image, destination);
  const entry = image.lookup(path);
  if (!entry?.stats.isDirectory()) return;
  const aside = join(folder, `fill-${randomBytes(4).toString("hex")}`);
  try {
    copyEntry(image, entry, aside);
    fs.renameSync(aside, join(folder, "data"));
  } catch (error) {
    removeTree(aside);
    const code = systemErrorCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** A copy with owner, mode and time; devices, pipes and sockets of an image are left out of volumes. */
function copyEntry(image: SourceTree, entry: TreeEntry, to: string): void {
  const { stats, hostPath } = entry;
  if (stats.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(hostPath), to);
  else if (stats.isFile()) fs.copyFileSync(hostPath, to, fs.constants.COPYFILE_FICLONE);
  else if (stats.isDirectory()) {
    fs.mkdirSync(to, { mode: 0o700 });
    for (const child of image.list(entry.path)) copyEntry(image, child, join(to, nameOf(child.path)));
  } else return;
  if (process.getuid?.() === 0) fs.lchownSync(to, stats.uid, stats.gid);
  if (!stats.isSymbolicLink()) fs.chmodSync(to, stats.mode & 0o7777);
  fs.lutimesSync(to, stats.atime, stats.mtime);
}

function nameOf(path: string): string {
  return path.slice(dirname(path) === "." ? 0 : dirname(path).length + 1);
}
