// SPDX-License-Identifier: Apache-2.0
/** The grammar of environment markers (dependency specifiers): `python_version < "3.9" and extra == "dev"`. */
import { suggest } from "../../base/index.ts";
import { parsing } from "./problem.ts";
import type { Scanner } from "./scanner.ts";
import { isAtEnd, skipSpace, take, takeToken, unexpected } from "./scanner.ts";
import type { Marker, MarkerOperand, MarkerOperator, MarkerVariable } from "./types.ts";

const VARIABLES: readonly MarkerVariable[] = [
  "python_version",
  "python_full_version",
  "os_name",
  "sys_platform",
  "platform_release",
  "platform_system",
  "platform_version",
  "platform_machine",
  "platform_python_implementation",
  "implementation_name",
  "implementation_version",
  "extra",
  "extras",
  "dependency_groups",
];

/** Older spellings (PEP 345, and one of setuptools) that are still around. */
const ALIASES: Readonly<Record<string, MarkerVariable>> = {
  "os.name": "os_name",
  "sys.platform": "sys_platform",
  "platform.version": "platform_version",
  "platform.machine": "platform_machine",
  "platform.python_implementation": "platform_python_implementation",
  python_implementation: "platform_python_implementation",
};

/** No real marker nests deeper; a hostile one must not exhaust the stack. */
const DEEPEST = 200;

/** Parses a marker. Throws `E_REQUIREMENTS` with the column. */
export function parseMarker(text: string): Marker {
  return parsing("marker", text, () => {
    const scanner = { text, position: 0 };
    const marker = scanMarker(scanner);
    if (!isAtEnd(scanner)) throw unexpected(scanner, "`and`, `or` or the end");
    return marker;
  });
}

/** Reads a marker and the space behind it, up to what is none. Throws `GrammarProblem`. */
export function scanMarker(scanner: Scanner, depth = 0): Marker {
  if (depth > DEEPEST) throw unexpected(scanner, `no more than ${DEEPEST} parentheses`);
  return scanList(scanner, "or", () => scanList(scanner, "and", () => scanAtom(scanner, depth)));
}

function scanList(scanner: Scanner, kind: "and" | "or", scanPart: () => Marker): Marker {
  const first = scanPart();
  const parts = [first];
  while (take(scanner, kind === "and" ? /and\b/y : /or\b/y) !== undefined) parts.push(scanPart());
  return parts.length === 1 ? first : { kind, parts };
}

function scanAtom(scanner: Scanner, depth: number): Marker {
  skipSpace(scanner);
  const marker = takeToken(scanner, "(") ? scanGroup(scanner, depth) : scanComparison(scanner);
  skipSpace(scanner);
  return marker;
}

function scanGroup(scanner: Scanner, depth: number): Marker {
  const marker = scanMarker(scanner, depth + 1);
  if (!takeToken(scanner, ")")) throw unexpected(scanner, "`and`, `or` or `)`");
  return marker;
}

function scanComparison(scanner: Scanner): Marker {
  const start = scanner.position;
  const left = scanOperand(scanner);
  skipSpace(scanner);
  const operator = scanOperator(scanner);
  skipSpace(scanner);
  const right = scanOperand(scanner);
  if (isSet(left) || (isSet(right) && operator !== "in" && operator !== "not in")) {
    scanner.position = start;
    throw unexpected(scanner, 'a comparison as `"name" in extras`');
  }
  return { kind: "compare", left, operator, right };
}

function isSet(operand: MarkerOperand): boolean {
  return operand.kind === "variable" && (operand.name === "extras" || operand.name === "dependency_groups");
}

function scanOperator(scanner: Scanner): MarkerOperator {
  const operator = take(scanner, /===|==|~=|!=|<=|>=|<|>|in\b|not\s+in\b/y);
  if (operator === undefined) {
    throw unexpected(scanner, "an operator (`==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `===`, `in`, `not in`)");
  }
  return operator.startsWith("not") ? "not in" : (operator as MarkerOperator);
}

function scanOperand(scanner: Scanner): MarkerOperand {
  const quoted = take(scanner, /'[^']*'|"[^"]*"/y);
  if (quoted !== undefined) return { kind: "string", value: quoted.slice(1, -1) };
  const start = scanner.position;
  const word = take(scanner, /[a-z_][a-z0-9_.]*/iy);
  const name = word === undefined ? undefined : variableOf(word);
  if (name !== undefined) return { kind: "variable", name };
  scanner.position = start;
  throw unexpected(scanner, "a marker variable or a quoted string", wordHint(word));
}

function variableOf(word: string): MarkerVariable | undefined {
  return VARIABLES.find((variable) => variable === word) ?? (Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined);
}

function wordHint(word: string | undefined): string {
  const near = word === undefined ? undefined : suggest(word, VARIABLES);
  return near === undefined ? `values stand in quotes; variables are ${VARIABLES.join(", ")}` : `did you mean ${near}?`;
}

/** The marker as text; parsing it gives the same tree. */
export function formatMarker(marker: Marker): string {
  if (marker.kind === "compare") {
    return `${formatOperand(marker.left)} ${marker.operator} ${formatOperand(marker.right)}`;
  }
  return marker.parts.map((part) => formatPart(part, marker.kind)).join(` ${marker.kind} `);
}

/** `and` binds closer than `or`, so that it needs no parentheses inside one. */
function formatPart(part: Marker, outer: "and" | "or"): string {
  const isPlain = part.kind === "compare" || (part.kind === "and" && outer === "or");
  return isPlain ? formatMarker(part) : `(${formatMarker(part)})`;
}

function formatOperand(operand: MarkerOperand): string {
  if (operand.kind === "variable") return operand.name;
  return operand.value.includes('"') ? `'${operand.value}'` : `"${operand.value}"`;
}
