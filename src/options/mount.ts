// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { suggest } from "../base/index.ts";
import { parseCsvFields } from "./csv.ts";
import type { CsvField } from "./csv.ts";
import { parseBytes } from "./sizes.ts";
import { cut, quoted, usage } from "./usage.ts";

/** The kinds of mount that `--mount` knows. */
export type MountType = "bind" | "volume" | "tmpfs" | "image";

/** How a mount propagates between host and container. */
export type Propagation = "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave";

/** Options of a bind mount. */
export interface BindOptions {
  readonly propagation?: Propagation;
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
  readonly createSource?: boolean;
}

/** Options of a volume mount. */
export interface VolumeOptions {
  readonly noCopy?: boolean;
  readonly subpath?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** Options of a tmpfs mount; `options` holds further mount(8) options of `--tmpfs`. */
export interface TmpfsOptions {
  readonly sizeBytes?: number;
  readonly mode?: number;
  readonly options?: readonly string[];
}

/** A mount of a container. `source` is absent for tmpfs and anonymous volumes; `relabel` is `:z` or `:Z` of `-v`. */
export interface Mount {
  readonly type: MountType;
  readonly source?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly consistency?: string;
  readonly relabel?: "shared" | "private";
  readonly bind?: BindOptions;
  readonly volume?: VolumeOptions;
  readonly tmpfs?: TmpfsOptions;
  readonly image?: { readonly subpath: string };
}

const TYPES: readonly string[] = ["bind", "volume", "tmpfs", "image"];
const PROPAGATIONS: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
const RECURSIVE: readonly string[] = ["enabled", "disabled", "writable", "readonly"];
const ALIASES: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};
const FLAGS: ReadonlySet<string> = new Set(["readonly", "volume-nocopy", "bind-nonrecursive", "bind-create-src"]);
const REPEATED: ReadonlySet<string> = new Set(["volume-label", "volume-opt"]);
const KEYS: ReadonlySet<string> = new Set([
  ..."type source target readonly consistency bind-propagation bind-nonrecursive bind-recursive bind-create-src".split(
    " ",
  ),
  ..."volume-subpath volume-nocopy volume-label volume-driver volume-opt image-subpath tmpfs-size tmpfs-mode".split(
    " ",
  ),
]);

/** The settings of one `--mount`: single values by key, and the repeated ones. */
interface Settings {
  readonly values: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/**
 * Parses `--mount type=…,source=…,target=…`. A bind source that starts with `.` is taken from `cwd`. Throws `E_USAGE`
 * with Docker's text.
 */
export function parseMount(text: string, cwd: string): Mount {
  const trimmed = text.trim();
  if (trimmed === "") throw usage("value is empty", "for example type=bind,source=/data,target=/data");
  return toMount(readSettings(parseCsvFields(trimmed)), cwd);
}

function readSettings(fields: readonly CsvField[]): Settings {
  const values = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  for (const field of fields) {
    checkWhitespace(field);
    const written = field.key.toLowerCase();
    const key = (Object.hasOwn(ALIASES, written) ? ALIASES[written] : undefined) ?? written;
    if (field.value === undefined && !FLAGS.has(key)) {
      throw usage(`invalid field '${field.text}' must be a key=value pair`);
    }
    if (!KEYS.has(key)) throw unknownKey(field);
    const value = FLAGS.has(key) ? parseFlag(field) : (field.value ?? "");
    checkValue(key, value);
    if (REPEATED.has(key)) lists.set(key, [...(lists.get(key) ?? []), value]);
    else values.set(key, value);
  }
  return { values, lists };
}

function checkWhitespace({ key, value, text }: CsvField): void {
  const bare = key.trim();
  if (bare !== key) throw usage(`invalid option '${bare}' in '${text}': option should not have whitespace`);
  if (value === undefined) return;
  const trimmed = value.trim();
  if (trimmed === "") throw usage(`invalid value for '${key}': value is empty`);
  if (trimmed !== value) throw usage(`invalid value for '${key}' in '${text}': value should not have whitespace`);
}

function unknownKey(field: CsvField): Error {
  const guess = suggest(field.key, [...KEYS, ...Object.keys(ALIASES)]);
  return usage(
    `unknown option '${field.key}' in '${field.text}'`,
    guess === undefined ? undefined : `did you mean ${guess}?`,
  );
}

function parseFlag({ key, value }: CsvField): "true" | "false" {
  if (value === undefined || value === "true" || value === "1") return "true";
  if (value === "false" || value === "0") return "false";
  const choices = 'must be one of "true", "1", "false", or "0" (default "true")';
  throw usage(`invalid value for '${key}': invalid boolean value (${quoted(value)}): ${choices}`);
}

function checkValue(key: string, value: string): void {
  if (key === "type" && !TYPES.includes(value.toLowerCase())) {
    throw usage(`invalid value for type: ${value}`, `one of ${TYPES.join(", ")}`);
  }
  if (key === "bind-propagation" && !PROPAGATIONS.includes(value.toLowerCase())) {
    throw usage(`invalid value for bind-propagation: ${value}`, `one of ${PROPAGATIONS.join(", ")}`);
  }
  if (key === "bind-recursive" && !RECURSIVE.includes(value)) {
    const choices = 'must be "enabled", "disabled", "writable", or "readonly"';
    throw usage(`invalid value for bind-recursive: ${value} (${choices})`);
  }
  if (key === "tmpfs-mode" && !/^[0-7]{1,6}$/.test(value)) throw usage(`invalid value for tmpfs-mode: ${value}`);
}

function toMount(settings: Settings, cwd: string): Mount {
  const { values } = settings;
  const type = narrow<MountType>(values.get("type")?.toLowerCase() ?? "volume");
  const target = values.get("target");
  refuseForeign(settings, type);
  if (target === undefined) throw usage("target is required", "add target=/path/in/the/container");
  const source = sourceOf(type, values.get("source"), cwd);
  const consistency = values.get("consistency");
  const readOnly = values.get("readonly") === "true";
  return {
    type,
    ...(source === undefined ? {} : { source }),
    target: checkTarget(target),
    readOnly,
    ...(consistency === undefined ? {} : { consistency }),
    ...optionsOf(type, settings, readOnly),
  };
}

function refuseForeign({ values, lists }: Settings, type: MountType): void {
  for (const key of [...values.keys(), ...lists.keys()]) {
    const owner = /^(bind|volume|image|tmpfs)-/.exec(key)?.[1];
    if (owner !== undefined && owner !== type) {
      throw usage(`cannot mix '${owner}-*' options with mount type '${type}'`);
    }
  }
}

function sourceOf(type: MountType, source: string | undefined, cwd: string): string | undefined {
  if (type === "tmpfs" && source !== undefined) throw usage("cannot set 'source' with mount type 'tmpfs'");
  if ((type === "bind" || type === "image") && source === undefined) {
    throw usage(`source is required for mount type '${type}'`);
  }
  if (type !== "bind" || source === undefined) return source;
  if (/^[A-Za-z]:[\\/]/.test(source)) throw usage(`invalid mount source '${source}': Windows paths are not supported`);
  return /^\.{1,2}(?:\/|$)/.test(source) ? posix.resolve(cwd, source) : source;
}

/** A target inside the container, cleaned. Throws `E_USAGE` when it is not absolute or is `/`. */
export function checkTarget(target: string): string {
  if (!posix.isAbsolute(target)) throw usage(`invalid mount path: '${target}' mount path must be absolute`);
  const clean = posix.normalize(target).replace(/(?<=.)\/$/, "");
  if (clean === "/") throw usage("invalid mount target: destination can't be '/'");
  return clean;
}

function optionsOf(type: MountType, settings: Settings, readOnly: boolean): Partial<Mount> {
  if (type === "bind") return groupOf("bind", bindOptions(settings.values, readOnly));
  if (type === "volume") return groupOf("volume", volumeOptions(settings));
  if (type === "tmpfs") return groupOf("tmpfs", tmpfsOptions(settings.values));
  const subpath = settings.values.get("image-subpath");
  return subpath === undefined ? {} : { image: { subpath } };
}

function groupOf<K extends "bind" | "volume" | "tmpfs">(key: K, options: NonNullable<Mount[K]>): Partial<Mount> {
  return Object.keys(options).length === 0 ? {} : { [key]: options };
}

function bindOptions(values: ReadonlyMap<string, string>, readOnly: boolean): BindOptions {
  const propagation = values.get("bind-propagation")?.toLowerCase();
  const nonRecursive = values.get("bind-nonrecursive") === "true" ? "disabled" : undefined;
  const recursive = values.get("bind-recursive") ?? nonRecursive;
  if (recursive === "readonly" && (!readOnly || propagation !== "rprivate")) {
    const needed = readOnly ? "'bind-propagation=rprivate'" : "'readonly'";
    throw usage(`option 'bind-recursive=readonly' requires ${needed} to be specified in conjunction`);
  }
  return {
    ...(propagation === undefined ? {} : { propagation: narrow<Propagation>(propagation) }),
    ...(recursive === undefined ? {} : { recursive: narrow<NonNullable<BindOptions["recursive"]>>(recursive) }),
    ...(values.has("bind-create-src") ? { createSource: values.get("bind-create-src") === "true" } : {}),
  };
}

function volumeOptions({ values, lists }: Settings): VolumeOptions {
  const subpath = values.get("volume-subpath");
  const driver = values.get("volume-driver");
  const labels = toMap(lists.get("volume-label"));
  const driverOptions = toMap(lists.get("volume-opt"));
  return {
    ...(values.has("volume-nocopy") ? { noCopy: values.get("volume-nocopy") === "true" } : {}),
    ...(subpath === undefined ? {} : { subpath }),
    ...(labels === undefined ? {} : { labels }),
    ...(driver === undefined ? {} : { driver }),
    ...(driverOptions === undefined ? {} : { driverOptions }),
  };
}

function toMap(texts: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  if (texts === undefined) return undefined;
  const pairs = texts.map((text) => cut(text, "=")).filter(({ key }) => key !== "");
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value ?? ""]));
}

function tmpfsOptions(values: ReadonlyMap<string, string>): TmpfsOptions {
  const size = values.get("tmpfs-size");
  const mode = values.get("tmpfs-mode");
  return {
    ...(size === undefined ? {} : { sizeBytes: tmpfsSize(size) }),
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
  };
}

function tmpfsSize(text: string): number {
  try {
    return parseBytes(text);
  } catch {
    throw usage(`invalid value for tmpfs-size: ${text}`, "for example 64m");
  }
}

/** Only for values that were just checked against the list of the type's members. */
function narrow<T extends string>(value: string): T {
  return value as T;
}
