// SPDX-License-Identifier: Apache-2.0
import { matchTokens, parseGlob, readToken } from "./glob.ts";
import type { GlobToken } from "./glob.ts";
import { problem } from "./problem.ts";
import { cleanPath, trim } from "./text.ts";

/** One line of `.dockerignore`, or one value of `--exclude`. */
export interface PathPattern {
  /** Cleaned, without `!`. */
  readonly text: string;
  /** Begins with `!`: takes in again what earlier patterns left out. */
  readonly isException: boolean;
  /** Whether it matches all of a path. */
  readonly matches: (path: string) => boolean;
}

/** Which patterns matched a directory; the paths in it begin from there. */
export type ParentMatches = Uint8Array;

/**
 * Patterns of `.dockerignore`, `--exclude` and `--parents`, in order: the last one that matches a path, or a folder
 * above it, decides. `**` stands for any number of folders. Every path is relative and separated by `/`.
 */
export class PatternMatcher {
  readonly patterns: readonly PathPattern[];
  /** Whether a pattern begins with `!`. */
  readonly hasExclusions: boolean;

  /** Reads the patterns; empty ones are left out. Throws `E_PATTERN` for a malformed one. */
  constructor(patterns: readonly string[]) {
    this.patterns = patterns
      .map((pattern) => trim(pattern))
      .filter((pattern) => pattern !== "")
      .map(readPattern);
    this.hasExclusions = this.patterns.some(({ isException }) => isException);
  }

  /** Whether the patterns select `path` or a folder above it. */
  matchesOrParentMatches(path: string): boolean {
    const parents = parentsOf(path);
    let matched = false;
    for (const { isException, matches } of this.patterns) {
      if (isException !== matched) continue;
      if (matches(path) || parents.some((parent) => matches(parent))) matched = !isException;
    }
    return matched;
  }

  /**
   * The same for a walk from the top, which passes what is known of the folder above; only what is new is matched.
   * As in BuildKit, a pattern that did not come into question for a folder does not count for what is in it.
   */
  matchBelow(
    path: string,
    parent: ParentMatches | undefined,
  ): { readonly matched: boolean; readonly matches: ParentMatches } {
    const found = new Uint8Array(this.patterns.length);
    const parents = parent === undefined ? parentsOf(path) : [];
    let matched = false;
    for (const [index, pattern] of this.patterns.entries()) {
      let match = parent?.[index] === 1;
      if (!match) {
        if (pattern.isException !== matched) continue;
        match = pattern.matches(path) || parents.some((above) => pattern.matches(above));
      }
      if (!match) continue;
      found[index] = 1;
      matched = !pattern.isException;
    }
    return { matched, matches: found };
  }
}

/** The folders above a path, from the top. */
function parentsOf(path: string): readonly string[] {
  const parent = cleanPath(path.slice(0, path.lastIndexOf("/") + 1));
  if (parent === ".") return [];
  const names = parent.split("/");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function readPattern(written: string): PathPattern {
  const cleaned = cleanPath(written);
  const isException = cleaned.startsWith("!");
  if (cleaned === "!") throw problem("E_PATTERN", 'illegal exclusion pattern: "!"', "name a path after the `!`");
  const text = isException ? cleaned.slice(1) : cleaned;
  parseGlob(text);
  return { text, isException, matches: compilePathPattern(text) };
}

/** Chooses the cheapest test that says the same: equality, beginning, end, or the tokens. */
function compilePathPattern(pattern: string): (path: string) => boolean {
  const special = /[*?[\]\\]/;
  if (!special.test(pattern)) return (path) => path === pattern;
  const head = pattern.slice(0, -2);
  if (pattern.endsWith("**") && pattern !== "**" && !special.test(head)) return (path) => path.startsWith(head);
  const tail = pattern.slice(2);
  if (pattern.startsWith("**") && !special.test(tail)) {
    return (path) => path.endsWith(tail) || (tail.startsWith("/") && path === tail.slice(1));
  }
  return compileTokens(pathTokens(pattern));
}

/** Tokens of a pattern in which `**` crosses folders: at the end it takes everything, elsewhere whole folders. */
function pathTokens(pattern: string): readonly GlobToken[] {
  const characters = [...pattern];
  const tokens: GlobToken[] = [];
  for (let index = 0; index < characters.length;) {
    if (characters[index] === "*" && characters[index + 1] === "*") {
      index += characters[index + 2] === "/" ? 3 : 2;
      tokens.push({ kind: index >= characters.length ? "tree" : "folders" });
      continue;
    }
    const { token, end } = readToken(characters, index);
    tokens.push(token);
    index = end;
  }
  return tokens;
}

/** Literal text at either end is compared first: most paths fail there. */
function compileTokens(tokens: readonly GlobToken[]): (path: string) => boolean {
  const head = literalRun(tokens);
  const tail = literalRun(tokens.toReversed());
  const prefix = head.join("");
  const suffix = tail.toReversed().join("");
  const middle = tokens.slice(head.length, tokens.length - tail.length);
  if (middle.length === 0) return (path) => path === prefix;
  return (path) =>
    path.length >= prefix.length + suffix.length &&
    path.startsWith(prefix) &&
    path.endsWith(suffix) &&
    matchTokens(middle, path.slice(prefix.length, path.length - suffix.length));
}

function literalRun(tokens: readonly GlobToken[]): readonly string[] {
  const run: string[] = [];
  for (const token of tokens) {
    if (token.kind !== "literal") break;
    run.push(token.value);
  }
  return run;
}
