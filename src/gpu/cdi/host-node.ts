// SPDX-License-Identifier: Apache-2.0
import { lstatSync, statSync } from "node:fs";
import { systemErrorCode } from "../../base/index.ts";

/** What stands at a path of the host, itself and not what it links to. */
export interface HostNode {
  readonly type: "b" | "c" | "p" | "other";
  readonly major: number;
  readonly minor: number;
  /** Permissions, without the bits of the type. */
  readonly mode: number;
}

/** The host as edits see it; tests bring their own. */
export interface CdiHost {
  /** What is at the path; undefined when there is nothing. */
  readonly lookup: (path: string) => HostNode | undefined;
  /** True when there is something, perhaps behind a link. */
  readonly exists: (path: string) => boolean;
}

const TYPES: Readonly<Record<number, HostNode["type"]>> = { 0o020000: "c", 0o060000: "b", 0o010000: "p" };

/** This machine. */
export const THIS_HOST: CdiHost = {
  lookup: (path) => {
    const stats = attempt(() => lstatSync(path));
    if (stats === undefined) return undefined;
    // Linux' own encoding of st_rdev: 12 bits of major above 8 bits of minor, the rest of both higher up.
    const number = BigInt(stats.rdev);
    const major = Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn));
    const minor = Number((number & 0xffn) | ((number >> 12n) & ~0xffn));
    return { type: TYPES[stats.mode & 0o170000] ?? "other", major, minor, mode: stats.mode & 0o7777 };
  },
  exists: (path) => attempt(() => statSync(path)) !== undefined,
};

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}
