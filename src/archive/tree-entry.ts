// SPDX-License-Identifier: Apache-2.0
/* What is said in an archive of a file that is in a tree. */
import type * as fs from "node:fs";
import { imageOwner, linux } from "../base/index.ts";
import type { TarType } from "./tar-entry.ts";
import type { TarFields } from "./tar-encode.ts";

type Stats = fs.Stats | fs.BigIntStats;

/** The type that an archive has for it; undefined for a socket, which means nothing without its process. */
export function tarTypeOf(stats: Stats): TarType | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : undefined;
}

/** Its header, in whole seconds; links and attributes are the caller's to add. */
export function tarFieldsOf(type: TarType, name: string, stats: Stats): TarFields {
  const isDevice = type === "char" || type === "block";
  const [deviceMajor, deviceMinor] = isDevice ? linux.deviceNumbers(BigInt(stats.rdev)) : [0, 0];
  return {
    type,
    name,
    mode: Number(stats.mode) & 0o7777,
    ...imageOwner({ uid: Number(stats.uid), gid: Number(stats.gid) }),
    size: type === "file" ? Number(stats.size) : 0,
    mtime: "mtimeNs" in stats ? tarTimeOf(stats.mtimeNs).mtime : Math.floor(stats.mtimeMs / 1000),
    deviceMajor,
    deviceMinor,
  };
}

/** A time (nanoseconds since the epoch) as an archive has it: whole seconds, rounded down, and what is above them. */
export function tarTimeOf(time: bigint): { readonly mtime: number; readonly mtimeNanoseconds: number } {
  const mtimeNanoseconds = ((time % SECOND) + SECOND) % SECOND;
  return { mtime: Number((time - mtimeNanoseconds) / SECOND), mtimeNanoseconds: Number(mtimeNanoseconds) };
}

const SECOND = 1_000_000_000n;

/** The first names of files that have several. */
export class FirstNames {
  readonly #names = new Map<string, string>();

  /** The name that a file was met by before; undefined, and `name` is kept as its first one, when this is the first. */
  of(stats: Stats, name: string): string | undefined {
    if (stats.nlink < 2 || stats.isDirectory()) return undefined;
    const key = `${stats.dev}:${stats.ino}`;
    const known = this.#names.get(key);
    if (known === undefined) this.#names.set(key, name);
    return known;
  }
}
