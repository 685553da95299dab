// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { TareError } from "../../base/index.ts";
import { normalizeName } from "../requirements/names.ts";
import { parseMarker } from "../requirements/markers.ts";
import { Table, sha256Of } from "./table.ts";
import type { Marker } from "../requirements/types.ts";
import type { DistributionFile } from "../types.ts";
import type { Lock, LockedDependency, LockedPackage, LockedSource } from "./types.ts";

/** Reads `uv.lock` (version 1): a graph whose root is the project in `folder`. */
export function readUvLock(root: Table, folder: string): Lock {
  const version = root.size("version");
  if (version !== 1) {
    throw new TareError(
      "E_LOCK_VERSION",
      `reading ${root.place}: its version is ${version ?? "missing"}, this knows 1`,
      {
        hint: "use a newer Tare, or `uv export --format pylock.toml`",
      },
    );
  }
  const requiresPython = root.text("requires-python");
  const tables = root.tables("package");
  const own = tables.filter((table) => isRoot(table));
  return {
    format: "uv",
    file: root.place,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    packages: tables.filter((table) => !isRoot(table)).map((table) => packageOf(table, folder)),
    environments: root.texts("supported-markers").map(parseMarker),
    extras: own.flatMap((table) => table.table("optional-dependencies")?.keys() ?? []),
    groups: own.flatMap((table) => table.table("dev-dependencies")?.keys() ?? []),
    defaultGroups: [],
    roots: {
      own: own.flatMap((table) => table.tables("dependencies").map(dependencyOf)),
      extras: byName(own, "optional-dependencies"),
      groups: byName(own, "dev-dependencies"),
    },
  };
}

/** The project itself, and members of its workspace. */
function isRoot(table: Table): boolean {
  const source = table.table("source");
  return source?.text("virtual") === "." || source?.text("editable") === ".";
}

function byName(own: readonly Table[], key: string): Readonly<Record<string, readonly LockedDependency[]>> {
  const entries = own.flatMap((table) => {
    const group = table.table(key);
    return (group?.keys() ?? []).map(
      (name) => [normalizeName(name), group?.tables(name).map(dependencyOf) ?? []] as const,
    );
  });
  return Object.fromEntries(entries);
}

function dependencyOf(table: Table): LockedDependency {
  const version = table.text("version");
  const marker = table.marker("marker");
  return {
    name: normalizeName(table.required("name")),
    ...(version === undefined ? {} : { version }),
    ...(marker === undefined ? {} : { marker }),
    extras: table.texts("extra").map(normalizeName),
  };
}

function packageOf(table: Table, folder: string): LockedPackage {
  const version = table.text("version");
  const sdist = table.table("sdist");
  const source = sourceOf(table, folder);
  const marker = anyOf(table.texts("resolution-markers").map(parseMarker));
  const optional = table.table("optional-dependencies");
  const extras = (optional?.keys() ?? []).flatMap((extra) =>
    (optional?.tables(extra) ?? []).map((edge) => ({ ...dependencyOf(edge), ofExtra: normalizeName(extra) })),
  );
  return {
    name: normalizeName(table.required("name")),
    ...(version === undefined ? {} : { version }),
    ...(marker === undefined ? {} : { marker }),
    wheels: table.tables("wheels").map((wheel) => fileOf(wheel, table)),
    ...(sdist === undefined ? {} : { sdist: fileOf(sdist, table) }),
    ...(source === undefined ? {} : { source }),
    dependencies: [...table.tables("dependencies").map(dependencyOf), ...extras.map(ofExtra)],
  };
}

/** An edge that only an extra brings, said as a marker, so that there is one kind of edge. */
function ofExtra({ ofExtra: extra, ...edge }: LockedDependency & { readonly ofExtra: string }): LockedDependency {
  const own: Marker = {
    kind: "compare",
    left: { kind: "variable", name: "extra" },
    operator: "==",
    right: { kind: "string", value: extra },
  };
  return { ...edge, marker: edge.marker === undefined ? own : { kind: "and", parts: [edge.marker, own] } };
}

function anyOf(markers: readonly Marker[]): Marker | undefined {
  const [first] = markers;
  return markers.length > 1 ? { kind: "or", parts: markers } : first;
}

function fileOf(table: Table, owner: Table): DistributionFile {
  const url = table.text("url");
  const path = table.text("path");
  const registry = owner.table("source")?.text("registry");
  const name =
    table.text("filename") ??
    decodeURIComponent(
      (url ?? path ?? "")
        .replace(/[?#].*$/, "")
        .split("/")
        .at(-1) ?? "",
    );
  const digest = sha256Of(table.text("hash"));
  const size = table.size("size");
  const local = path === undefined ? {} : { path: resolve(registry ?? "", path) };
  return {
    fileName: name,
    ...(url === undefined ? local : { url }),
    ...(digest === undefined ? {} : { digest }),
    ...(size === undefined ? {} : { size }),
  };
}

function sourceOf(table: Table, folder: string): LockedSource | undefined {
  const source = table.table("source");
  const git = source?.text("git");
  if (git !== undefined) {
    const url = new URL(git);
    const commit = url.hash.slice(1);
    const revision = url.searchParams.get("rev") ?? url.searchParams.get("tag") ?? url.searchParams.get("branch");
    const subdirectory = url.searchParams.get("subdirectory");
    return {
      kind: "vcs",
      vcs: "git",
      url: `${url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`,
      commit,
      ...(revision === null ? {} : { requestedRevision: revision }),
      ...(subdirectory === null ? {} : { subdirectory }),
    };
  }
  for (const key of ["directory", "editable", "virtual"] as const) {
    const path = source?.text(key);
    if (path === undefined) continue;
    const virtual = key === "virtual" ? { isVirtual: true } : {};
    return { kind: "directory", path: resolve(folder, path), isEditable: key === "editable", ...virtual };
  }
  return undefined;
}
