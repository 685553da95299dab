// SPDX-License-Identifier: Apache-2.0
/**
 * Versions (PEP 440). Numbers stay decimal text: a segment such as `20230101123456789012` must not lose digits, and a
 * local segment such as `1e5` is a word.
 */
import { TareError } from "../../base/index.ts";

/** A version in parts; every number is decimal text without leading zeros. */
export interface PythonVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly pre?: { readonly letter: "a" | "b" | "rc"; readonly number: string };
  readonly post?: string;
  readonly dev?: string;
  readonly local?: readonly string[];
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;

/** The version in parts, or undefined when the text is none. White space around it is ignored. */
export function parseVersion(text: string): PythonVersion | undefined {
  const match = VERSION.exec(text.trim());
  if (match === null) return undefined;
  const [, epoch, release = "", pre, preNumber, implicitPost, postWord, postNumber, devWord, devNumber, local] = match;
  const post = postWord === undefined ? implicitPost : (postNumber ?? "");
  return {
    epoch: decimal(epoch),
    release: release.split(".").map(decimal),
    ...(pre === undefined ? {} : { pre: { letter: preLetter(pre), number: decimal(preNumber) } }),
    ...(post === undefined ? {} : { post: decimal(post) }),
    ...(devWord === undefined ? {} : { dev: decimal(devNumber) }),
    ...(local === undefined ? {} : { local: local.toLowerCase().split(/[-_.]/).map(localPart) }),
  };
}

function decimal(digits: string | undefined): string {
  return (digits ?? "").replace(/^0+/, "") || "0";
}

function localPart(part: string): string {
  return /^\d+$/.test(part) ? decimal(part) : part;
}

function preLetter(word: string): "a" | "b" | "rc" {
  const letter = word.toLowerCase();
  if (letter.startsWith("a")) return "a";
  return letter.startsWith("b") ? "b" : "rc";
}

/** The normal form of a version in parts; release segments are kept (`1.0` stays `1.0`). */
export function formatVersion(version: PythonVersion): string {
  const { epoch, release, pre, post, dev, local } = version;
  return [
    epoch === "0" ? "" : `${epoch}!`,
    release.join("."),
    pre === undefined ? "" : `${pre.letter}${pre.number}`,
    post === undefined ? "" : `.post${post}`,
    dev === undefined ? "" : `.dev${dev}`,
    local === undefined ? "" : `+${local.join(".")}`,
  ].join("");
}

/** The normal form of a version: `1.0-ALPHA.1` is `1.0a1`. Throws `E_REQUIREMENTS` when the text is no version. */
export function normalizeVersion(text: string): string {
  return formatVersion(requireVersion(text));
}

function requireVersion(text: string): PythonVersion {
  const version = parseVersion(text);
  if (version !== undefined) return version;
  throw new TareError("E_REQUIREMENTS", `parsing version \`${text}\`: not a version`, {
    hint: "versions look like 1.2.3, 2.0rc1 or 1.0.post1+local",
  });
}

/** Below zero, zero or above zero as `a` is older than, the same as or newer than `b`. Throws as `normalizeVersion`. */
export function compareVersions(a: string, b: string): number {
  return comparePythonVersions(requireVersion(a), requireVersion(b));
}

/** `compareVersions` for versions in parts. */
export function comparePythonVersions(a: PythonVersion, b: PythonVersion): number {
  return (
    compareDecimals(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    comparePre(a, b) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLocals(a.local, b.local)
  );
}

/** Compares decimal texts without leading zeros. */
function compareDecimals(a: string, b: string): number {
  return a.length - b.length || compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const order = compareDecimals(a[index] ?? "0", b[index] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** `1.0.dev1` is before `1.0a1`, which is before `1.0`. */
function comparePre(a: PythonVersion, b: PythonVersion): number {
  const order = preRank(a) - preRank(b);
  if (order !== 0 || a.pre === undefined || b.pre === undefined) return order;
  return compareTexts(a.pre.letter, b.pre.letter) || compareDecimals(a.pre.number, b.pre.number);
}

function preRank(version: PythonVersion): number {
  if (version.pre !== undefined) return 0;
  return version.post === undefined && version.dev !== undefined ? -1 : 1;
}

/** `missing` says where an absent part stands: -1 before every number, 1 behind. */
function compareOptional(a: string | undefined, b: string | undefined, missing: -1 | 1): number {
  if (a === undefined || b === undefined) return (a === b ? 0 : a === undefined ? 1 : -1) * missing;
  return compareDecimals(a, b);
}

function compareLocals(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  const [left, right] = [a ?? [], b ?? []];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const order = compareLocalParts(left[index] ?? "", right[index] ?? "");
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numbers are newer than words. */
function compareLocalParts(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA !== isNumberB) return isNumberA ? 1 : -1;
  return isNumberA ? compareDecimals(a, b) : compareTexts(a, b);
}

/** True for alpha, beta, candidate and development versions. */
export function isPrerelease(version: PythonVersion): boolean {
  return version.pre !== undefined || version.dev !== undefined;
}
