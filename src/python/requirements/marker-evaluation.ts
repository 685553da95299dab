// SPDX-License-Identifier: Apache-2.0
/** Whether a marker is true for an interpreter. */
import type { PythonTarget } from "../types.ts";
import { formatMarker } from "./markers.ts";
import { normalizeName } from "./names.ts";
import { GrammarProblem, parsing } from "./problem.ts";
import { clauseOf, matchesClause } from "./specifiers.ts";
import type { Marker, MarkerEnvironment, MarkerOperand, MarkerOperator } from "./types.ts";
import { parseVersion } from "./versions.ts";

type Comparison = Extract<Marker, { kind: "compare" }>;

/**
 * True when a marker holds. Two versions are compared as such (PEP 440, pre-releases allowed), all else as text; names
 * of extras and groups are normalised first. Throws `E_REQUIREMENTS` for `~=` between what are no versions.
 */
export function evaluateMarker(marker: Marker, environment: MarkerEnvironment): boolean {
  switch (marker.kind) {
    case "and":
      return marker.parts.every((part) => evaluateMarker(part, environment));
    case "or":
      return marker.parts.some((part) => evaluateMarker(part, environment));
    case "compare":
      return parsing("marker", formatMarker(marker), () => evaluateComparison(marker, environment));
  }
}

function evaluateComparison(marker: Comparison, environment: MarkerEnvironment): boolean {
  const { left, operator, right } = marker;
  const value = textOf(left, environment);
  const set = right.kind === "variable" ? setOf(right.name, environment) : undefined;
  if (set !== undefined) return set.some((name) => isSameName(name, value)) === (operator === "in");
  const other = textOf(right, environment);
  if (isExtra(left) || isExtra(right)) return compareTexts(normalizeName(value), operator, normalizeName(other));
  return compareValues(value, operator, other);
}

function setOf(name: string, environment: MarkerEnvironment): readonly string[] | undefined {
  if (name === "extras") return environment.extras ?? [];
  return name === "dependency_groups" ? (environment.dependency_groups ?? []) : undefined;
}

function isSameName(a: string, b: string): boolean {
  return normalizeName(a) === normalizeName(b);
}

function isExtra(operand: MarkerOperand): boolean {
  return operand.kind === "variable" && operand.name === "extra";
}

function textOf(operand: MarkerOperand, environment: MarkerEnvironment): string {
  if (operand.kind === "string") return operand.value;
  const value = environment[operand.name];
  return typeof value === "string" ? value : "";
}

/** As versions where the right side makes a specifier and the left side is a version, else as texts. */
function compareValues(left: string, operator: MarkerOperator, right: string): boolean {
  if (operator === "in" || operator === "not in") return compareTexts(left, operator, right);
  const version = parseVersion(left);
  const clause = clauseOf(operator, right.trim());
  if (version !== undefined && clause !== undefined) return matchesClause(version, clause);
  return compareTexts(left, operator, right);
}

function compareTexts(left: string, operator: MarkerOperator, right: string): boolean {
  switch (operator) {
    case "in":
      return right.includes(left);
    case "not in":
      return !right.includes(left);
    case "===":
      return left.toLowerCase() === right.toLowerCase();
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "~=":
      throw new GrammarProblem(`\`~=\` compares versions, not \`${left}\` with \`${right}\``);
  }
}

/** `platform.machine()` on Linux by the architecture's name in image platforms. */
const MACHINES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  "386": "i686",
  arm: "armv7l",
  loong64: "loongarch64",
};

/**
 * The environment of an interpreter in a Linux image. The kernel's release and version are those of whatever machine
 * runs the image: unknown here, so empty.
 */
export function markerEnvironment(target: PythonTarget): MarkerEnvironment {
  const { implementation, version, architecture } = target;
  return {
    python_version: /^\d+\.\d+/.exec(version)?.[0] ?? version,
    python_full_version: version,
    os_name: "posix",
    sys_platform: "linux",
    platform_machine: MACHINES[architecture] ?? architecture,
    platform_python_implementation: implementation === "pypy" ? "PyPy" : "CPython",
    platform_release: "",
    platform_system: "Linux",
    platform_version: "",
    implementation_name: implementation,
    implementation_version: version,
  };
}
