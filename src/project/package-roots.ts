// SPDX-License-Identifier: Apache-2.0
import { normalizeName } from "../python/index.ts";
import { tableAt, tablesAt, textAt, textsAt } from "./toml.ts";
import type { Table } from "./toml.ts";
import type { ProjectReader } from "./types.ts";

/**
 * The folders below which a package's modules are imported, relative to it; `""` is its own. Undefined when a build
 * puts modules at other places than they lie.
 */
export function sourceRoots(reader: ProjectReader, raw: Table, name: string): readonly string[] | undefined {
  const tool = tableAt(raw, "tool");
  const setuptools = tableAt(tool, "setuptools");
  const folders = tableAt(setuptools, "package-dir");
  if (Object.keys(folders).some((key) => key !== "")) return undefined;
  if (Object.keys(tableAt(tool, "hatch", "build", "targets", "wheel", "force-include")).length > 0) return undefined;
  const told = [
    ...textsAt(folders, ""),
    ...textsAt(tableAt(setuptools, "packages", "find"), "where"),
    ...textsAt(tableAt(tool, "hatch", "build", "targets", "wheel"), "packages").map(parentOf),
    ...tablesAt(tableAt(tool, "poetry"), "packages").map((table) => textAt(table, "from") ?? ""),
    ...textsAt(tableAt(tool, "pdm", "build"), "package-dir"),
    ...textsAt(tableAt(tool, "uv", "build-backend"), "module-root"),
  ];
  const roots = [...new Set(told.map((path) => path.replace(/^\.\/?|\/+$/g, "")))];
  if (roots.some((root) => root.startsWith("/") || root.split("/").includes(".."))) return undefined;
  return roots.length > 0 ? roots : [usualRoot(reader, name)];
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at);
}

/** `src/` where the package is there, or where there is nothing else that could be it. */
function usualRoot(reader: ProjectReader, name: string): string {
  const module = normalizeName(name).replaceAll("-", "_");
  const isAt = (root: string): boolean =>
    reader.isFolder(`${root}${module}`) || reader.read(`${root}${module}.py`) !== undefined;
  if (isAt("src/")) return "src";
  return !isAt("") && reader.isFolder("src") && reader.read("src/__init__.py") === undefined ? "src" : "";
}
