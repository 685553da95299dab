// SPDX-License-Identifier: Apache-2.0
/*
 * A directory tree in which every path is resolved by the kernel (openat2, RESOLVE_IN_ROOT): whatever symbolic links
 * an archive planted, nothing outside the root is reached. Directories are opened once and then used by descriptor;
 * all changes name a single component below such a descriptor and never follow it.
 */
import * as fs from "node:fs";
import { TareError, ioError, linux } from "../base/index.ts";
import { baseOf, joinPath, parentOf } from "./entry-path.ts";
import { asPath, displayName } from "./tar-entry.ts";

/** An open directory of the tree. `path` is its real path below the root: no symbolic links in it. */
export interface OpenDirectory {
  readonly descriptor: number;
  readonly path: string;
}

const CONFINED = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS;
const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
const CACHED = 256;
const NO_DIRECTORY: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** The tree below one root directory; `close` it after use. */
export class ConfinedTree {
  readonly root: OpenDirectory;
  readonly #realRoot: string;
  readonly #open = new Map<string, OpenDirectory>();
  readonly #retired: OpenDirectory[] = [];

  constructor(root: string) {
    try {
      this.root = { descriptor: fs.openSync(root, DIRECTORY), path: "" };
    } catch (error) {
      throw ioError(`opening \`${root}\``, error);
    }
    this.#realRoot = fs.readlinkSync(`/proc/self/fd/${this.root.descriptor}`, { encoding: "latin1" });
  }

  close(): void {
    this.forget();
    fs.closeSync(this.root.descriptor);
  }

  /** Closes the directories kept open: after a directory or a symbolic link was replaced they may be others. */
  forget(): void {
    this.#closeOpen();
    for (const directory of this.#retired.splice(0)) fs.closeSync(directory.descriptor);
  }

  /** As `forget`, but `kept` stays usable until the next `trim`. */
  forgetExcept(kept: OpenDirectory): void {
    for (const [path, directory] of this.#open) {
      if (directory.descriptor !== kept.descriptor) continue;
      this.#open.delete(path);
      this.#retired.push(directory);
    }
    this.#closeOpen();
  }

  #closeOpen(): void {
    for (const directory of this.#open.values()) fs.closeSync(directory.descriptor);
    this.#open.clear();
  }

  /** Keeps the number of open directories small. Descriptors handed out before are invalid afterwards. */
  trim(): void {
    if (this.#open.size > CACHED || this.#retired.length > 0) this.forget();
  }

  /** Hands over a directory that was just opened, to be found by `directory`. */
  keep(path: string, directory: OpenDirectory): void {
    const old = this.#open.get(path);
    if (old !== undefined && old.descriptor !== directory.descriptor) fs.closeSync(old.descriptor);
    this.#open.set(path, directory);
  }

  /**
   * The directory at a clean path, through symbolic links inside the root. A missing one is made by `make`, or is
   * undefined without it. Throws `E_TAR_NOTDIR` when `make` made none.
   */
  directory(path: string, make?: (parent: OpenDirectory, name: string) => void): OpenDirectory | undefined {
    if (path === "") return this.root;
    const known = this.#open.get(path) ?? this.#resolve(path);
    if (known !== undefined || make === undefined) return known;
    const parent = this.directory(parentOf(path), make);
    if (parent === undefined) return undefined;
    make(parent, baseOf(path));
    const made = this.#resolve(path);
    if (made === undefined) throw notDirectory(path);
    return made;
  }

  /** Most paths have no symbolic link and are found at the first attempt. */
  #resolve(path: string): OpenDirectory | undefined {
    const opened = this.#tryOpen(path, CONFINED | linux.RESOLVE_NO_SYMLINKS) ?? this.#tryOpen(path, CONFINED);
    if (opened === undefined) return undefined;
    const directory = { descriptor: opened, path: this.#realPath(opened) };
    this.#open.set(path, directory);
    return directory;
  }

  #tryOpen(path: string, resolve: number): number | undefined {
    try {
      return linux.openat2(this.root.descriptor, asPath(path), { flags: DIRECTORY, resolve });
    } catch (error) {
      if (NO_DIRECTORY.has(linux.errnoNameOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  #realPath(descriptor: number): string {
    const real = fs.readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "latin1" });
    return this.#realRoot === "/" ? real.slice(1) : real.slice(this.#realRoot.length + 1);
  }

  /** The facts of a name, not following a symbolic link; undefined when there is none. */
  stat(parent: OpenDirectory, name: string): fs.Stats | undefined {
    return fs.lstatSync(asPath(procPath(parent, name)), { throwIfNoEntry: false });
  }

  /** Deletes a name and what is below it; `onRemove` is told every path. Forgets open directories if need be. */
  remove(parent: OpenDirectory, name: string, onRemove: (path: string) => void): void {
    const stat = this.stat(parent, name);
    if (stat === undefined) return;
    if (stat.isDirectory()) this.#empty(parent, name, onRemove);
    linux.unlinkat(parent.descriptor, asPath(name), stat.isDirectory() ? linux.AT_REMOVEDIR : 0);
    onRemove(joinPath(parent.path, name));
  }

  #empty(parent: OpenDirectory, name: string, onRemove: (path: string) => void): void {
    const descriptor = linux.openat(parent.descriptor, asPath(name), DIRECTORY | fs.constants.O_NOFOLLOW);
    try {
      const directory = { descriptor, path: joinPath(parent.path, name) };
      const names = fs.readdirSync(`/proc/self/fd/${descriptor}`, { encoding: "latin1" });
      for (const child of names) this.remove(directory, child, onRemove);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** A path for calls that know no directory descriptors; its last component must not be followed. */
export function procPath(parent: OpenDirectory, name: string): string {
  return `/proc/self/fd/${parent.descriptor}/${name}`;
}

function notDirectory(path: string): TareError {
  return new TareError("E_TAR_NOTDIR", `extracting into \`${displayName(path)}\`: it is not a directory`);
}
