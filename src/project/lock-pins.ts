// SPDX-License-Identifier: Apache-2.0
/* The locks of Poetry and Pipenv as pinned requirements with hashes. */
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { formatMarker, normalizeName, parseMarker } from "../python/index.ts";
import { withExtras } from "./marker-extras.ts";
import { tableAt, tablesAt, textAt, textsAt } from "./toml.ts";
import type { Table } from "./toml.ts";

/** Extras and groups that are asked for besides the main ones; normalised. */
export interface PinsWanted {
  readonly extras: readonly string[];
  readonly groups: readonly string[];
}

/** poetry.lock: its main group, and what is asked for. Throws `E_LOCK` when it is not TOML. */
export function poetryPins(text: string, wanted: PinsWanted): readonly string[] {
  const root = tomlTable(text);
  const packages = tablesAt(root, "package");
  const groups = ["main", ...wanted.groups];
  const optional = optionalNames(packages, tableAt(root, "extras"), wanted.extras);
  const chosen = packages.filter((each) => {
    const isWanted = groupsOf(each).some((group) => groups.includes(group));
    return isWanted && (each["optional"] !== true || namesExtra(each) || optional.has(nameOf(each)));
  });
  const indexes = chosen.map((each) => tableAt(each, "source")).filter((source) => textAt(source, "type") === "legacy");
  const urls = new Set(indexes.flatMap((source) => textAt(source, "url") ?? []));
  const lines = chosen.flatMap((each) => poetryLine(each, groups, wanted.extras));
  return [...[...urls].map((url) => `--extra-index-url ${url}`), ...lines];
}

function groupsOf(each: Table): readonly string[] {
  const own = textsAt(each, "groups");
  return own.length > 0 ? own : [each["category"] === "dev" ? "dev" : "main"];
}

function nameOf(each: Table): string {
  return normalizeName(textAt(each, "name") ?? "");
}

/** Lock version 2.1 says in the marker which extra brings an optional package. */
function namesExtra(each: Table): boolean {
  return /\bextra\b/.test(JSON.stringify(each["markers"] ?? ""));
}

/** Before it, an optional package does not tell its extra: those that extras lead to. */
function optionalNames(packages: readonly Table[], extras: Table, wanted: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const named = packages.filter((each) => nameOf(each) === name);
    for (const next of named.flatMap((each) => Object.keys(tableAt(each, "dependencies")))) follow(normalizeName(next));
  };
  for (const extra of Object.keys(extras).filter((each) => wanted.includes(normalizeName(each)))) {
    for (const name of textsAt(extras, extra)) follow(normalizeName(name.replace(/[\s([].*$/, "")));
  }
  return found;
}

function poetryLine(each: Table, groups: readonly string[], extras: readonly string[]): readonly string[] {
  const name = textAt(each, "name") ?? "";
  const marker = decided(
    markerOf(
      each,
      textsAt(each, "groups").filter((group) => groups.includes(group)),
    ),
    extras,
  );
  if (marker === false) return [];
  const hashes = tablesAt(each, "files").map((file) => textAt(file, "hash") ?? "");
  const source = tableAt(each, "source");
  const url = textAt(source, "url") ?? "";
  switch (textAt(source, "type")) {
    case "git":
      return [gitLine(name, source, marker)];
    case "url":
      return [`${normalizeName(name)} @ ${url}${marked(marker)}${hashed(hashes)}`];
    case "directory":
    case "file":
      return [`${each["develop"] === true ? "-e " : ""}./${url.replace(/^\.\//, "")}${marked(marker)}`];
    default:
      return [pin(name, textAt(each, "version") ?? "", { hashes, marker })];
  }
}

/** A marker for uv, which knows no extras here: false when it can't hold. */
function decided(marker: string | undefined, extras: readonly string[]): string | undefined | false {
  if (marker === undefined || !/\bextra\b/.test(marker)) return marker;
  const found = withExtras(parseMarker(marker), extras);
  if (found === false) return false;
  return found === true ? undefined : formatMarker(found);
}

/** One marker, or one for each group, of which any may hold. */
function markerOf(each: Table, groups: readonly string[]): string | undefined {
  const own = textAt(each, "markers");
  if (own !== undefined) return own;
  const table = tableAt(each, "markers");
  const markers = groups.map((group) => textAt(table, group));
  if (markers.length === 0 || markers.includes(undefined)) return undefined;
  return markers.map((marker) => `(${marker ?? ""})`).join(" or ");
}

function gitLine(name: string, source: Table, marker: string | undefined): string {
  const revision = textAt(source, "resolved_reference") ?? textAt(source, "reference") ?? "HEAD";
  const folder = textAt(source, "subdirectory");
  const inner = folder === undefined ? "" : `#subdirectory=${folder}`;
  return `${normalizeName(name)} @ git+${textAt(source, "url") ?? ""}@${revision}${inner}${marked(marker)}`;
}

/** Pipfile.lock (a JSON file): `default`, and the categories that are asked for. Throws `E_LOCK`. */
export function pipfilePins(text: string, wanted: Pick<PinsWanted, "groups">): readonly string[] {
  const root = jsonTable(text);
  const categories = ["default", ...wanted.groups.map((group) => (group === "dev" ? "develop" : group))];
  const entries = categories.map((category) => tableAt(root, category));
  const names = new Map(entries.flatMap((table) => Object.keys(table).map((name) => [name, tableAt(table, name)])));
  return [...names].map(([name, entry]) => pipfileLine(name, entry));
}

function pipfileLine(name: string, entry: Table): string {
  const marker = textAt(entry, "markers");
  const [git, file, path] = [textAt(entry, "git"), textAt(entry, "file"), textAt(entry, "path")];
  if (git !== undefined) {
    return gitLine(name, { url: git, reference: textAt(entry, "ref"), subdirectory: entry["subdirectory"] }, marker);
  }
  if (file !== undefined) return `${normalizeName(name)} @ ${file}${marked(marker)}${hashed(textsAt(entry, "hashes"))}`;
  if (path !== undefined) return `${entry["editable"] === true ? "-e " : ""}${path}${marked(marker)}`;
  const version = (textAt(entry, "version") ?? "").replace(/^==/, "");
  if (version !== "") return pin(name, version, { hashes: textsAt(entry, "hashes"), marker });
  throw new TareError("E_LOCK", `reading \`Pipfile.lock\`: \`${name}\` has no version`, {
    hint: "make it again with `pipenv lock`",
  });
}

function pin(
  name: string,
  version: string,
  { hashes, marker }: { readonly hashes: readonly string[]; readonly marker: string | undefined },
): string {
  // Pipenv writes `*` where the machine that locked had no use for the package.
  return `${normalizeName(name)}${version === "*" ? "" : `==${version}`}${marked(marker)}${hashed(hashes)}`;
}

function hashed(hashes: readonly string[]): string {
  return hashes.flatMap((hash) => (hash.startsWith("sha256:") ? [` --hash=${hash}`] : [])).join("");
}

function marked(marker: string | undefined): string {
  return marker === undefined ? "" : ` ; ${marker}`;
}

function tomlTable(text: string): Table {
  try {
    return parse(text);
  } catch (error) {
    throw unreadable("poetry.lock", messageOf(error).split("\n")[0] ?? "", "`poetry lock`");
  }
}

function jsonTable(text: string): Table {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw unreadable("Pipfile.lock", messageOf(error), "`pipenv lock`");
  }
  throw unreadable("Pipfile.lock", "it is not an object", "`pipenv lock`");
}

function unreadable(file: string, why: string, tool: string): TareError {
  return new TareError("E_LOCK", `reading \`${file}\`: ${why}`, { hint: `make it again with ${tool}` });
}
