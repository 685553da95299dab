// SPDX-License-Identifier: Apache-2.0
/* Dependencies in the notations of tools, as lines of a requirements file. */
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { formatRequirement, normalizeName } from "../python/index.ts";
import { tableAt, textAt, textsAt } from "./toml.ts";
import type { PoetryDependency, PoetryTable } from "../python/index.ts";
import type { Table } from "./toml.ts";

/** `[tool.poetry.dependencies]`, with those of extras and groups that are asked for. */
export function poetryLines(
  poetry: PoetryTable,
  wanted: { readonly extras: readonly string[]; readonly groups: readonly string[] },
): readonly string[] {
  const optional = new Set(wanted.extras.flatMap((extra) => poetry.extras[normalizeName(extra)] ?? []));
  const own = poetry.dependencies.filter(
    ({ isOptional, requirement }) => !isOptional || optional.has(requirement.name),
  );
  const others = wanted.groups.flatMap((group) => poetry.groups[normalizeName(group)]?.dependencies ?? []);
  return [...own, ...others].map(poetryLine);
}

function poetryLine({ requirement, vcs, path, isEditable }: PoetryDependency): string {
  const { name, marker } = requirement;
  if (path !== undefined) return `${isEditable ? "-e " : ""}./${path.replace(/^\.\//, "")}`;
  if (vcs === undefined) return formatRequirement(requirement);
  const revision = vcs.ref === undefined ? "" : `@${vcs.ref}`;
  const inner = vcs.subdirectory === undefined ? "" : `#subdirectory=${vcs.subdirectory}`;
  return formatRequirement({
    name,
    extras: requirement.extras,
    specifier: "",
    url: `${vcs.kind}+${vcs.url}${revision}${inner}`,
    ...(marker === undefined ? {} : { marker }),
  });
}

/** `[packages]` of a Pipfile. Throws `E_REQUIREMENTS` when it is not TOML. */
export function pipfileLines(text: string): readonly string[] {
  const packages = tableAt(tomlTable(text), "packages");
  return Object.keys(packages).map((name) => pipfileLine(name, textAt(packages, name), tableAt(packages, name)));
}

function pipfileLine(name: string, version: string | undefined, table: Table): string {
  const path = textAt(table, "path");
  if (path !== undefined) return `${table["editable"] === true ? "-e " : ""}${path}`;
  const extras = textsAt(table, "extras");
  const start = `${name}${extras.length > 0 ? `[${extras.join(",")}]` : ""}`;
  const marker = textAt(table, "markers");
  const end = marker === undefined ? "" : ` ; ${marker}`;
  const git = textAt(table, "git");
  if (git !== undefined) return `${start} @ git+${git}@${textAt(table, "ref") ?? "HEAD"}${end}`;
  const wanted = version ?? textAt(table, "version") ?? "*";
  return `${start}${wanted === "*" ? "" : wanted}${end}`;
}

function tomlTable(text: string): Table {
  try {
    return parse(text);
  } catch (error) {
    throw new TareError("E_REQUIREMENTS", `reading \`Pipfile\`: ${messageOf(error).split("\n")[0] ?? ""}`, {
      hint: "it is not TOML",
    });
  }
}
