// SPDX-License-Identifier: Apache-2.0
import { PatternMatcher } from "./pattern-matcher.ts";
import type { ParentMatches } from "./pattern-matcher.ts";
import { cleanPath, trim } from "./text.ts";

/** Decides which paths of a folder a build sees. Paths are relative to the folder, `/` between names. */
export interface IgnoreFilter {
  /** Whether the path itself is left out. */
  excludes(path: string, isDirectory: boolean): boolean;
  /** Whether a walk must enter an excluded directory: a `!` pattern may take in something below it. */
  mayIncludeBelow(directory: string): boolean;
}

/**
 * The patterns of a `.dockerignore` text: comments and empty lines are gone, `./a//b/` is `a/b`, a leading `/` is
 * removed.
 */
export function readIgnoreFile(text: string): readonly string[] {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  const patterns: string[] = [];
  for (const line of body.split("\n")) {
    const pattern = line.startsWith("#") ? "" : trim(line);
    if (pattern !== "") patterns.push(cleanPattern(pattern));
  }
  return patterns;
}

function cleanPattern(pattern: string): string {
  if (!pattern.startsWith("!")) return withoutRoot(cleanPath(pattern));
  const rest = trim(pattern.slice(1));
  return rest === "" ? "!" : `!${withoutRoot(cleanPath(rest))}`;
}

function withoutRoot(path: string): string {
  return path.length > 1 && path.startsWith("/") ? path.slice(1) : path;
}

/**
 * A filter for walks from the top. Each directory's matches are remembered, so that a path costs one look at the
 * patterns that did not match above it. Throws `E_PATTERN` for a malformed pattern.
 */
export function createIgnore(patterns: readonly string[]): IgnoreFilter {
  const matcher = new PatternMatcher(patterns);
  const known = new Map<string, ParentMatches>();
  const matchesOf = (directory: string): ParentMatches | undefined => {
    if (directory === "") return undefined;
    const remembered = known.get(directory);
    if (remembered !== undefined) return remembered;
    const { matches } = matcher.matchBelow(directory, matchesOf(parentOf(directory)));
    known.set(directory, matches);
    return matches;
  };
  const exceptions = exceptionPrefixes(matcher);
  return {
    excludes: (path) => path !== "" && path !== "." && matcher.matchBelow(path, matchesOf(parentOf(path))).matched,
    mayIncludeBelow: (directory) =>
      exceptions === "any" || exceptions.some((prefix) => prefix.startsWith(`${directory}/`)),
  };
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Where `!` patterns can reach: the folders that they name, or `any` when one of them has a wildcard in front. */
function exceptionPrefixes(matcher: PatternMatcher): "any" | readonly string[] {
  const prefixes = matcher.patterns
    .filter(({ isException }) => isException)
    .map(({ text }) => text.replace(/\/\*\*$/, "").replace(/\/\*$/, ""));
  return prefixes.some((prefix) => /[*[\]?^\\]/.test(prefix)) ? "any" : prefixes.map((prefix) => `${prefix}/`);
}
