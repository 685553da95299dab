// SPDX-License-Identifier: Apache-2.0
/* The note of a layer made of wheels, as it comes from another machine. */
import { canonicalJson, isDigest } from "../../base/index.ts";
import { isPath, parseScheme } from "../target/base-facts.ts";
import type { Digest } from "../../base/index.ts";
import type { WheelLayer } from "./layer-source.ts";
import type { InstallSettings } from "./layer-files.ts";
import type { LeftOut } from "./slim-report.ts";

type Members = Readonly<Record<string, unknown>>;
type LayerWheel = WheelLayer["wheels"][number];

const MOST_WHEELS = 10_000;
const POLICIES = ["imported", "all", "none"] as const;
const WHEEL_NAME = /^[A-Za-z0-9][\w.+!-]{0,250}\.whl$/;

/** The note of a layer whose step is known. */
export interface KeyedWheelLayer extends WheelLayer {
  readonly key: Digest;
}

/** What a layer was made of, from unchecked JSON; undefined when a part is not what it must be. */
export function parseWheelLayer(value: unknown): KeyedWheelLayer | undefined {
  const members = membersOf(value);
  const key = members?.["key"];
  const settings = members && settingsOf(members["settings"]);
  const bytecode = POLICIES.find((policy) => policy === members?.["bytecode"]);
  const wheels = members && listOf(members["wheels"], wheelOf);
  const leftOut = members?.["leftOut"] === undefined ? [] : listOf(members["leftOut"], leftOutOf);
  if (!isDigestText(key) || !settings || !bytecode || !wheels || !leftOut || wheels.length === 0) return undefined;
  const layer = { key, wheels, settings, bytecode, ...(leftOut.length > 0 ? { leftOut } : {}) };
  // A part that is not known here would be lost, and another layer would be made.
  return canonicalJson(layer) === canonicalJson(value) ? layer : undefined;
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** All of a list, or nothing. */
function listOf<T>(value: unknown, read: (members: Members) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > MOST_WHEELS) return undefined;
  const entries: T[] = [];
  for (const one of value) {
    const members = membersOf(one);
    const entry = members && read(members);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return entries;
}

function wheelOf(members: Members): LayerWheel | undefined {
  const { name, version, fileName, digest, isRequested, bytecode } = members;
  if (!isShort(name) || !isShort(version) || typeof isRequested !== "boolean") return undefined;
  if (!isText(fileName, WHEEL_NAME) || !isDigestText(digest)) return undefined;
  if (bytecode !== undefined && !isDigestText(bytecode)) return undefined;
  const direct = members["direct"] === undefined ? undefined : membersOf(members["direct"]);
  if (members["direct"] !== undefined && direct === undefined) return undefined;
  return {
    name,
    version,
    fileName,
    digest,
    isRequested,
    ...(direct === undefined ? {} : { direct }),
    ...(bytecode === undefined ? {} : { bytecode }),
  };
}

function settingsOf(value: unknown): InstallSettings | undefined {
  const members = membersOf(value);
  const scheme = members && parseScheme(members["scheme"]);
  const { executable, python, slim, installer } = members ?? {};
  if (!scheme || !isPath(executable) || !isShort(python)) return undefined;
  if (installer !== undefined && installer !== "uv") return undefined;
  if (!Array.isArray(slim) || slim.length > 100) return undefined;
  const rules = slim.filter((rule) => isShort(rule));
  if (rules.length !== slim.length) return undefined;
  return { scheme, executable, python, slim: rules, ...(installer === undefined ? {} : { installer }) };
}

function leftOutOf({ rule, files, size }: Members): LeftOut | undefined {
  if (!isShort(rule) || !isCount(files) || !isCount(size)) return undefined;
  return { rule, files, size };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && value.length < 4096 && pattern.test(value);
}

function isShort(value: unknown): value is string {
  return isText(value, /^[^\p{Cc}]{1,300}$/u);
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}
