// SPDX-License-Identifier: Apache-2.0
/*
 * All that the build of a project wants to know of its base's files. It depends on the base alone, so it is remembered
 * by the base's image id, here and at the registry that images are pushed to.
 */
import { canonicalJson, imageOwner, isDigest } from "../../base/index.ts";
import { readFileInTree } from "../../store/index.ts";
import { findInterpreter, installedDistributions } from "./interpreter.ts";
import type { Digest } from "../../base/index.ts";
import type { SourceTree, Store } from "../../store/index.ts";
import type { InstallScheme, PythonTarget } from "../types.ts";
import type { ImageFacts, InstalledDistribution } from "./interpreter.ts";

/** Changes when more or something else is found in the same files. */
const VERSION_OF_FACTS = 2;

/** A base as a project sees it. */
export interface BaseFacts {
  readonly version: typeof VERSION_OF_FACTS;
  readonly target: PythonTarget;
  /** `/etc/passwd` and `/etc/group`; empty when missing. */
  readonly passwd: string;
  readonly group: string;
  /** `/etc` and `/home` are what they are everywhere, and there is no `/app`: the project's layers can stand alone. */
  readonly isPlain: boolean;
  /** Distributions where ours are installed. */
  readonly installed: readonly InstalledDistribution[];
}

/** Looks at a base's files. Throws `E_PYTHON_NOTFOUND`. */
export function findBaseFacts(tree: SourceTree, facts: ImageFacts): BaseFacts {
  const text = (path: string): string => readFileInTree(tree, path)?.toString("utf8") ?? "";
  const isUsual = (path: string): boolean => {
    const entry = tree.lookup(path);
    if (!entry) return true;
    const { uid, gid } = imageOwner(entry.stats);
    return entry.stats.isDirectory() && uid === 0 && gid === 0 && (entry.stats.mode & 0o7777) === 0o755;
  };
  const target = findInterpreter(tree, facts);
  return {
    version: VERSION_OF_FACTS,
    target,
    installed: installedDistributions(tree, target),
    passwd: text("etc/passwd"),
    group: text("etc/group"),
    isPlain: ["etc", "home"].every(isUsual) && ["app", "home/app"].every((path) => tree.lookup(path) === undefined),
  };
}

/** Documents by image id. */
const BASES = "base-facts";

/** What is remembered of a base. */
export function knownBase(store: Store, id: Digest): BaseFacts | undefined {
  const value: unknown = store.documents<unknown>(BASES, { lasting: false }).get(id);
  return parseBaseFacts(value);
}

/** Remembers what was found in a base. */
export function noteBase(store: Store, id: Digest, facts: BaseFacts): void {
  store.documents<BaseFacts>(BASES, { lasting: false }).put(id, facts);
}

/** Facts of a base from outside; undefined when they are not whole. */
export function parseBaseFacts(value: unknown): BaseFacts | undefined {
  const { version, target, passwd, group, isPlain, installed } = membersOf(value);
  if (version !== VERSION_OF_FACTS) return undefined;
  const parsed = parseTarget(target);
  // A part that is not known here would be lost, and other layers would be made: the base is looked at again then.
  if (canonicalJson(parsed) !== canonicalJson(target)) return undefined;
  if (!parsed || typeof passwd !== "string" || typeof group !== "string" || typeof isPlain !== "boolean") {
    return undefined;
  }
  if (passwd.length + group.length > MOST_TEXT || !areInstalled(installed)) return undefined;
  return { version, target: parsed, passwd, group, isPlain, installed };
}

const MOST_TEXT = 1 << 16;
const ARCHITECTURE = /^[a-z0-9_]{1,20}$/;
const VERSION = /^3\.\d{1,3}\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?$/;

function parseTarget(value: unknown): PythonTarget | undefined {
  const { implementation, version, architecture, libc, executable, scheme, isFreeThreaded } = membersOf(value);
  const [name, library, places] = [implementation, membersOf(libc), parseScheme(scheme)];
  if (name !== "cpython" && name !== "pypy") return undefined;
  if (!matches(version, VERSION) || !matches(architecture, ARCHITECTURE) || !isPath(executable)) return undefined;
  if (!places) return undefined;
  const { kind, version: libcVersion } = library;
  if ((kind !== "glibc" && kind !== "musl") || !matches(libcVersion, /^\d{1,3}\.\d{1,3}$/)) return undefined;
  return {
    implementation: name,
    version,
    architecture,
    libc: { kind, version: libcVersion },
    executable,
    scheme: places,
    ...(isFreeThreaded === true ? { isFreeThreaded } : {}),
  };
}

/** Where distributions go, from outside; undefined when it is no such thing. */
export function parseScheme(value: unknown): InstallScheme | undefined {
  const { purelib, platlib, scripts, headers, data, links } = membersOf(value);
  if (links !== undefined && !areLinks(links)) return undefined;
  if (!isPath(purelib) || !isPath(platlib) || !isPath(scripts) || !isPath(headers) || !isPath(data)) return undefined;
  return { purelib, platlib, scripts, headers, data, ...(links === undefined ? {} : { links }) };
}

const MOST_INSTALLED = 5000;

function areInstalled(value: unknown): value is readonly InstalledDistribution[] {
  if (!Array.isArray(value) || value.length > MOST_INSTALLED) return false;
  return value.every((row: unknown) => {
    const { name, version, path, ...more } = membersOf(row);
    const isNamed = matches(name, /^[a-z0-9-]{1,200}$/) && matches(version, /^[\w.+!]{1,100}$/);
    return isNamed && typeof path === "string" && isPath(`/${path}`) && Object.keys(more).length === 0;
  });
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function areLinks(value: unknown): value is Readonly<Record<string, string>> {
  return Object.entries(membersOf(value)).every(([from, to]) => isPath(from) && isPath(to));
}

/** An absolute path that leads nowhere else. */
export function isPath(value: unknown): value is string {
  return typeof value === "string" && /^(?:\/[\w.+@-]+)+$/.test(value) && !/\/\.\.?(?:\/|$)/.test(value);
}

/** A base of a memo: its image id and what is known of it. */
export interface NotedBase {
  readonly id: Digest;
  readonly facts: BaseFacts;
}

/** Bases from outside; what is none is left out. */
export function parseNotedBases(value: unknown): readonly NotedBase[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((row: unknown): NotedBase[] => {
    const { id, facts } = membersOf(row);
    const parsed = parseBaseFacts(facts);
    return typeof id === "string" && isDigest(id) && parsed ? [{ id, facts: parsed }] : [];
  });
}
