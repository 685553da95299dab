// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import type { GpuConfig, TareConfig } from "./types.ts";

type Draft = { -readonly [Key in keyof TareConfig]: TareConfig[Key] };
type Setter = (draft: Draft, value: unknown, key: string) => void;

const SETTERS: Readonly<Record<string, Setter>> = {
  base: (draft, value, key) => void (draft.base = text(value, key)),
  python: (draft, value, key) => void (draft.python = version(value, key)),
  packages: (draft, value, key) => void (draft.packages = debian(value, key)),
  "build-packages": (draft, value, key) => void (draft.buildPackages = debian(value, key)),
  entrypoint: (draft, value, key) => void (draft.entrypoint = words(value, key)),
  command: (draft, value, key) => void (draft.command = words(value, key)),
  user: (draft, value, key) => void (draft.user = text(value, key)),
  env: (draft, value, key) => void (draft.env = record(value, key)),
  labels: (draft, value, key) => void (draft.labels = record(value, key)),
  expose: (draft, value, key) => void (draft.expose = ports(value, key)),
  include: (draft, value, key) => void (draft.include = texts(value, key)),
  exclude: (draft, value, key) => void (draft.exclude = texts(value, key)),
  extras: (draft, value, key) => void (draft.extras = texts(value, key)),
  groups: (draft, value, key) => void (draft.groups = texts(value, key)),
  accelerator: (draft, value, key) => void (draft.accelerator = text(value, key)),
  layers: (draft, value, key) => void (draft.layers = count(value, key)),
  bytecode: (draft, value, key) => void (draft.bytecode = policy(value, key)),
  slim: (draft, value, key) => void (draft.slim = texts(value, key)),
  gpu: (draft, value, key) => void (draft.gpu = gpuConfig(value, key)),
  package: (draft, value, key) => void (draft.isPackage = flag(value, key)),
};

/** The keys of `[tool.tare]` besides `targets`. */
export const CONFIG_KEYS: readonly string[] = Object.keys(SETTERS);

const EMPTY: TareConfig = {
  packages: [],
  buildPackages: [],
  env: {},
  labels: {},
  expose: [],
  include: [],
  exclude: [],
  extras: [],
  groups: [],
};

/**
 * Reads `[tool.tare]`; `[tool.tare.targets.NAME]` overrides what stands above for `--target NAME`. Throws `E_CONFIG`
 * for an unknown key, a value of another kind, an unknown target.
 */
export function readConfig(
  table: Readonly<Record<string, unknown>>,
  target: string | undefined,
  file: string,
): TareConfig {
  const draft: Draft = { ...EMPTY };
  const { targets, ...own } = table;
  try {
    apply(draft, own);
    const named = isTable(targets) ? targets : {};
    if (target !== undefined) {
      const chosen = named[target];
      if (!isTable(chosen))
        throw problem(`there is no target \`${target}\``, hintFor(target, Object.keys(named), "targets"));
      apply(draft, chosen);
    }
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    throw new TareError("E_CONFIG", `reading ${file}: ${error.message}`, { hint: error.hint });
  }
  return draft;
}

class ConfigProblem extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

function problem(message: string, hint: string): ConfigProblem {
  return new ConfigProblem(message, hint);
}

function hintFor(name: string, known: readonly string[], what: string): string {
  const near = suggest(name, known);
  return near === undefined ? `${what}: ${known.join(", ") || "none"}` : `did you mean \`${near}\``;
}

function apply(draft: Draft, table: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(table)) {
    const setter = SETTERS[key];
    if (!setter) throw problem(`unknown key \`${key}\``, hintFor(key, [...CONFIG_KEYS, "targets"], "keys"));
    setter(draft, value, key);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown, key: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw problem(`\`${key}\` is not a string`, `write ${key} = "…"`);
}

function version(value: unknown, key: string): string {
  const given = text(value, key);
  if (/^3\.\d+(?:\.\d+)?$/.test(given)) return given;
  throw problem(`\`${key}\` is not a version of Python 3`, `write ${key} = "3.11"`);
}

function texts(value: unknown, key: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw problem(`\`${key}\` is not a list of strings`, `write ${key} = ["…"]`);
}

/** Names of Debian packages, `name` or `name=version`: they become words of a command. */
function debian(value: unknown, key: string): readonly string[] {
  const names = texts(value, key);
  const bad = names.find((name) => !/^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?(?:=[\w.+:~-]+)?$/.test(name));
  if (bad === undefined) return names;
  throw problem(`\`${key}\` has \`${bad.slice(0, 40)}\`, which is no Debian package`, `write ${key} = ["libgomp1"]`);
}

/** A list, or one string for a shell. */
function words(value: unknown, key: string): readonly string[] {
  return typeof value === "string" && value !== "" ? ["/bin/sh", "-c", value] : texts(value, key);
}

function record(value: unknown, key: string): Readonly<Record<string, string>> {
  if (isTable(value) && Object.values(value).every((item) => /^(?:string|number|boolean|bigint)$/.test(typeof item))) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, String(item)]));
  }
  throw problem(`\`${key}\` is not a table of strings`, `write [tool.tare.${key}] and a line NAME = "value" for each`);
}

function ports(value: unknown, key: string): readonly string[] {
  const list = (Array.isArray(value) ? value : [value]).map(String);
  const bad = list.find((port) => !/^\d{1,5}(?:\/(?:tcp|udp|sctp))?$/.test(port));
  if (bad === undefined) return list;
  throw problem(`\`${key}\` has \`${bad.slice(0, 40)}\`, which is no port`, `write ${key} = [8000]`);
}

function count(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= 100) return value;
  throw problem(`\`${key}\` is not a number from 1 to 100`, `write ${key} = 48`);
}

function flag(value: unknown, key: string): boolean {
  if (typeof value === "boolean") return value;
  throw problem(`\`${key}\` is neither true nor false`, `write ${key} = false`);
}

function policy(value: unknown, key: string): "imported" | "all" | "none" {
  if (value === "imported" || value === "all" || value === "none") return value;
  throw problem(`\`${key}\` is none of imported, all, none`, `write ${key} = "imported"`);
}

const GPU_KEYS: readonly string[] = ["targets", "check"];

/** Targets stay text here: what they say is read where they are used. */
function gpuConfig(value: unknown, key: string): GpuConfig {
  if (!isTable(value))
    throw problem(`\`${key}\` is not a table`, 'write [tool.tare.gpu.targets] and a line NAME = "driver=535,sm=70"');
  const unknown = Object.keys(value).find((name) => !GPU_KEYS.includes(name));
  if (unknown !== undefined) throw problem(`unknown key \`${key}.${unknown}\``, hintFor(unknown, GPU_KEYS, "keys"));
  const { targets = {}, check } = value;
  return {
    targets: record(targets, `${key}.targets`),
    ...(check === undefined ? {} : { check: gpuCheck(check, `${key}.check`) }),
  };
}

function gpuCheck(value: unknown, key: string): "error" | "warn" | "off" {
  if (value === "error" || value === "warn" || value === "off") return value;
  throw problem(`\`${key}\` is none of error, warn, off`, `write ${key.split(".").at(-1) ?? key} = "warn"`);
}
