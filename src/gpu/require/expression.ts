// SPDX-License-Identifier: Apache-2.0
/*
 * The language of `NVIDIA_REQUIRE_*`: terms apart by spaces, one of which must hold; factors apart by commas, all of
 * which must hold; a factor is `property operator value`. As in NVIDIA's own evaluator it is read while it is
 * evaluated, so what stands behind a term that holds is not looked at.
 */
import { compareDotted, isDottedVersion, majorOf } from "../versions.ts";

/** What requirements speak of; absent values are those that nobody knows. */
export interface RequireFacts {
  readonly cuda?: string;
  readonly driver?: string;
  readonly arch?: string;
  readonly brand?: string;
}

/** Whether something holds; `unknown` when that hangs on a value that nobody knows. */
export type Truth = "true" | "false" | "unknown";

/** A requirement's result, or the factor that is none. */
export type RequireResult =
  | { readonly kind: "value"; readonly truth: Truth; /** The term that decided. */ readonly term?: string }
  | { readonly kind: "malformed"; readonly factor: string; readonly why: string };

type Property = keyof RequireFacts;
type Operator = (typeof OPERATORS)[number];
type Factor = { readonly property: Property; readonly operator: Operator; readonly value: string };
type Read<T> = T | { readonly malformed: string };

const OPERATORS = ["!=", "<=", ">=", "=", "<", ">"] as const;
const PROPERTIES: readonly Property[] = ["cuda", "driver", "arch", "brand"];

/** The terms of a requirement; empty ones do not count. */
export function termsOf(requirement: string): readonly string[] {
  return requirement.split(" ").filter((term) => factorsOf(term).length > 0);
}

function factorsOf(term: string): readonly string[] {
  return term.split(",").filter((factor) => factor !== "");
}

/** Evaluates a requirement for one GPU. An empty one holds. */
export function evaluateRequirement(requirement: string, facts: RequireFacts): RequireResult {
  const terms = termsOf(requirement);
  let undecided: string | undefined;
  for (const term of terms) {
    const result = evaluateTerm(term, facts);
    // NVIDIA's evaluator takes unknown for true and would have stopped there.
    if (result.kind === "malformed" && undecided === undefined) return result;
    if (result.kind === "malformed") break;
    if (result.truth === "true") return result;
    if (result.truth === "unknown") undecided ??= term;
  }
  if (undecided !== undefined) return { kind: "value", truth: "unknown", term: undecided };
  return { kind: "value", truth: terms.length === 0 ? "true" : "false" };
}

/** Evaluates one term. */
export function evaluateTerm(term: string, facts: RequireFacts): RequireResult {
  let truth: Truth = "true";
  for (const factor of factorsOf(term)) {
    const read = readFactor(factor);
    if ("malformed" in read) return { kind: "malformed", factor, why: read.malformed };
    const holds = evaluateFactor(read, facts);
    if (holds === "false") return { kind: "value", truth: "false", term };
    if (holds === "unknown") truth = "unknown";
  }
  return { kind: "value", truth, term };
}

/** The properties that a requirement speaks of, in the order of `PROPERTIES`. */
export function propertiesOf(requirement: string): readonly Property[] {
  const named = new Set(
    termsOf(requirement)
      .flatMap(factorsOf)
      .map((factor) => /^[a-z]*/i.exec(factor)?.[0].toLowerCase()),
  );
  return PROPERTIES.filter((property) => named.has(property));
}

function readFactor(factor: string): Read<Factor> {
  const [, name = "", sign = "", value = ""] = /^([^<>=!]*)([<>=!]*)(.*)$/s.exec(factor) ?? [];
  const property = PROPERTIES.find((known) => known === name.toLowerCase());
  const operator = OPERATORS.find((known) => known === sign);
  if (property === undefined) return { malformed: `\`${name}\` is none of ${PROPERTIES.join(", ")}` };
  if (operator === undefined) return { malformed: sign === "" ? "it has no operator" : `\`${sign}\` is no operator` };
  if (value === "") return { malformed: "it has no value" };
  return checkedFactor({ property, operator, value });
}

function checkedFactor(factor: Factor): Read<Factor> {
  const { property, operator, value } = factor;
  if (property !== "brand") return isDottedVersion(value) ? factor : { malformed: `\`${value}\` is no version` };
  return operator === "=" || operator === "!=" ? factor : { malformed: "brands are equal or not, nothing else" };
}

function evaluateFactor({ property, operator, value }: Factor, facts: RequireFacts): Truth {
  const actual = facts[property];
  if (actual === undefined) return "unknown";
  if (property === "brand") {
    return truthOf((actual.toLowerCase() === value.toLowerCase()) === (operator === "="));
  }
  if (!isDottedVersion(actual)) return "unknown";
  if (property === "driver" && isInsideBranch(actual, value)) return "unknown";
  return truthOf(holds(compareDotted(actual, value), operator));
}

/** A driver of which only the branch is known, compared with a release of that branch. */
function isInsideBranch(actual: string, value: string): boolean {
  return !actual.includes(".") && majorOf(actual) === majorOf(value) && compareDotted(actual, value) !== 0;
}

function holds(order: number, operator: Operator): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function truthOf(value: boolean): Truth {
  return value ? "true" : "false";
}
