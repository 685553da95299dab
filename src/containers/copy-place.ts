// SPDX-License-Identifier: Apache-2.0
/*
 * Looks paths up below an open root directory. The kernel resolves all but the last name and confines it to the root
 * (openat2, RESOLVE_IN_ROOT), however links change meanwhile; the last name is only ever used below the open parent.
 */
import * as fs from "node:fs";
import { posix } from "node:path";
import { TareError, linux } from "../base/index.ts";

/** A path that was looked up; `close` it after use. Paths and names are byte strings (one latin1 character per byte). */
export interface CopyPlace {
  /** The open directory itself, or that which has `name`. */
  readonly directory: number;
  /** The last name; absent: it is a directory, and open. */
  readonly name: string | undefined;
  /** Of `name`, itself not followed; undefined: it is not there. */
  readonly stats: fs.Stats | undefined;
  /** Where `directory` is below the root, without links and slash in front; "" is the root. */
  readonly path: string;
  close(): void;
}

const CONFINED = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS;
const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
const MOST_LINKS = 40;

/**
 * Looks up an absolute path. A link as the last name is followed with `follow`, or when a slash comes after it; then
 * also one to what is not there. A directory is opened. Throws `E_COPY` when a folder on the way is missing.
 */
export function lookUpPlace(root: number, path: string, options: { follow: boolean; shown: string }): CopyPlace {
  let current = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    const place = lookUpOnce(root, current, options.shown);
    const { name, stats } = place;
    if (name === undefined || !stats?.isSymbolicLink() || !(options.follow || asksDirectory(current))) return place;
    const target = linux.readlinkat(place.directory, asBytes(name)).toString("latin1");
    place.close();
    const slash = asksDirectory(current) ? "/" : "";
    current = `${target.startsWith("/") ? target : `/${place.path}/${target}`}${slash}`;
  }
  throw new TareError("E_COPY", `copying: \`${options.shown}\` goes through too many links`);
}

/** Whether a path says by its end that it is a directory. */
export function asksDirectory(path: string): boolean {
  return /\/\.?$/.test(path);
}

function lookUpOnce(root: number, path: string, shown: string): CopyPlace {
  const clean = path.replace(/(?:\/+\.?)+$/, "");
  const name = clean.slice(clean.lastIndexOf("/") + 1);
  if (name === "" || name === "." || name === "..") return opened(root, openDirectory(root, clean || "/", shown));
  const above = posix.dirname(clean);
  const parent = openDirectory(root, above, shown);
  const stats = fs.lstatSync(asBytes(`/proc/self/fd/${parent}/${name}`), { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return { ...opened(root, parent), name, stats };
  try {
    return opened(root, linux.openat(parent, asBytes(name), DIRECTORY | fs.constants.O_NOFOLLOW));
  } finally {
    fs.closeSync(parent);
  }
}

function opened(root: number, descriptor: number): CopyPlace {
  return {
    directory: descriptor,
    name: undefined,
    stats: fs.fstatSync(descriptor),
    path: pathBelow(root, descriptor),
    close: () => fs.closeSync(descriptor),
  };
}

function openDirectory(root: number, path: string, shown: string): number {
  try {
    return linux.openat2(root, asBytes(path), { flags: DIRECTORY, resolve: CONFINED });
  } catch (error) {
    const why = WHY[linux.errnoNameOf(error) ?? ""];
    if (why === undefined) throw error;
    throw new TareError("E_COPY", `copying: \`${shown}\`: ${why}`, { hint: "the folder that it is in must exist" });
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "it goes through too many links",
  EXDEV: "it leads out of the container",
};

function pathBelow(root: number, descriptor: number): string {
  const [top, path] = [root, descriptor].map((each) =>
    fs.readlinkSync(`/proc/self/fd/${each}`, { encoding: "latin1" }),
  ) as [string, string];
  return path === top ? "" : path.slice(top === "/" ? 1 : top.length + 1);
}

function asBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}
