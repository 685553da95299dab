// SPDX-License-Identifier: Apache-2.0
/** Poetry's version constraints (`^1.2`, `~1.2`, `1.*`, `>=1,<2 || >=3`) as version specifiers. */
import { GrammarProblem, parsing } from "./problem.ts";
import { clauseOf } from "./specifiers.ts";
import type { Marker, SpecifierClause } from "./types.ts";
import { comparePythonVersions, formatVersion, parseVersion } from "./versions.ts";
import type { PythonVersion } from "./versions.ts";

/** Alternatives, each with clauses that all must hold; an alternative without clauses takes every version. */
export type Constraint = readonly (readonly SpecifierClause[])[];

/** Parses a constraint. Throws `E_REQUIREMENTS`. */
export function parseConstraint(text: string): Constraint {
  return parsing("version constraint", text, () => text.split(/\s*\|\|?\s*/).map(parseAlternative));
}

function parseAlternative(text: string): readonly SpecifierClause[] {
  const parts = text
    .trim()
    .replace(/([<>=!~^])\s+/g, "$1")
    .split(/[\s,]+/);
  const clauses = parts.filter((part) => part !== "" && part !== "*").flatMap(parsePart);
  if (clauses.length === 0 && !parts.includes("*")) throw new GrammarProblem("an alternative is empty");
  return clauses;
}

function parsePart(part: string): readonly SpecifierClause[] {
  const [, sign = "", version = ""] = /^(\^|~(?!=)|===|~=|==|!=|<=|>=|<|>|=)?(.*)$/.exec(part) ?? [];
  if (sign === "^" || sign === "~") return range(version, sign);
  const operator = sign === "" || sign === "=" ? "==" : (sign as SpecifierClause["operator"]);
  const clause = clauseOf(operator, version.replace(/(?:\.[*xX])+$/, ".*"));
  if (clause === undefined) throw new GrammarProblem(`\`${part}\` is not a version constraint`);
  return [clause];
}

/** `^1.2.3` is `>=1.2.3,<2.0.0`; `~1.2.3` is `>=1.2.3,<1.3.0`. */
function range(text: string, sign: "^" | "~"): readonly SpecifierClause[] {
  const version = parseVersion(text.replace(/\.[*xX]$/, ""));
  if (version === undefined) throw new GrammarProblem(`\`${sign}${text}\` is not a version constraint`);
  const { epoch, release } = version;
  const index = sign === "^" ? caretIndex(release) : Math.min(1, release.length - 1);
  const bumped = release.map((segment, at) => (at < index ? segment : at === index ? increment(segment) : "0"));
  return [
    { operator: ">=", version: formatVersion(version) },
    { operator: "<", version: formatVersion({ epoch, release: bumped }) },
  ];
}

/** The first segment that is not zero, or the last. */
function caretIndex(release: readonly string[]): number {
  const index = release.findIndex((segment) => segment !== "0");
  return index < 0 ? release.length - 1 : index;
}

function increment(segment: string): string {
  return (BigInt(segment) + 1n).toString();
}

/** A constraint as one specifier. A union with a gap has none: then it is the span of all, and not exact. */
export function specifierOf(constraint: Constraint): { readonly specifier: string; readonly isExact: boolean } {
  const [first = [], ...others] = constraint;
  if (others.length === 0) return { specifier: join(first), isExact: true };
  const spans = constraint.map(spanOf);
  if (spans.some((span) => span.low === undefined && span.high === undefined)) {
    return { specifier: "", isExact: constraint.some((clauses) => clauses.length === 0) };
  }
  return merge(spans);
}

function join(clauses: readonly SpecifierClause[]): string {
  return clauses.map(({ operator, version }) => operator + version).join(",");
}

/** The half-open range of an alternative; `isPlain` when it says nothing else. */
interface Span {
  readonly low?: PythonVersion;
  readonly high?: PythonVersion;
  readonly isPlain: boolean;
}

function spanOf(clauses: readonly SpecifierClause[]): Span {
  const low = clauses.find(({ operator }) => operator === ">=");
  const high = clauses.find(({ operator }) => operator === "<");
  const known = [low, high].filter((clause) => clause !== undefined);
  const [lowest, highest] = [parseVersion(low?.version ?? ""), parseVersion(high?.version ?? "")];
  return {
    ...(lowest === undefined ? {} : { low: lowest }),
    ...(highest === undefined ? {} : { high: highest }),
    isPlain: known.length === clauses.length,
  };
}

function merge(spans: readonly Span[]): { readonly specifier: string; readonly isExact: boolean } {
  const sorted = spans.toSorted((a, b) => compareLow(a, b));
  let high = sorted[0]?.high;
  let isExact = sorted.every((span) => span.isPlain);
  for (const span of sorted.slice(1)) {
    if (high !== undefined && span.low !== undefined && comparePythonVersions(span.low, high) > 0) isExact = false;
    if (high === undefined || span.high === undefined) high = undefined;
    else if (comparePythonVersions(span.high, high) > 0) high = span.high;
  }
  const low = sorted[0]?.low;
  const parts = [low && `>=${formatVersion(low)}`, high && `<${formatVersion(high)}`];
  return { specifier: parts.filter((part) => part !== undefined).join(","), isExact };
}

function compareLow(a: Span, b: Span): number {
  if (a.low === undefined || b.low === undefined) return Number(a.low !== undefined) - Number(b.low !== undefined);
  return comparePythonVersions(a.low, b.low);
}

/** A constraint on Python as a marker; undefined when every version fits. */
export function pythonMarker(constraint: Constraint): Marker | undefined {
  if (constraint.some((clauses) => clauses.length === 0)) return undefined;
  return combine(
    "or",
    constraint.map((clauses) => combine("and", clauses.map(comparePython))),
  );
}

function comparePython({ operator, version }: SpecifierClause): Marker {
  const segments = version.replace(/\.\*$/, "").split(".").length;
  const name = segments > 2 ? "python_full_version" : "python_version";
  return { kind: "compare", left: { kind: "variable", name }, operator, right: { kind: "string", value: version } };
}

/** Markers joined; undefined ones say nothing. */
export function combine(kind: "and" | "or", markers: readonly (Marker | undefined)[]): Marker | undefined {
  const parts = markers.filter((marker) => marker !== undefined);
  return parts.length < 2 ? parts[0] : { kind, parts };
}
