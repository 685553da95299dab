// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { csvFields } from "./csv.ts";
import type { DeviceRequest } from "./instruction.ts";
import { didYouMean, problem } from "./problem.ts";
import { cut, parseBoolean, quoted } from "./text.ts";

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const SHARING = ["shared", "private", "locked"] as const;

/** The kinds of `RUN --mount`. */
export type MountType = (typeof TYPES)[number];

/** How builds share a cache mount. */
export type CacheSharing = (typeof SHARING)[number];

/** One mount of a RUN; fields that were not given are undefined (empty values count as given where noted). */
export interface Mount {
  readonly type: MountType;
  readonly from: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readonly: boolean;
  /** Bytes; 0 when not limited. */
  readonly size: number;
  readonly id: string | undefined;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** Environment variable for a secret; the empty string asks for the default name. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

type Draft = { -readonly [Key in keyof Mount]: Mount[Key] } & { decided: boolean };
type Setter = (draft: Draft, value: string, key: string) => void;

const SETTERS: Readonly<Record<string, Setter>> = {
  type: setType,
  from: (draft, value) => void (draft.from = value),
  source: (draft, value) => void (draft.source = value),
  src: (draft, value) => void (draft.source = value),
  target: (draft, value) => void (draft.target = value),
  dst: (draft, value) => void (draft.target = value),
  destination: (draft, value) => void (draft.target = value),
  readonly: (draft, value, key) => setReadonly(draft, booleanValue(key, value)),
  ro: (draft, value, key) => setReadonly(draft, booleanValue(key, value)),
  readwrite: (draft, value, key) => setReadonly(draft, !booleanValue(key, value)),
  rw: (draft, value, key) => setReadonly(draft, !booleanValue(key, value)),
  required: setRequired,
  size: setSize,
  id: (draft, value) => void (draft.id = value),
  sharing: setSharing,
  mode: (draft, value) => void (draft.mode = unsigned("mode", value, 8)),
  uid: (draft, value) => void (draft.uid = unsigned("uid", value, 10)),
  gid: (draft, value) => void (draft.gid = unsigned("gid", value, 10)),
  env: (draft, value) => void (draft.env = value),
};

const WITHOUT_VALUE: ReadonlySet<string> = new Set(["readonly", "ro", "readwrite", "rw", "required"]);

/**
 * What can be said about a `--mount` value before variables are known: that it is a list of fields, and that `from`
 * names no variable. Throws `E_DF_MOUNT`.
 */
export function checkMount(text: string): void {
  for (const field of csvFields(text)) {
    const [key, value] = cut(field, "=");
    const dollar = value?.indexOf("$") ?? -1;
    if (key.toLowerCase() !== "from" || value === undefined || dollar < 0 || dollar === value.length - 1) continue;
    throw problem("E_DF_MOUNT", "'from' doesn't support variable expansion, define alias stage instead");
  }
}

/** Reads a `--mount` value; `expand` resolves the variables in each field's value. Throws `E_DF_MOUNT`. */
export function parseMount(text: string, expand: (word: string) => string): Mount {
  const draft = emptyDraft();
  for (const field of csvFields(text)) readField(draft, field, expand);
  checkDraft(draft);
  const { decided, ...mount } = draft;
  if (decided) return mount;
  return { ...mount, readonly: mount.type !== "cache" && mount.type !== "tmpfs" };
}

function emptyDraft(): Draft {
  return {
    type: "bind",
    from: undefined,
    source: undefined,
    target: undefined,
    readonly: true,
    size: 0,
    id: undefined,
    sharing: undefined,
    required: false,
    env: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    decided: false,
  };
}

function readField(draft: Draft, field: string, expand: (word: string) => string): void {
  const [written, raw] = cut(field, "=");
  const key = written.toLowerCase();
  if (raw === undefined && !WITHOUT_VALUE.has(key)) {
    throw problem("E_DF_MOUNT", `invalid field '${field}' must be a key=value pair`);
  }
  const value = raw === undefined ? "true" : expand(raw);
  const setter = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
  if (setter === undefined) {
    const hint = didYouMean(suggest(key, Object.keys(SETTERS)));
    throw problem("E_DF_MOUNT", `unexpected key '${key}' in '${field}'`, hint);
  }
  setter(draft, value, key);
}

function setType(draft: Draft, value: string): void {
  const type = TYPES.find((known) => known === value.toLowerCase());
  if (type !== undefined) draft.type = type;
  else
    throw problem(
      "E_DF_MOUNT",
      `unsupported mount type ${quoted(value)}`,
      didYouMean(suggest(value, TYPES)) ?? `the types are ${TYPES.join(", ")}`,
    );
}

function setSharing(draft: Draft, value: string): void {
  const sharing = SHARING.find((known) => known === value.toLowerCase());
  if (sharing !== undefined) draft.sharing = sharing;
  else
    throw problem(
      "E_DF_MOUNT",
      `unsupported sharing value ${quoted(value)}`,
      didYouMean(suggest(value, SHARING)) ?? `the values are ${SHARING.join(", ")}`,
    );
}

function setReadonly(draft: Draft, value: boolean): void {
  draft.readonly = value;
  draft.decided = true;
}

function setRequired(draft: Draft, value: string, key: string): void {
  if (draft.type !== "secret" && draft.type !== "ssh") throw unexpected(key, draft.type);
  draft.required = booleanValue(key, value);
}

function setSize(draft: Draft, value: string, key: string): void {
  if (draft.type !== "tmpfs") throw unexpected(key, draft.type);
  const size = byteSize(value);
  if (size === undefined) throw invalidValue(key, value);
  draft.size = size;
}

function unexpected(key: string, type: MountType): Error {
  return problem("E_DF_MOUNT", `unexpected key '${key}' for mount type '${type}'`);
}

function invalidValue(key: string, value: string): Error {
  return problem("E_DF_MOUNT", `invalid value for ${key}: ${value}`);
}

function booleanValue(key: string, value: string): boolean {
  const parsed = parseBoolean(value);
  if (parsed === undefined) throw invalidValue(key, value);
  return parsed;
}

function unsigned(key: string, value: string, base: 8 | 10): number {
  const parsed = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (parsed <= 0xff_ff_ff_ff) return parsed;
  throw problem("E_DF_MOUNT", `invalid value ${value} for ${key}`);
}

/** Bytes of `64m`, `1.5 GiB`, `1024`; undefined for anything else. */
function byteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?(?:b|([kmgtp])(?:i?b)?)?$/i.exec(text);
  if (match === null) return undefined;
  const power = " kmgtp".indexOf((match[2] ?? " ").toLowerCase());
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

function checkDraft(draft: Draft): void {
  const owned = draft.type === "secret" || draft.type === "ssh" || draft.type === "cache";
  const given = (["mode", "uid", "gid"] as const).find((key) => draft[key] !== undefined);
  if (!owned && given !== undefined) {
    throw problem("E_DF_MOUNT", `${given} not allowed for ${quoted(draft.type)} type mounts`);
  }
  if (draft.type === "secret") checkSecret(draft);
  if (draft.sharing !== undefined && draft.type !== "cache") {
    throw problem("E_DF_MOUNT", `invalid cache sharing set for ${draft.type} mount`);
  }
}

function checkSecret(draft: Draft): void {
  const has = (value: string | undefined): boolean => value !== undefined && value !== "";
  if (has(draft.from)) throw problem("E_DF_MOUNT", "secret mount should not have a from");
  if (draft.sharing !== undefined) throw problem("E_DF_MOUNT", "secret mount should not define sharing");
  if (!has(draft.source) && !has(draft.target) && !has(draft.id)) {
    throw problem("E_DF_MOUNT", "invalid secret mount. one of source, target required");
  }
  if (has(draft.source) && has(draft.id)) throw problem("E_DF_MOUNT", "both source and id can't be set");
}

/** Reads a `--device` value: `name`, `name=…`, `required[=…]`. Throws `E_DF_MOUNT`. */
export function parseDevice(text: string): DeviceRequest {
  let name = "";
  let required = false;
  for (const field of csvFields(text)) {
    const [written, value] = cut(field, "=");
    const key = written.toLowerCase();
    if (key === "required") required = value === undefined || booleanValue(key, value);
    else if (name === "") name = key === "name" && value !== undefined ? value : field;
    else throw deviceProblem(key, field, value, name);
  }
  return { name, required };
}

function deviceProblem(key: string, field: string, value: string | undefined, name: string): Error {
  if (value === undefined) return problem("E_DF_MOUNT", `invalid field '${field}' must be a key=value pair`);
  if (key === "name") return problem("E_DF_MOUNT", `device name already set to ${name}`);
  const hint = didYouMean(suggest(key, ["name", "required"]));
  return problem("E_DF_MOUNT", `unexpected key '${key}' in '${field}'`, hint);
}
