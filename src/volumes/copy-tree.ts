// SPDX-License-Identifier: Apache-2.0
/* A copy of a tree that nothing tells from it: owners, modes, times, attributes, holes, hard links, devices, pipes. */
import * as fs from "node:fs";
import { FirstNames, Turns, asPath, displayName, overlayMark } from "../archive/index.ts";
import { TareError, canGiveFiles, canMakeDevices, canOwn, imageOwner, linux } from "../base/index.ts";
import { ContentCopier } from "./copy-file.ts";

/** What is copied: a name in a folder and where it is. Names and places are byte strings. */
export interface CopyNode {
  readonly name: string;
  readonly place: string;
  /** Of a folder. */
  children(): Iterable<CopyNode>;
}

/** How a tree is copied. */
export interface CopyOptions {
  /** Leaves overlayfs's own attributes out: the tree is one of an image. */
  readonly fromImage: boolean;
  /** Told of each file, with its bytes. */
  readonly onFile?: (path: string, size: number) => void;
  readonly signal?: AbortSignal;
}

const TRIES = 3;

/** A folder of this machine as something to copy. */
export function folderNode(place: string, name: string = ""): CopyNode {
  return {
    name,
    place,
    *children() {
      for (const child of fs.readdirSync(asPath(place), { encoding: "latin1" }).sort()) {
        yield folderNode(`${place}/${child}`, child);
      }
    },
  };
}

/**
 * Copies `node` to the place `to`, which does not exist yet or is an empty folder. A file that changes while it is read is read again; one
 * that does not come to rest throws `E_VOLUME_CHANGED`. What vanishes meanwhile is left out. Throws `E_IO`,
 * `E_NOSPACE`, `E_ABORTED`.
 */
export async function copyTree(node: CopyNode, to: string, options: CopyOptions): Promise<void> {
  await new TreeCopier(options).copy(node, to);
}

/** Gives `to` what `from` has besides its content: owner, mode, attributes, times. */
export function copyMetadata(from: string, to: string, options: Pick<CopyOptions, "fromImage">): void {
  const stats = fs.lstatSync(asPath(from), { bigint: true });
  applyMetadata(stats, from, to, options.fromImage);
}

class TreeCopier {
  readonly #options: CopyOptions;
  readonly #contents: ContentCopier = new ContentCopier();
  /** Where the first name of a file with several went. */
  readonly #links = new FirstNames();
  readonly #turns: Turns;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#turns = new Turns("copying files", options.signal);
  }

  async copy(node: CopyNode, to: string): Promise<void> {
    const stats = fs.lstatSync(asPath(node.place), { bigint: true, throwIfNoEntry: false });
    if (!stats) return;
    const first = this.#links.of(stats, to);
    if (first !== undefined) return fs.linkSync(asPath(first), asPath(to));
    if (stats.isDirectory()) await this.#directory(node, to);
    else if (stats.isFile()) return this.#file(node, stats, to);
    else if (stats.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(asPath(node.place), "buffer"), asPath(to));
    else if (!this.#node(stats, to)) return;
    applyMetadata(stats, node.place, to, this.#options.fromImage);
  }

  async #directory(node: CopyNode, to: string): Promise<void> {
    if (!fs.existsSync(asPath(to))) fs.mkdirSync(asPath(to), { mode: 0o700 });
    for (const child of node.children()) {
      await this.copy(child, `${to}/${child.name}`);
      await this.#turns.give();
    }
  }

  async #file(node: CopyNode, first: fs.BigIntStats, to: string): Promise<void> {
    let before = first;
    for (let tries = 1; ; tries += 1) {
      await this.#contents.copy(asPath(node.place), asPath(to), () => this.#turns.give());
      const after = fs.lstatSync(asPath(node.place), { bigint: true, throwIfNoEntry: false });
      if (!after || sameContent(before, after)) break;
      if (tries === TRIES) throw changing(node.place);
      fs.rmSync(asPath(to));
      before = after;
    }
    applyMetadata(before, node.place, to, this.#options.fromImage);
    this.#options.onFile?.(displayName(node.place), Number(before.size));
  }

  /** An ordinary user can't make devices. */
  #node(stats: fs.BigIntStats, to: string): boolean {
    const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
    if (isDevice && !canMakeDevices()) return false;
    linux.mknod(asPath(to), kindOf(stats) | 0o600, isDevice ? stats.rdev : 0n);
    return true;
  }
}

function kindOf(stats: fs.BigIntStats): number {
  if (stats.isCharacterDevice()) return linux.S_IFCHR;
  if (stats.isBlockDevice()) return linux.S_IFBLK;
  return stats.isFIFO() ? linux.S_IFIFO : linux.S_IFSOCK;
}

/** Whether a file was left alone between two looks at it. */
export function sameContent(before: fs.BigIntStats, after: fs.BigIntStats): boolean {
  return (
    before.ino === after.ino &&
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs
  );
}

/** The error for a file that is written all the time. */
export function changing(place: string): TareError {
  return new TareError("E_VOLUME_CHANGED", `reading \`${displayName(place)}\`: it changes while it is read`, {
    hint: "stop the containers that write it, or give `--pause`",
  });
}

/** In the order in which they do not undo each other: a new owner takes capabilities and setuid bits away. */
function applyMetadata(stats: fs.BigIntStats, from: string, to: string, fromImage: boolean): void {
  const [source, target] = [asPath(from), asPath(to)];
  const owner = { uid: Number(stats.uid), gid: Number(stats.gid) };
  if (canGiveFiles()) fs.lchownSync(target, owner.uid, owner.gid);
  else if (!canOwn(imageOwner(owner))) refuseOwner(from);
  if (!stats.isSymbolicLink()) fs.chmodSync(target, Number(stats.mode & 0o7777n));
  for (const name of linux.llistxattr(source)) {
    if (name === "security.selinux" || (fromImage && overlayMark(name) !== undefined)) continue;
    const value = linux.lgetxattr(source, name);
    if (value !== undefined) setXattr(target, name, value);
  }
  linux.utimensat(linux.AT_FDCWD, target, { atime: stats.atimeNs, mtime: stats.mtimeNs }, linux.AT_SYMLINK_NOFOLLOW);
}

/** Some file systems know no attributes, and a user may not set all of them. */
function setXattr(target: string | Buffer, name: string, value: Uint8Array): void {
  try {
    linux.lsetxattr(target, name, value);
  } catch (error) {
    const errno = linux.errnoNameOf(error);
    if (errno !== "ENOTSUP" && errno !== "EOPNOTSUPP" && errno !== "EPERM") throw error;
  }
}

function refuseOwner(path: string): void {
  throw new TareError("E_PERMISSION", `copying \`${displayName(path)}\`: only root can give files to other users`, {
    hint: "run as root",
  });
}
