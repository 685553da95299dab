// SPDX-License-Identifier: Apache-2.0
/** `pyproject.toml`: PEP 621, PEP 518, PEP 735 and the tables of tools, as data. */
import { readDependencyGroups } from "./dependency-groups.ts";
import { isName, normalizeName } from "./names.ts";
import { readPoetry } from "./poetry.ts";
import { redactUrls } from "./redact.ts";
import { parseSpecifier } from "./specifiers.ts";
import type { Placed } from "./toml-values.ts";
import {
  entriesOf,
  flagOf,
  itemsOf,
  member,
  optionalText,
  parseToml,
  problemAt,
  reasoned,
  record,
  requirementsOf,
  tableOf,
  textOf,
  textTableOf,
  textsOf,
} from "./toml-values.ts";
import type { BuildSystemTable, PlacedRequirement, ProjectTable, PyprojectFile, UvIndex, UvTable } from "./types.ts";

/** Reads a project file. Throws `E_PYPROJECT` with the file and the place in it, without credentials. */
export function readPyproject(text: string, fileName: string): PyprojectFile {
  const root = parseToml({ file: fileName, text: text.replace(/^\ufeff/, "") });
  const tool = member(root, "tool");
  const project = member(root, "project");
  const buildSystem = member(root, "build-system");
  const tare = member(tool, "tare");
  const uv = member(tool, "uv");
  const poetry = member(tool, "poetry");
  return {
    file: fileName,
    ...(project === undefined ? {} : { project: readProject(project) }),
    ...(buildSystem === undefined ? {} : { buildSystem: readBuildSystem(buildSystem) }),
    dependencyGroups: readDependencyGroups(member(root, "dependency-groups")),
    ...(tare === undefined ? {} : { tare: tableOf(tare) }),
    ...(uv === undefined ? {} : { uv: readUv(uv) }),
    ...(poetry === undefined ? {} : { poetry: readPoetry(poetry) }),
  };
}

function readProject(table: Placed): ProjectTable {
  const version = optionalText(member(table, "version"));
  const requiresPython = readRequiresPython(member(table, "requires-python"));
  return {
    name: readName(table),
    ...(version === undefined ? {} : { version }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    dependencies: requirementsOf(member(table, "dependencies")),
    optionalDependencies: readExtras(member(table, "optional-dependencies")),
    scripts: textTableOf(member(table, "scripts")),
    guiScripts: textTableOf(member(table, "gui-scripts")),
    entryPoints: readEntryPoints(member(table, "entry-points")),
    dynamic: textsOf(member(table, "dynamic")),
  };
}

function readName(table: Placed): string {
  const placed = member(table, "name");
  if (placed === undefined) throw problemAt(table, "has no name", 'a project table needs name = "..."');
  const name = textOf(placed);
  if (isName(name)) return name;
  throw problemAt(
    placed,
    `is not a name: \`${name}\``,
    "letters, digits, `-`, `_` and `.`, the first and last a letter or digit",
  );
}

function readRequiresPython(placed: Placed | undefined): string | undefined {
  if (placed === undefined) return undefined;
  const text = textOf(placed);
  reasoned(placed, () => parseSpecifier(text));
  return text.trim();
}

function readExtras(placed: Placed | undefined): Readonly<Record<string, readonly PlacedRequirement[]>> {
  const extras = new Map<string, readonly PlacedRequirement[]>();
  for (const [key, value] of entriesOf(placed)) {
    const name = normalizeName(key);
    if (extras.has(name)) throw problemAt(value, `is the extra \`${name}\` once more`);
    extras.set(name, requirementsOf(value));
  }
  return record(extras);
}

function readEntryPoints(placed: Placed | undefined): ProjectTable["entryPoints"] {
  return record(
    entriesOf(placed).map(([group, value]) => {
      const own = { console_scripts: "project.scripts", gui_scripts: "project.gui-scripts" }[group];
      if (own !== undefined) throw problemAt(value, `has a table of its own: \`${own}\``);
      return [group, textTableOf(value)] as const;
    }),
  );
}

function readBuildSystem(table: Placed): BuildSystemTable {
  const requires = member(table, "requires");
  if (requires === undefined)
    throw problemAt(table, "has no requires", 'it lists what a build needs: requires = ["setuptools"]');
  const buildBackend = optionalText(member(table, "build-backend"));
  return {
    requires: requirementsOf(requires),
    ...(buildBackend === undefined ? {} : { buildBackend }),
    backendPath: textsOf(member(table, "backend-path")),
  };
}

function readUv(table: Placed): UvTable {
  const defaultGroups = readDefaultGroups(member(table, "default-groups"));
  const isPackage = member(table, "package");
  return {
    indexes: itemsOf(member(table, "index")).map(readIndex),
    sources: record(
      entriesOf(member(table, "sources")).map(([name, value]) => [normalizeName(name), readSources(value)]),
    ),
    devDependencies: requirementsOf(member(table, "dev-dependencies")),
    ...(defaultGroups === undefined ? {} : { defaultGroups }),
    ...(isPackage === undefined ? {} : { isPackage: flagOf(isPackage, true) }),
  };
}

function readDefaultGroups(placed: Placed | undefined): UvTable["defaultGroups"] {
  if (placed === undefined) return undefined;
  return placed.value === "all" ? "all" : textsOf(placed).map(normalizeName);
}

function readIndex(table: Placed): UvIndex {
  const name = optionalText(member(table, "name"));
  const url = member(table, "url");
  if (url === undefined)
    throw problemAt(table, `has no url${name === undefined ? "" : ` (index \`${redactUrls(name)}\`)`}`);
  return {
    ...(name === undefined ? {} : { name }),
    url: textOf(url),
    isDefault: flagOf(member(table, "default"), false),
    isExplicit: flagOf(member(table, "explicit"), false),
  };
}

function readSources(placed: Placed): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(placed.value) ? itemsOf(placed).map(tableOf) : [tableOf(placed)];
}
