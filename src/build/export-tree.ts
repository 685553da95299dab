// SPDX-License-Identifier: Apache-2.0
/* `-o type=local`: a root file system as files in the user's folder. Links in that folder are replaced, not followed. */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, linux } from "../base/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** Writes a tree into a folder, which is made when missing; files that are there already are replaced. */
export function exportTree(tree: SourceTree, folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true });
    new Exporter(tree, folder).directory("");
  } catch (error) {
    throw ioError(`writing the build's files to \`${folder}\``, error);
  }
}

class Exporter {
  readonly #tree: SourceTree;
  readonly #folder: string;
  readonly #links = new Map<string, string>();
  /** Everything belongs to the user who builds, as with buildx. */
  readonly #owner: readonly [uid: number, gid: number] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];

  constructor(tree: SourceTree, folder: string) {
    this.#tree = tree;
    this.#folder = folder;
  }

  directory(path: string): void {
    for (const entry of this.#tree.list(path)) {
      const target = join(this.#folder, entry.path);
      if (entry.stats.isDirectory()) this.#subdirectory(entry, target);
      else this.#other(entry, target);
    }
  }

  #subdirectory(entry: TreeEntry, target: string): void {
    const known = fs.lstatSync(target, { throwIfNoEntry: false });
    if (known && !known.isDirectory()) fs.unlinkSync(target);
    if (!known?.isDirectory()) fs.mkdirSync(target);
    this.directory(entry.path);
    this.#dress(entry, target);
  }

  #other(entry: TreeEntry, target: string): void {
    fs.rmSync(target, { recursive: true, force: true });
    const { stats } = entry;
    const key = `${stats.dev}:${stats.ino}`;
    const first = stats.isFile() && stats.nlink > 1 ? this.#links.get(key) : undefined;
    if (first !== undefined) return fs.linkSync(first, target);
    if (stats.isFile() && stats.nlink > 1) this.#links.set(key, target);
    make(entry, target);
    this.#dress(entry, target);
  }

  #dress(entry: TreeEntry, target: string): void {
    const { stats } = entry;
    fs.lchownSync(target, ...this.#owner);
    if (!stats.isSymbolicLink()) fs.chmodSync(target, stats.mode & 0o7777);
    const time = Math.floor(stats.mtimeMs / 1000);
    fs.lutimesSync(target, time, time);
  }
}

function make(entry: TreeEntry, target: string): void {
  const { stats } = entry;
  const mode = stats.mode & 0o7777;
  if (stats.isFile())
    fs.copyFileSync(entry.hostPath, target, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
  else if (stats.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(entry.hostPath), target);
  else if (stats.isFIFO()) linux.mknod(target, linux.S_IFIFO | mode, 0n);
  else if (stats.isCharacterDevice()) linux.mknod(target, linux.S_IFCHR | mode, BigInt(stats.rdev));
  else if (stats.isBlockDevice()) linux.mknod(target, linux.S_IFBLK | mode, BigInt(stats.rdev));
  else throw new TareError("E_OUTPUT", `exporting \`${entry.path}\`: unknown file type`);
}
