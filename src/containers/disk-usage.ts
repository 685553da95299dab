// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { namesIn } from "./folder-names.ts";

/** Bytes on disk of a tree's files: their blocks, each hard-linked one once. Folders count nothing, as in Docker. What vanishes while counting counts nothing. */
export function diskUsage(folder: string): number {
  const seen = new Set<number>();
  const pending = [folder];
  let total = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (!stats || (stats.nlink > 1 && !stats.isDirectory() && seen.has(stats.ino))) continue;
    seen.add(stats.ino);
    if (stats.isDirectory()) for (const name of namesIn(path)) pending.push(join(path, name));
    else total += (stats.blocks ?? 0) * 512;
  }
  return total;
}
