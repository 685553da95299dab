// SPDX-License-Identifier: Apache-2.0
import { basename, dirname } from "node:path";
import { parse } from "smol-toml";
import { TareError, messageOf } from "../../base/index.ts";
import { readPylock } from "./pylock.ts";
import { Table } from "./table.ts";
import { readUvLock } from "./uv-lock.ts";
import type { Lock } from "./types.ts";

/** True for the names of locks that `readLock` knows (PEP 751, "File Name"; uv). */
export function isLockName(name: string): boolean {
  return name === "uv.lock" || /^pylock(?:\.[^.]+)?\.toml$/.test(name);
}

/**
 * Reads a lock; `path` decides its format and is the place that relative paths in it start from. Throws `E_LOCK`,
 * `E_LOCK_VERSION`, `E_LOCK_HASH`.
 */
export function readLock(text: string, path: string): Lock {
  const name = basename(path);
  let values: unknown;
  try {
    values = parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    throw new TareError("E_LOCK", `reading \`${name}\`: ${messageOf(error).split("\n")[0] ?? ""}`, {
      cause: error,
      hint: "it is not TOML: make it again",
    });
  }
  const root = new Table(values, `\`${name}\``);
  return name === "uv.lock" ? readUvLock(root, dirname(path)) : readPylock(root, dirname(path));
}
