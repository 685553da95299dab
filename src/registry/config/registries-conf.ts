// SPDX-License-Identifier: Apache-2.0
/*
 * `registries.conf` of podman, buildah and skopeo (containers-registries.conf(5), version 2): which registries are
 * blocked, insecure, elsewhere, or have mirrors.
 *
 *   CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf, else /etc/containers/registries.conf
 *   then *.conf in /etc/containers/registries.conf.d and ~/.config/containers/registries.conf.d, which win
 *
 * Short names are not looked up here: `python` is Docker Hub's, as in Docker. Who has the name on a registry of the
 * search list that nobody thought of would otherwise be run.
 */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { parse } from "smol-toml";
import { TareError, ioError, messageOf, readTextIfPresent, systemErrorCode } from "../../base/index.ts";
import type { ConfigPlace } from "../docker-config.ts";

/** Which names a mirror may be asked for. */
export type MirrorUse = "all" | "digest" | "tag";

/** A mirror of a rule. */
export interface MirrorRule {
  /** `host[:port][/namespace]`, instead of the rule's prefix. */
  readonly location: string;
  readonly insecure: boolean;
  readonly use: MirrorUse;
}

/** What holds for names with a prefix. */
export interface RegistryRule {
  /** `host[:port][/namespace…]`, or `*.domain`. */
  readonly prefix: string;
  /** What stands in place of the prefix on pulls; absent: the prefix itself. */
  readonly location?: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
  /** The file that says so. */
  readonly file: string;
}

type Table = Readonly<Record<string, unknown>>;

/** The rules of all files, a prefix once. Throws `E_REGISTRY_CONFIG` for a file that is malformed. */
export function readRegistryRules(place: ConfigPlace): readonly RegistryRule[] {
  const rules = new Map<string, RegistryRule>();
  for (const path of configFiles(place)) {
    for (const rule of rulesIn(path)) rules.set(rule.prefix, rule);
  }
  return [...rules.values()];
}

function configFiles({ env, home, etc = "/etc" }: ConfigPlace): readonly string[] {
  const own = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers");
  const system = join(etc, "containers");
  const named = env["CONTAINERS_REGISTRIES_CONF"];
  const isOwn = fs.existsSync(join(own, "registries.conf"));
  const main = named || join(isOwn ? own : system, "registries.conf");
  // A file that a variable names stands alone, as in podman.
  const more = named ? [] : [system, own].flatMap((folder) => confFilesIn(join(folder, "registries.conf.d")));
  return [main, ...more];
}

function confFilesIn(folder: string): readonly string[] {
  try {
    const names = fs.readdirSync(folder).filter((name) => name.endsWith(".conf"));
    return names.toSorted().map((name) => join(folder, name));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw ioError(`reading \`${folder}\``, error);
  }
}

function rulesIn(path: string): readonly RegistryRule[] {
  const text = readTextIfPresent(path);
  // Distributions bring long files of aliases without a rule in them.
  if (text === undefined || !/^\s*\[\[?\s*registr/m.test(text)) return [];
  let root: Table;
  try {
    root = parse(text);
  } catch (error) {
    throw malformed(path, messageOf(error).split("\n", 1)[0] ?? "");
  }
  return [...oldRules(root, path), ...tablesOf(root["registry"]).map((table) => ruleOf(table, path))];
}

/** Version 1: lists of registries. */
function oldRules(root: Table, file: string): readonly RegistryRule[] {
  const lists = isTable(root["registries"]) ? root["registries"] : {};
  const listed = (name: string): readonly string[] => {
    const table = lists[name];
    const found = isTable(table) ? table["registries"] : undefined;
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  };
  const [insecure, block] = [listed("insecure"), listed("block")];
  return [...new Set([...insecure, ...block])].map((prefix) => ({
    prefix: prefixOf(prefix, file),
    insecure: insecure.includes(prefix),
    blocked: block.includes(prefix),
    mirrors: [],
    file,
  }));
}

function ruleOf(table: Table, file: string): RegistryRule {
  const location = textOf(table, "location", file);
  const prefix = textOf(table, "prefix", file) ?? location;
  if (prefix === undefined) throw malformed(file, "a [[registry]] has neither prefix nor location");
  const digestOnly = flagOf(table, "mirror-by-digest-only", file);
  const mirrors = tablesOf(table["mirror"]).map((mirror) => mirrorOf(mirror, digestOnly, file));
  return {
    prefix: prefixOf(prefix, file),
    ...(location === undefined ? {} : { location: placeOf(location, file) }),
    insecure: flagOf(table, "insecure", file),
    blocked: flagOf(table, "blocked", file),
    mirrors,
    file,
  };
}

function mirrorOf(table: Table, digestOnly: boolean, file: string): MirrorRule {
  const location = textOf(table, "location", file);
  if (location === undefined) throw malformed(file, "a [[registry.mirror]] has no location");
  const from = textOf(table, "pull-from-mirror", file) ?? (digestOnly ? "digest-only" : "all");
  if (!Object.hasOwn(USES, from)) throw malformed(file, `pull-from-mirror \`${from.slice(0, 40)}\` is unknown`);
  return {
    location: placeOf(location, file),
    insecure: flagOf(table, "insecure", file),
    use: USES[from] ?? "all",
  };
}

const USES: Readonly<Record<string, MirrorUse>> = { all: "all", "digest-only": "digest", "tag-only": "tag" };
const PLACE = /^[A-Za-z0-9.[\]:-]+(?:\/[a-z0-9._-]+)*$/;

function prefixOf(text: string, file: string): string {
  if (text.startsWith("*.") && PLACE.test(text.slice(2)) && !text.includes("/")) return text;
  return placeOf(text, file);
}

function placeOf(text: string, file: string): string {
  const place = text.replace(/\/+$/, "");
  if (PLACE.test(place)) return place;
  const hint = /^[a-z]+:\/\//i.test(text) ? "leave out the scheme" : undefined;
  throw malformed(file, `\`${text.slice(0, 100)}\` is no host[:port][/namespace]`, hint);
}

function textOf(table: Table, name: string, file: string): string | undefined {
  const value = table[name];
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string") return value;
  throw malformed(file, `${name} is no string`);
}

function flagOf(table: Table, name: string, file: string): boolean {
  const value = table[name] ?? false;
  if (typeof value === "boolean") return value;
  throw malformed(file, `${name} is neither true nor false`);
}

function tablesOf(value: unknown): readonly Table[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(path: string, why: string, hint?: string): TareError {
  return new TareError("E_REGISTRY_CONFIG", `reading \`${path}\`: ${why}`, {
    hint: hint ?? `mend ${basename(path)}, or name another file in CONTAINERS_REGISTRIES_CONF`,
  });
}
