// SPDX-License-Identifier: Apache-2.0
/** Version specifiers (PEP 440): `>=1.0,!=1.3.*,<2`. */
import { GrammarProblem, parsing } from "./problem.ts";
import type { Scanner } from "./scanner.ts";
import { isAtEnd, skipSpace, take, takeToken, unexpected } from "./scanner.ts";
import type { SpecifierClause, SpecifierOptions } from "./types.ts";
import type { PythonVersion } from "./versions.ts";
import { comparePythonVersions, formatVersion, isPrerelease, parseVersion } from "./versions.ts";

type Operator = SpecifierClause["operator"];

/** The clauses of a specifier, in the order written; empty text has none, stray commas are overlooked. Throws `E_REQUIREMENTS`. */
export function parseSpecifier(text: string): readonly SpecifierClause[] {
  return parsing("version specifier", text, () => {
    const parts = text.split(",").map((part) => part.trim());
    const scanner = { text: parts.filter((part) => part !== "").join(","), position: 0 };
    const clauses = scanClauses(scanner);
    if (isAtEnd(scanner)) return clauses;
    throw unexpected(scanner, "an operator with a version", operatorHint(scanner.text.slice(scanner.position)));
  });
}

/** Reads clauses and the space behind them, up to what is none. Throws `GrammarProblem`. */
export function scanClauses(scanner: Scanner): readonly SpecifierClause[] {
  const clauses: SpecifierClause[] = [];
  for (;;) {
    const operator = take(scanner, /===|~=|==|!=|<=|>=|<|>/y);
    if (operator === undefined) return clauses;
    clauses.push(scanVersion(scanner, operator as Operator));
    skipSpace(scanner);
    if (!takeToken(scanner, ",")) return clauses;
    skipSpace(scanner);
  }
}

function scanVersion(scanner: Scanner, operator: Operator): SpecifierClause {
  skipSpace(scanner);
  const version = take(scanner, /[^\s,;()]+/y);
  if (version === undefined) throw unexpected(scanner, `a version behind \`${operator}\``);
  const clause = { operator, version };
  const problem = clauseProblem(clause);
  if (problem !== undefined) throw new GrammarProblem(`\`${operator}${version}\`: ${problem}`);
  return clause;
}

/** A clause, or undefined where PEP 440 does not allow it. */
export function clauseOf(operator: Operator, version: string): SpecifierClause | undefined {
  const clause = { operator, version };
  return version === "" || clauseProblem(clause) !== undefined ? undefined : clause;
}

/** Clauses joined by commas, without spaces. */
export function formatSpecifier(clauses: readonly SpecifierClause[]): string {
  return clauses.map((clause) => clause.operator + clause.version).join(",");
}

/** What a text that stands where an operator should be was meant as. */
export function operatorHint(text: string): string | undefined {
  if (/^=[^=]/.test(text)) return "an exact version is written ==1.2.3";
  if (/^[~^]/.test(text)) return "write a range as >=1.2,<2 or ~=1.2";
  return /^\d/.test(text) ? "a version needs an operator: ==1.2.3" : undefined;
}

/** What is wrong with a clause: `.*` and local parts are only for `==` and `!=`, `~=` needs two segments. */
function clauseProblem({ operator, version }: SpecifierClause): string | undefined {
  if (operator === "===") return undefined;
  const isEquality = operator === "==" || operator === "!=";
  const isPrefix = version.endsWith(".*");
  if (isPrefix && !isEquality) return "`.*` is only for `==` and `!=`";
  const parsed = parseVersion(isPrefix ? version.slice(0, -2) : version);
  if (parsed === undefined) return "not a version";
  if (parsed.local !== undefined && !isEquality) return "a local version is only for `==` and `!=`";
  if (isPrefix && (parsed.dev ?? parsed.local) !== undefined) return "`.*` follows a release, not a dev or local part";
  if (operator === "~=" && parsed.release.length < 2) return "`~=` needs a version of two segments or more";
  return undefined;
}

/**
 * True when a version fits a specifier. Pre-releases fit only when the specifier names one, or as `prereleases` says.
 * What is no version fits only a `===` of the same text. Throws `E_REQUIREMENTS` for a malformed specifier.
 */
export function matchesSpecifier(version: string, specifier: string, options: SpecifierOptions = {}): boolean {
  const clauses = parseSpecifier(specifier);
  const candidate = parseVersion(version);
  if (candidate === undefined) return clauses.length > 0 && clauses.every((clause) => isSameText(version, clause));
  const allowed = options.prereleases ?? clauses.some(namesPrerelease);
  if (isPrerelease(candidate) && !allowed) return false;
  return clauses.every((clause) => matchesClause(candidate, clause));
}

function isSameText(version: string, clause: SpecifierClause): boolean {
  return clause.operator === "===" && version.trim().toLowerCase() === clause.version.toLowerCase();
}

function namesPrerelease({ operator, version }: SpecifierClause): boolean {
  if (operator === "!=") return false;
  const parsed = parseVersion(version.replace(/\.\*$/, ""));
  return parsed !== undefined && isPrerelease(parsed);
}

/** True when a version fits a clause, pre-releases allowed. */
export function matchesClause(candidate: PythonVersion, clause: SpecifierClause): boolean {
  const { operator, version } = clause;
  if (operator === "===") return isSameText(formatVersion(candidate), clause);
  const isPrefix = version.endsWith(".*");
  const wanted = parseVersion(isPrefix ? version.slice(0, -2) : version);
  if (wanted === undefined) return false;
  if (isPrefix) return startsWith(candidate, wanted) === (operator === "==");
  return COMPARISONS[operator](candidate, wanted);
}

type Comparison = (candidate: PythonVersion, wanted: PythonVersion) => boolean;

const COMPARISONS: Readonly<Record<Exclude<Operator, "===">, Comparison>> = {
  "==": isEqual,
  "!=": (candidate, wanted) => !isEqual(candidate, wanted),
  "<=": (candidate, wanted) => comparePythonVersions(withoutLocal(candidate), wanted) <= 0,
  ">=": isAtLeast,
  "~=": (candidate, wanted) => isAtLeast(candidate, wanted) && startsWith(candidate, compatiblePrefix(wanted)),
  "<": isBefore,
  ">": isAfter,
};

/** A specifier without a local part fits every local version of it. */
function isEqual(candidate: PythonVersion, wanted: PythonVersion): boolean {
  const compared = wanted.local === undefined ? withoutLocal(candidate) : candidate;
  return comparePythonVersions(compared, wanted) === 0;
}

function isAtLeast(candidate: PythonVersion, wanted: PythonVersion): boolean {
  return comparePythonVersions(withoutLocal(candidate), wanted) >= 0;
}

/** `<1.0` does not take `1.0rc1`, unless it names a pre-release itself. */
function isBefore(candidate: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(candidate, wanted) >= 0) return false;
  return isPrerelease(wanted) || !isPrerelease(candidate) || !isSameBase(candidate, wanted);
}

/** `>1.0` takes neither `1.0.post1`, unless it names a post-release itself, nor `1.0+local`. */
function isAfter(candidate: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(candidate, wanted) <= 0) return false;
  const isExcluded = (candidate.post !== undefined && wanted.post === undefined) || candidate.local !== undefined;
  return !isExcluded || !isSameBase(candidate, wanted);
}

function withoutLocal(version: PythonVersion): PythonVersion {
  const { local: _, ...rest } = version;
  return rest;
}

function base({ epoch, release }: PythonVersion): PythonVersion {
  return { epoch, release };
}

function isSameBase(a: PythonVersion, b: PythonVersion): boolean {
  return comparePythonVersions(base(a), base(b)) === 0;
}

function compatiblePrefix(version: PythonVersion): PythonVersion {
  return { epoch: version.epoch, release: version.release.slice(0, -1) };
}

/** Prefix match: `1.2.*` fits `1.2.5`, `1.2` and `1.2rc1`; a missing segment counts as zero. */
function startsWith(candidate: PythonVersion, prefix: PythonVersion): boolean {
  const wanted = segments(prefix, prefix.release.length);
  const given = segments(candidate, prefix.release.length);
  return wanted.every((segment, index) => segment === given[index]);
}

function segments({ epoch, release, pre, post, dev }: PythonVersion, length: number): readonly string[] {
  const zeros = Array.from({ length: Math.max(0, length - release.length) }, () => "0");
  const tail = [pre && pre.letter + pre.number, post && `post${post}`, dev && `dev${dev}`];
  return [epoch, ...release, ...zeros, ...tail.filter((part) => part !== undefined)];
}
