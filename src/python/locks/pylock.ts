// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { TareError } from "../../base/index.ts";
import { normalizeName } from "../requirements/names.ts";
import { parseMarker } from "../requirements/markers.ts";
import { Table, lockError, sha256Of } from "./table.ts";
import type { DistributionFile } from "../types.ts";
import type { Lock, LockedPackage, LockedSource } from "./types.ts";

/** Reads `pylock.toml` (PEP 751, lock-version 1.x). Paths are relative to `folder`. */
export function readPylock(root: Table, folder: string): Lock {
  const version = root.required("lock-version");
  if (!/^1(?:\.\d+)*$/.test(version)) {
    throw new TareError("E_LOCK_VERSION", `reading ${root.place}: its lock-version is ${version}, this knows 1.x`, {
      hint: "use a newer Tare, or `tare lock` to write it again",
    });
  }
  const requiresPython = root.text("requires-python");
  const tare = root.table("tool")?.table("tare")?.raw();
  return {
    format: "pylock",
    file: root.place,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    packages: root.tables("packages").map((table) => packageOf(table, folder)),
    environments: root.texts("environments").map(parseMarker),
    extras: root.texts("extras").map(normalizeName),
    groups: root.texts("dependency-groups").map(normalizeName),
    defaultGroups: root.texts("default-groups").map(normalizeName),
    ...(tare === undefined ? {} : { tare }),
  };
}

function packageOf(table: Table, folder: string): LockedPackage {
  const name = normalizeName(table.required("name"));
  const version = table.text("version");
  const marker = table.marker("marker");
  const requiresPython = table.text("requires-python");
  const sdistTable = table.table("sdist");
  const source = sourceOf(table, folder);
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(marker === undefined ? {} : { marker }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    wheels: table.tables("wheels").map((wheel) => fileOf(wheel, folder)),
    ...(sdistTable === undefined ? {} : { sdist: fileOf(sdistTable, folder) }),
    ...(source === undefined ? {} : { source }),
    dependencies: table.tables("dependencies").map((dependency) => {
      const wanted = dependency.text("version");
      const which = wanted === undefined ? {} : { version: wanted };
      return { name: normalizeName(dependency.required("name")), ...which, extras: [] };
    }),
  };
}

function fileOf(table: Table, folder: string): DistributionFile {
  const url = table.text("url");
  const path = table.text("path");
  const name =
    table.text("name") ??
    decodeURIComponent(
      (url ?? path ?? "")
        .replace(/[?#].*$/, "")
        .split("/")
        .at(-1) ?? "",
    );
  if (url === undefined && path === undefined) throw lockError(table.place, "a file has neither `url` nor `path`");
  const digest = sha256Of(table.table("hashes")?.text("sha256"));
  const size = table.size("size");
  if (digest === undefined && url !== undefined) {
    throw new TareError("E_LOCK_HASH", `reading ${table.place}: \`${name}\` has no sha256`, {
      hint: "a lock without hashes protects nothing: make it again with hashes, or by `tare lock`",
    });
  }
  return {
    fileName: name,
    ...(url === undefined ? {} : { url }),
    ...(url === undefined && path !== undefined ? { path: resolve(folder, path) } : {}),
    ...(digest === undefined ? {} : { digest }),
    ...(size === undefined ? {} : { size }),
  };
}

function sourceOf(table: Table, folder: string): LockedSource | undefined {
  const vcs = table.table("vcs");
  const directory = table.table("directory");
  const archive = table.table("archive");
  const subdirectoryOf = (part: Table): { readonly subdirectory?: string } => {
    const subdirectory = part.text("subdirectory");
    return subdirectory === undefined ? {} : { subdirectory };
  };
  if (vcs) {
    const revision = vcs.text("requested-revision");
    return {
      kind: "vcs",
      vcs: vcs.required("type"),
      url: vcs.text("url") ?? pathToFileURL(resolve(folder, vcs.required("path"))).href,
      commit: vcs.required("commit-id"),
      ...(revision === undefined ? {} : { requestedRevision: revision }),
      ...subdirectoryOf(vcs),
    };
  }
  if (directory) {
    const path = resolve(folder, directory.required("path"));
    return { kind: "directory", path, isEditable: directory.flag("editable"), ...subdirectoryOf(directory) };
  }
  return archive && { kind: "archive", file: fileOf(archive, folder), ...subdirectoryOf(archive) };
}
