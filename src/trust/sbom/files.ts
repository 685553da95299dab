// SPDX-License-Identifier: Apache-2.0
/* The files that a container of the image sees, for those that read a few of them. */
import * as fs from "node:fs";
import type { ScannedFile } from "../../images/index.ts";

/** By path without leading slash. */
export type FilesByPath = ReadonlyMap<string, ScannedFile>;

/** The largest metadata that is read: dpkg's status of a full desktop has 5 MB. */
const LARGEST = 64 << 20;

/** A file's text; empty for one that is not there or too large to be what its name says. */
export function textOf(files: FilesByPath, path: string): string {
  const file = files.get(path);
  return file === undefined || file.size > LARGEST ? "" : fs.readFileSync(file.hostPath, "utf8");
}

/** Orders by what `key` gives, code unit by code unit: the same in every locale. */
export function sortedBy<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item);
}
