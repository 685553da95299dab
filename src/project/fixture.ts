// SPDX-License-Identifier: Apache-2.0
/* For tests: a source tree in memory. */
import type { ProjectReader } from "./types.ts";

/** A reader of files by path. */
export function treeOf(files: Readonly<Record<string, string>>): ProjectReader {
  const paths = Object.keys(files);
  return {
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    isFolder: (path) => paths.some((each) => each.startsWith(`${path}/`)),
    list: (path) => {
      const start = path === "" ? "" : `${path}/`;
      const below = paths.filter((each) => each.startsWith(start)).map((each) => each.slice(start.length));
      return [...new Set(below.map((each) => each.split("/")[0] ?? ""))].sort();
    },
  };
}
