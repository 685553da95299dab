// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { DEFAULT_EPOCH, TareError, canGiveFiles, canOwn, linux } from "../base/index.ts";
import type { Owner } from "../base/index.ts";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** How a new directory looks. */
export interface DirectoryLook extends Owner {
  readonly mode: number;
}

/**
 * A layer in the making seen through to the file system below it: what was staged hides what the base has. Staged
 * content is confined to the staging folder: every parent is a real directory that this class made or checked.
 * Works for an ordinary user too, as long as everything belongs to root in the image.
 */
export class StagedTree implements SourceTree {
  readonly #base: SourceTree;
  readonly #root: string;
  readonly #epoch: number;
  /** Staged directories with the modification time (seconds) they get at the end. */
  readonly #directories = new Map<string, number>();
  /** Directories of the base that a file is to replace. */
  readonly #hidden = new Set<string>();
  readonly #isRoot: boolean = canGiveFiles();

  constructor(base: SourceTree, stagingRoot: string, epoch: number = DEFAULT_EPOCH) {
    this.#base = base;
    this.#root = stagingRoot;
    this.#epoch = epoch;
  }

  lookup(path: string): TreeEntry | undefined {
    if (path === "") return this.#base.lookup("") ?? { path, hostPath: this.#root, stats: fs.lstatSync(this.#root) };
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    if (parent === "" || this.#directories.has(parent)) {
      const hostPath = join(this.#root, path);
      const stats = fs.lstatSync(hostPath, { throwIfNoEntry: false });
      if (stats) return { path, hostPath, stats };
    }
    if (this.#hidden.has(path)) return undefined;
    return this.#base.lookup(path);
  }

  list(path: string): readonly TreeEntry[] {
    const names = new Set(this.#base.list(path).map((entry) => entry.path));
    if (path === "" || this.#directories.has(path)) {
      for (const name of fs.readdirSync(join(this.#root, path))) names.add(path === "" ? name : `${path}/${name}`);
    }
    return [...names]
      .sort()
      .map((child) => this.lookup(child))
      .filter((entry) => entry !== undefined);
  }

  /** Resolves symbolic links inside the tree; a missing tail stays as it is. */
  resolve(path: string): string {
    return resolveInTree(this, path);
  }

  /** Makes a directory and its missing parents, all looking like `look`; existing ones stay as they are. */
  makeDirectories(path: string, look: DirectoryLook): void {
    const names = path.split("/").filter((name) => name !== "");
    for (let count = 1; count <= names.length; count += 1) {
      const current = names.slice(0, count).join("/");
      const entry = this.lookup(current);
      if (!entry) this.makeDirectory(current, look);
      else if (!entry.stats.isDirectory()) throw notDirectory(current);
    }
  }

  /** Makes one new directory; `time` in seconds. */
  makeDirectory(path: string, look: DirectoryLook, time: number = this.#epoch): void {
    this.#stageParents(path);
    const hostPath = join(this.#root, path);
    fs.mkdirSync(hostPath);
    this.#directories.set(path, time);
    this.#dress(hostPath, look);
  }

  /** Gives an existing directory another look. */
  changeDirectory(path: string, look: DirectoryLook, time: number = this.#epoch): void {
    if (path === "") return;
    this.#stageDirectory(path);
    this.#directories.set(path, time);
    this.#dress(join(this.#root, path), look);
  }

  /** A host path where a new non-directory may be made: parents staged, an old file or link there removed. */
  placeFor(path: string): string {
    this.#stageParents(path);
    const hostPath = join(this.#root, path);
    const known = this.lookup(path);
    if (known?.stats.isDirectory()) {
      throw new TareError("E_COPY", `copying to \`/${path}\`: cannot replace a directory with a file`);
    }
    if (known?.hostPath === hostPath) fs.unlinkSync(hostPath);
    return hostPath;
  }

  /** Sets owner, mode and time of a new non-directory; links keep their mode. */
  finish(hostPath: string, owner: Owner, mode: number | undefined, time: number = this.#epoch): void {
    this.#own(hostPath, owner);
    if (mode !== undefined) fs.chmodSync(hostPath, mode);
    fs.lutimesSync(hostPath, time, time);
  }

  /** Removes a staged directory so that a file can take its place; a directory of the base is hidden by the file. */
  removeDirectory(path: string): void {
    const entry = this.lookup(path);
    if (!entry?.stats.isDirectory()) return;
    const hostPath = join(this.#root, path);
    if (entry.hostPath === hostPath) fs.rmSync(hostPath, { recursive: true });
    for (const known of this.#directories.keys()) {
      if (known === path || known.startsWith(`${path}/`)) this.#directories.delete(known);
    }
    this.#hidden.add(path);
  }

  /** The staged host path of a file, copied up from the base when it is not staged yet; undefined when absent. */
  copyUp(path: string): string | undefined {
    const entry = this.lookup(path);
    if (!entry || entry.stats.isDirectory()) return undefined;
    const hostPath = join(this.#root, path);
    if (entry.hostPath === hostPath) return hostPath;
    this.#stageParents(path);
    if (entry.stats.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(entry.hostPath), hostPath);
    else fs.copyFileSync(entry.hostPath, hostPath, fs.constants.COPYFILE_EXCL);
    const mode = entry.stats.isSymbolicLink() ? undefined : entry.stats.mode & 0o7777;
    this.finish(hostPath, entry.stats, mode, Math.floor(entry.stats.mtimeMs / 1000));
    if (this.#isRoot && this.#base.hasXattrs) copyXattrs(entry.hostPath, hostPath);
    return hostPath;
  }

  /** Host path of the directory, staged. */
  stageDirectory(path: string): string {
    this.#stageDirectory(path);
    return join(this.#root, path);
  }

  /** Sets the directories' times, deepest first; call once when everything is in place. */
  close(): void {
    const paths = [...this.#directories.keys()].sort((a, b) => b.length - a.length);
    for (const path of paths) {
      const time = this.#directories.get(path) ?? this.#epoch;
      fs.utimesSync(join(this.#root, path), time, time);
    }
  }

  #stageParents(path: string): void {
    const slash = path.lastIndexOf("/");
    if (slash > 0) this.#stageDirectory(path.slice(0, slash));
  }

  /** Copies up a directory of the base, as overlayfs does before something changes below it. */
  #stageDirectory(path: string): void {
    if (path === "" || this.#directories.has(path)) return;
    this.#stageParents(path);
    const entry = this.lookup(path);
    if (!entry?.stats.isDirectory()) throw notDirectory(path);
    const hostPath = join(this.#root, path);
    if (entry.hostPath !== hostPath) {
      fs.mkdirSync(hostPath);
      this.#dress(hostPath, { uid: entry.stats.uid, gid: entry.stats.gid, mode: entry.stats.mode & 0o7777 });
      if (this.#isRoot && this.#base.hasXattrs) copyXattrs(entry.hostPath, hostPath);
    }
    this.#directories.set(path, Math.floor(entry.stats.mtimeMs / 1000));
  }

  #dress(hostPath: string, look: DirectoryLook): void {
    this.#own(hostPath, look);
    fs.chmodSync(hostPath, look.mode);
  }

  #own(hostPath: string, owner: Owner): void {
    if (this.#isRoot) fs.lchownSync(hostPath, owner.uid, owner.gid);
    else if (!canOwn(owner)) {
      throw new TareError("E_PERMISSION", `giving a file to ${owner.uid}:${owner.gid}: only root can do that`, {
        hint: "build as root, or without `--chown` and with files of the user root only",
      });
    }
  }
}

const OVERLAY_XATTR = /^(trusted|user)\.overlay\./;

/** The attribute that holds a program's capabilities (capabilities(7)). */
export const CAPABILITY = "security.capability";

/** Copies extended attributes, binary values included; overlayfs's own and SELinux labels stay behind. */
export function copyXattrs(from: string, to: string, isWanted: (name: string) => boolean = () => true): void {
  for (const name of linux.llistxattr(from)) {
    if (OVERLAY_XATTR.test(name) || name === "security.selinux" || !isWanted(name)) continue;
    linux.lsetxattr(to, name, linux.lgetxattr(from, name) ?? Buffer.alloc(0));
  }
}

function notDirectory(path: string): TareError {
  return new TareError("E_COPY", `copying to \`/${path}\`: cannot copy to non-directory`);
}
