// SPDX-License-Identifier: Apache-2.0
/*
 * ADD of a local archive. Entries are laid into the layer as `tar -x` would lay them into the whole root file system:
 * links that the image has on the way are followed inside it. Every path goes through `StagedTree`, whose parents are
 * real directories of the private staging folder, so nothing outside it can be reached.
 */
import * as fs from "node:fs";
import { TareError, isTareError, linux, writeAll } from "../base/index.ts";
import { decompress, readTar } from "../archive/index.ts";
import { cleanPath } from "./copy-plan.ts";
import { CAPABILITY } from "./staged-tree.ts";
import type { TarEntry } from "../archive/index.ts";
import type { TreeEntry } from "../store/index.ts";
import type { Owner } from "../base/index.ts";
import type { StagedTree } from "./staged-tree.ts";

/** Where an archive goes. */
export interface UnpackTarget {
  readonly staged: StagedTree;
  /** Makes the destination folder when the file proved to be an archive; returns its clean path. */
  readonly path: () => string;
  /** Owner of everything instead of the archive's. */
  readonly owner?: Owner;
  readonly signal?: AbortSignal;
}

/** Unpacks a file when it is a tar archive, plain or compressed; false when its first header is none. Throws for a damaged one. */
export async function unpackArchive(file: TreeEntry, target: UnpackTarget): Promise<boolean> {
  const entries = readTar(decompress(fs.createReadStream(file.hostPath, { highWaterMark: 1 << 20 })))[
    Symbol.asyncIterator
  ]();
  const first = await firstEntry(entries);
  if (!first) return false;
  const unpacker = new Unpacker(target);
  for (let next: IteratorResult<TarEntry> = first; !next.done; next = await entries.next()) {
    target.signal?.throwIfAborted();
    await unpacker.add(next.value);
  }
  return true;
}

async function firstEntry(entries: AsyncIterator<TarEntry>): Promise<IteratorResult<TarEntry> | undefined> {
  try {
    const first = await entries.next();
    return first.done ? undefined : first;
  } catch (error) {
    if (!isTareError(error)) throw error;
    return undefined;
  }
}

class Unpacker {
  readonly #target: UnpackTarget;
  readonly #root: string;

  constructor(target: UnpackTarget) {
    this.#target = target;
    this.#root = target.path();
  }

  async add(entry: TarEntry): Promise<void> {
    if (entry.name.split("/").includes("..")) throw escapes(entry);
    const relative = cleanPath(entry.name);
    if (relative === "") return;
    const path = this.#place(relative);
    if (entry.type === "directory") this.#directory(entry, path);
    else await this.#other(entry, path);
  }

  /** The path in the tree with links of its parents followed, and the parents made. */
  #place(relative: string): string {
    const { staged } = this.#target;
    const whole = this.#root === "" ? relative : `${this.#root}/${relative}`;
    const slash = whole.lastIndexOf("/");
    const parent = staged.resolve(slash < 0 ? "" : whole.slice(0, slash));
    staged.makeDirectories(parent, { uid: 0, gid: 0, mode: 0o755 });
    const name = whole.slice(slash + 1);
    return parent === "" ? name : `${parent}/${name}`;
  }

  #directory(entry: TarEntry, path: string): void {
    const { staged } = this.#target;
    const look = { ...this.#owner(entry), mode: entry.mode };
    const existing = staged.lookup(path);
    if (existing && !existing.stats.isDirectory()) fs.rmSync(staged.placeFor(path), { force: true });
    if (existing?.stats.isDirectory()) staged.changeDirectory(path, look, entry.mtime);
    else staged.makeDirectory(path, look, entry.mtime);
    setXattrs(staged.stageDirectory(path), entry);
  }

  async #other(entry: TarEntry, path: string): Promise<void> {
    const { staged } = this.#target;
    if (entry.type === "hardlink") return this.#hardlink(entry, path);
    staged.removeDirectory(path);
    const hostPath = staged.placeFor(path);
    await make(entry, hostPath);
    staged.finish(hostPath, this.#owner(entry), entry.type === "symlink" ? undefined : entry.mode, entry.mtime);
    setXattrs(hostPath, entry);
  }

  #hardlink(entry: TarEntry, path: string): void {
    const { staged } = this.#target;
    if (entry.linkName.split("/").includes("..")) throw escapes(entry);
    const relative = cleanPath(entry.linkName);
    const source = staged.resolve(this.#root === "" ? relative : `${this.#root}/${relative}`);
    const from = staged.copyUp(source);
    if (from === undefined)
      throw new TareError(
        "E_TAR_LINK",
        `unpacking \`${entry.name}\`: hard link to \`${entry.linkName}\`, which is not there`,
      );
    if (source !== path) fs.linkSync(from, staged.placeFor(path));
  }

  #owner(entry: TarEntry): Owner {
    return this.#target.owner ?? { uid: entry.uid, gid: entry.gid };
  }
}

function escapes(entry: TarEntry): TareError {
  return new TareError("E_TAR_ESCAPE", `unpacking \`${entry.name}\`: the entry points outside the destination`);
}

async function make(entry: TarEntry, hostPath: string): Promise<void> {
  const device = linux.makeDevice(entry.deviceMajor, entry.deviceMinor);
  if (entry.type === "symlink") fs.symlinkSync(entry.linkName, hostPath);
  else if (entry.type === "fifo") linux.mknod(hostPath, linux.S_IFIFO | entry.mode, 0n);
  else if (entry.type === "char" && entry.deviceMajor === 0 && entry.deviceMinor === 0) {
    throw new TareError(
      "E_TAR_FORGED",
      `unpacking \`${entry.name}\`: a character device 0/0 would hide a file of the image`,
    );
  } else if (entry.type === "char") linux.mknod(hostPath, linux.S_IFCHR | entry.mode, device);
  else if (entry.type === "block") linux.mknod(hostPath, linux.S_IFBLK | entry.mode, device);
  else await writeBody(entry, hostPath);
}

async function writeBody(entry: TarEntry, hostPath: string): Promise<void> {
  const descriptor = fs.openSync(hostPath, "wx", 0o600);
  try {
    for await (const chunk of entry.body()) writeAll(descriptor, chunk);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Of an archive's attributes only capabilities go into the image, as with BuildKit. */
function setXattrs(hostPath: string, entry: TarEntry): void {
  const value = entry.xattrs.get(CAPABILITY);
  if (value !== undefined) linux.lsetxattr(hostPath, CAPABILITY, value);
}
