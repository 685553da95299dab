// SPDX-License-Identifier: Apache-2.0
import { GrammarProblem } from "./problem.ts";

/** A text and how far it was read. */
export interface Scanner {
  readonly text: string;
  position: number;
}

/** Reads what a sticky expression matches here, or nothing. */
export function take(scanner: Scanner, expression: RegExp): string | undefined {
  expression.lastIndex = scanner.position;
  const match = expression.exec(scanner.text);
  if (match === null) return undefined;
  scanner.position += match[0].length;
  return match[0];
}

const SPACE = /\s*/y;

/** Skips white space. */
export function skipSpace(scanner: Scanner): void {
  take(scanner, SPACE);
}

/** Reads exactly `token`, or nothing. */
export function takeToken(scanner: Scanner, token: string): boolean {
  if (!scanner.text.startsWith(token, scanner.position)) return false;
  scanner.position += token.length;
  return true;
}

/** True when all was read. */
export function isAtEnd(scanner: Scanner): boolean {
  return scanner.position >= scanner.text.length;
}

/** A problem at the place reached. It shows only the next word, cut where a URL would begin: that may hold secrets. */
export function unexpected(scanner: Scanner, expected: string, hint?: string): GrammarProblem {
  const rest = scanner.text.slice(scanner.position);
  const found = rest === "" ? "its end" : `\`${/^[^\s:/@]{1,20}/.exec(rest)?.[0] ?? rest.slice(0, 1)}\``;
  return new GrammarProblem(`expected ${expected} at column ${scanner.position + 1}, found ${found}`, hint);
}
