// SPDX-License-Identifier: Apache-2.0
/* What is said of a file in a backup, read from the file system. */
import * as fs from "node:fs";
import { asPath } from "../../archive/index.ts";
import type { TarHeader, Xattrs } from "../../archive/index.ts";
import { Hasher, linux } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { FactType, Facts } from "./format.ts";

/** A name met on a walk. Paths are byte strings. */
export interface Met {
  /** Below the root. */
  readonly path: string;
  /** On this machine. */
  readonly place: string;
  readonly stats: fs.BigIntStats;
}

/** Every name below a root in the order of a backup, the root first. What vanishes meanwhile is left out. */
export function* walk(place: string, path: string = ""): Generator<Met> {
  const stats = fs.lstatSync(asPath(place), { bigint: true, throwIfNoEntry: false });
  if (!stats) return;
  yield { path, place, stats };
  if (!stats.isDirectory()) return;
  for (const name of namesIn(place)) yield* walk(`${place}/${name}`, path === "" ? name : `${path}/${name}`);
}

function namesIn(place: string): readonly string[] {
  try {
    return fs.readdirSync(asPath(place), { encoding: "latin1" }).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
}

/** All that is known without reading the content. */
export function factsOf(met: Met, type: FactType, xattrs: Xattrs): Facts {
  const { path, place, stats } = met;
  const isDevice = type === "char" || type === "block";
  return {
    path,
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: String(stats.mtimeNs),
    ...(type === "file" ? { size: Number(stats.size) } : {}),
    ...(type === "symlink" ? { link: fs.readlinkSync(asPath(place), { encoding: "latin1" }) } : {}),
    ...(isDevice ? { device: linux.deviceNumbers(stats.rdev) } : {}),
    ...(xattrs.size > 0 ? { xattrs: digestOfXattrs(xattrs) } : {}),
  };
}

/** Extended attributes, ACLs among them; a label of SELinux means nothing on another machine. */
export function xattrsOf(place: string): Xattrs {
  const file = asPath(place);
  const names = linux.llistxattr(file).filter((name) => name !== "security.selinux");
  return new Map(
    names.sort().flatMap((name) => {
      const value = linux.lgetxattr(file, name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Digest of attributes in the order of their names. */
function digestOfXattrs(xattrs: Xattrs): Digest {
  const hasher = new Hasher();
  for (const name of [...xattrs.keys()].sort()) {
    const value = xattrs.get(name) ?? new Uint8Array(0);
    hasher.update(`${name.length}:${value.length}:`).update(Buffer.from(name, "latin1")).update(value);
  }
  return hasher.digest();
}

/** Times closer to now than this may not change with the next write: such a stamp proves nothing. */
const RACY_NS = 2_000_000_000n;

/** What an unchanged file keeps on this machine; undefined for one that was just written. */
export function stampOf(stats: fs.BigIntStats, now: number): string | undefined {
  if (stats.ctimeNs > BigInt(now) * 1_000_000n - RACY_NS) return undefined;
  return `${stats.dev}:${stats.ino}:${stats.ctimeNs}`;
}

/** The facts of an entry as an archive has them; the content's digest is not among them. */
export function factsOfHeader(header: TarHeader, names: { readonly path: string; readonly link: string }): Facts {
  const { type, mode, uid, gid, size, xattrs } = header;
  const mtime = BigInt(header.mtime) * 1_000_000_000n + BigInt(header.mtimeNanoseconds);
  return {
    path: names.path,
    type,
    mode,
    uid,
    gid,
    mtime: String(mtime),
    ...(type === "file" ? { size } : {}),
    ...(type === "symlink" || type === "hardlink" ? { link: names.link } : {}),
    ...(type === "char" || type === "block" ? { device: [header.deviceMajor, header.deviceMinor] as const } : {}),
    ...(xattrs.size > 0 && type !== "hardlink" ? { xattrs: digestOfXattrs(xattrs) } : {}),
  };
}

/**
 * The digest of a file's content: of its bytes; where a hole ends, `@OFFSET` and a line feed come before what follows.
 * So a file without holes has its plain sha256.
 */
export class ContentHasher {
  readonly #hasher: Hasher = new Hasher();
  #end = 0;

  update(piece: Uint8Array, position: number): void {
    if (position !== this.#end) this.#hasher.update(`@${position}\n`);
    this.#hasher.update(piece);
    this.#end = position + piece.length;
  }

  digest(): Digest {
    return this.#hasher.digest();
  }
}
