// SPDX-License-Identifier: Apache-2.0
/* The locks of Poetry and Pipenv as pinned requirements with hashes. */
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { normalizeName } from "../python/index.ts";
import { tableAt, tablesAt, textAt, textsAt } from "./toml.ts";
import type { Table } from "./toml.ts";

/**
 * poetry.lock, without optional packages and those of other groups than `groups`. Throws `E_LOCK` for what a pin of a
 * name and a version can't say.
 */
export function poetryPins(text: string, groups: readonly string[]): readonly string[] {
  const wanted = ["main", ...groups];
  return tablesAt(tomlTable(text), "package").flatMap((each) => {
    const own = textsAt(each, "groups");
    if (own.length > 0 && !own.some((group) => wanted.includes(group))) return [];
    if (each["category"] === "dev" || each["optional"] === true) return [];
    const name = textAt(each, "name") ?? "";
    const marker = markerOf(
      each,
      own.filter((group) => wanted.includes(group)),
    );
    const source = tableAt(each, "source");
    const type = textAt(source, "type");
    if (type === "git") return [gitLine(name, source, marker)];
    if (type === "directory" || type === "file") throw localSource(name);
    if (type === "url") return [`${normalizeName(name)} @ ${textAt(source, "url") ?? ""}${marked(marker)}`];
    const hashes = tablesAt(each, "files").map((file) => textAt(file, "hash") ?? "");
    return [pin(name, textAt(each, "version") ?? "", { hashes, marker })];
  });
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

function localSource(name: string): TareError {
  return new TareError("E_LOCK", `reading \`poetry.lock\`: \`${name}\` is a folder or file of this machine`, {
    hint: "write a pylock.toml, which can say that: `tare lock`",
  });
}

/** Pipfile.lock (a JSON file); `develop` is left out. Throws `E_LOCK`. */
export function pipfilePins(text: string): readonly string[] {
  const packages = tableAt(jsonTable(text), "default");
  return Object.keys(packages).map((name) => {
    const entry = tableAt(packages, name);
    const marker = textAt(entry, "markers");
    const git = textAt(entry, "git");
    if (git !== undefined) {
      return gitLine(name, { url: git, reference: textAt(entry, "ref"), subdirectory: entry["subdirectory"] }, marker);
    }
    const version = (textAt(entry, "version") ?? "").replace(/^==/, "");
    if (version !== "") return pin(name, version, { hashes: textsAt(entry, "hashes"), marker });
    throw new TareError("E_LOCK", `reading \`Pipfile.lock\`: \`${name}\` has no version`, {
      hint: "packages from folders need a pylock.toml: `tare lock`",
    });
  });
}

function pin(
  name: string,
  version: string,
  { hashes, marker }: { readonly hashes: readonly string[]; readonly marker: string | undefined },
): string {
  const sha256 = hashes.filter((hash) => hash.startsWith("sha256:")).map((hash) => ` --hash=${hash}`);
  return `${normalizeName(name)}==${version}${marked(marker)}${sha256.join("")}`;
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
