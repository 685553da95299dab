// SPDX-License-Identifier: Apache-2.0
/** `[tool.poetry]`, its notation translated to that of the specifications. */
import { parseMarker } from "./markers.ts";
import { normalizeName } from "./names.ts";
import { combine, parseConstraint, pythonMarker, specifierOf } from "./poetry-constraint.ts";
import type { Placed } from "./toml-values.ts";
import {
  entriesOf,
  flagOf,
  itemsOf,
  member,
  optionalText,
  problemAt,
  reasoned,
  record,
  tableOf,
  textOf,
  textsOf,
} from "./toml-values.ts";
import type { Marker, PoetryDependency, PoetryGroup, PoetryTable, VcsReference } from "./types.ts";

/** Reads the table. Throws `E_PYPROJECT`. */
export function readPoetry(table: Placed): PoetryTable {
  const name = optionalText(member(table, "name"));
  const version = optionalText(member(table, "version"));
  const dependencies = member(table, "dependencies");
  const requiresPython = readPython(member(dependencies, "python"));
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    dependencies: readDependencies(dependencies),
    groups: readGroups(table),
    extras: record(entriesOf(member(table, "extras")).map(([key, value]) => [normalizeName(key), namesOf(value)])),
    scripts: readScripts(member(table, "scripts")),
    isPackage: flagOf(member(table, "package-mode"), true),
    sources: itemsOf(member(table, "source")).map(tableOf),
  };
}

function readPython(placed: Placed | undefined): string | undefined {
  if (placed === undefined) return undefined;
  const text = typeof placed.value === "string" ? placed : (member(placed, "version") ?? placed);
  const { specifier } = specifierOf(reasoned(text, () => parseConstraint(textOf(text))));
  return specifier === "" ? undefined : specifier;
}

function namesOf(placed: Placed): readonly string[] {
  return textsOf(placed).map((text) => normalizeName(/^[\w.-]+/.exec(text.trim())?.[0] ?? text));
}

/** A script may be a table whose `reference` is the function. */
function readScripts(placed: Placed | undefined): Readonly<Record<string, string>> {
  const scripts = new Map<string, string>();
  for (const [name, value] of entriesOf(placed)) {
    const reference =
      typeof value.value === "string" ? value : (member(value, "reference") ?? member(value, "callable"));
    if (reference === undefined) throw problemAt(value, "names no function");
    if (typeof value.value === "string" || member(value, "type")?.value !== "file")
      scripts.set(name, textOf(reference));
  }
  return record(scripts);
}

function readGroups(table: Placed): Readonly<Record<string, PoetryGroup>> {
  const groups = new Map<string, PoetryGroup>();
  const old = member(table, "dev-dependencies");
  if (old !== undefined) groups.set("dev", { isOptional: false, dependencies: readDependencies(old) });
  for (const [key, value] of entriesOf(member(table, "group"))) {
    const dependencies = readDependencies(member(value, "dependencies"));
    const before = groups.get(normalizeName(key))?.dependencies ?? [];
    const isOptional = flagOf(member(value, "optional"), false);
    groups.set(normalizeName(key), { isOptional, dependencies: [...before, ...dependencies] });
  }
  return record(groups);
}

function readDependencies(placed: Placed | undefined): readonly PoetryDependency[] {
  return entriesOf(placed)
    .filter(([name]) => name.toLowerCase() !== "python")
    .flatMap(([name, value]) => alternativesOf(value).map((each) => readDependency(normalizeName(name), each)));
}

/** A dependency may have several entries, each with a marker of its own. */
function alternativesOf(value: Placed): readonly Placed[] {
  return Array.isArray(value.value) ? itemsOf(value) : [value];
}

function readDependency(name: string, placed: Placed): PoetryDependency {
  const table = typeof placed.value === "string" ? undefined : placed;
  const constraint = table === undefined ? placed : member(table, "version");
  const { specifier, isExact } = readVersion(constraint);
  const marker = readCondition(table);
  const url = optionalText(member(table, "url"));
  const requirement = {
    name,
    extras: [...new Set(textsOf(member(table, "extras")).map(normalizeName))].toSorted(),
    specifier,
    ...(url === undefined ? {} : { url }),
    ...(marker === undefined ? {} : { marker }),
  };
  const approximate = isExact ? {} : { isApproximate: true };
  return { requirement, place: placed.place, ...approximate, ...readOrigin(table) };
}

function readVersion(placed: Placed | undefined): { readonly specifier: string; readonly isExact: boolean } {
  if (placed === undefined) return { specifier: "", isExact: true };
  return specifierOf(reasoned(placed, () => parseConstraint(textOf(placed))));
}

/** `markers`, `python` and `platform`, all of which must hold. */
function readCondition(table: Placed | undefined): Marker | undefined {
  const markers = member(table, "markers");
  const python = member(table, "python");
  const platform = optionalText(member(table, "platform"));
  return combine("and", [
    markers && reasoned(markers, () => parseMarker(textOf(markers))),
    python && reasoned(python, () => pythonMarker(parseConstraint(textOf(python)))),
    platform === undefined ? undefined : platformMarker(platform),
  ]);
}

function platformMarker(text: string): Marker | undefined {
  const parts = text.split(/\s*\|\|?\s*/).map((value): Marker => {
    const [, sign, name = ""] = /^(!=|==)?\s*(.*)$/.exec(value) ?? [];
    const right = { kind: "string", value: name } as const;
    return {
      kind: "compare",
      left: { kind: "variable", name: "sys_platform" },
      operator: sign === "!=" ? "!=" : "==",
      right,
    };
  });
  return combine("or", parts);
}

function readOrigin(table: Placed | undefined): Omit<PoetryDependency, "requirement" | "place"> {
  const vcs = readVcs(table);
  const path = optionalText(member(table, "path") ?? member(table, "file"));
  const source = optionalText(member(table, "source"));
  return {
    isOptional: flagOf(member(table, "optional"), false),
    isEditable: flagOf(member(table, "develop"), false),
    ...(vcs === undefined ? {} : { vcs }),
    ...(path === undefined ? {} : { path }),
    ...(source === undefined ? {} : { source }),
  };
}

function readVcs(table: Placed | undefined): VcsReference | undefined {
  const url = optionalText(member(table, "git"));
  if (url === undefined) return undefined;
  const ref = optionalText(member(table, "rev") ?? member(table, "tag") ?? member(table, "branch"));
  const subdirectory = optionalText(member(table, "subdirectory"));
  return {
    kind: "git",
    url,
    ...(ref === undefined ? {} : { ref }),
    ...(subdirectory === undefined ? {} : { subdirectory }),
  };
}
