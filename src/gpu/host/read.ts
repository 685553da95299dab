// SPDX-License-Identifier: Apache-2.0
/* Small texts and folders of /proc and /sys, where a missing file is an answer. */
import { lstatSync, readFileSync, readdirSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { ioError, systemErrorCode } from "../../base/index.ts";

/** What an attribute that nobody may read, or whose device or process went away, gives. */
const ABSENT: readonly (string | undefined)[] = ["ENOENT", "ENOTDIR", "ENODEV", "ENXIO", "ESRCH", "EACCES", "EPERM"];

/** A text without blanks at its ends, or undefined where there is none to be read. */
export function readFact(path: string): string | undefined {
  return attempt(path, () => readFileSync(path, "utf8").trim());
}

/** Names in a folder in their order; none when it is missing. */
export function namesIn(path: string): readonly string[] {
  return attempt(path, () => readdirSync(path).toSorted()) ?? [];
}

/** What stands at a path itself, or undefined. */
export function statusOf(path: string): BigIntStats | undefined {
  return attempt(path, () => lstatSync(path, { bigint: true }));
}

function attempt<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ABSENT.includes(systemErrorCode(error))) return undefined;
    throw ioError(`reading \`${path}\``, error);
  }
}
