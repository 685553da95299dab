// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";

/** Steps that one substitution may take; far above any real use. */
const WORK_LIMIT = 5_000_000;

/** One element of a shell pattern: a literal character, any one character, or any run of characters. */
export type PatternPart = { readonly kind: "literal"; readonly value: string } | { readonly kind: "one" | "many" };

/**
 * Parses the pattern of `${x#p}`, `${x%p}` and `${x/p/r}`: `*`, `?` and `\`. A backslash may stand only before
 * `*`, `?`, `\`, and before `}` and `/` (which it only protects from ending the pattern).
 */
export function parseShellPattern(pattern: string): readonly PatternPart[] {
  const characters = [...pattern];
  const parts: PatternPart[] = [];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? "";
    if (character === "*") parts.push({ kind: "many" });
    else if (character === "?") parts.push({ kind: "one" });
    else if (character !== "\\") parts.push({ kind: "literal", value: character });
    else {
      index += 1;
      parts.push({ kind: "literal", value: escapedCharacter(characters[index]) });
    }
  }
  return parts;
}

function escapedCharacter(next: string | undefined): string {
  if (next !== undefined && "}/*?\\".includes(next)) return next;
  throw problem("E_DF_EXPAND", `invalid escape '\\${next ?? ""}' in a pattern`);
}

/** `value` without the shortest (or longest) prefix that the pattern matches. */
export function trimPrefix(pattern: readonly PatternPart[], value: string, longest: boolean): string {
  const characters = [...value];
  const end = matchEnd(pattern, characters, 0, longest);
  return end === undefined ? value : characters.slice(end).join("");
}

/** `value` without the shortest (or longest) suffix that the pattern matches. */
export function trimSuffix(pattern: readonly PatternPart[], value: string, longest: boolean): string {
  const characters = [...value].toReversed();
  const end = matchEnd(pattern.toReversed(), characters, 0, longest);
  return end === undefined ? value : characters.slice(end).toReversed().join("");
}

/** `value` with the first (or every) longest match of the pattern replaced; `$n` in the replacement means nothing. */
export function replaceMatches(
  pattern: readonly PatternPart[],
  value: string,
  replacement: string,
  all: boolean,
): string {
  const characters = [...value];
  let out = "";
  let position = 0;
  let lastEnd = -1;
  let work = 0;
  while (position <= characters.length) {
    const possible = canStart(pattern[0], characters[position]);
    work += possible ? (characters.length - position) * pattern.length : 1;
    if (work > WORK_LIMIT) throw problem("E_DF_EXPAND", "a pattern substitution takes too many steps");
    const end = possible ? matchEnd(pattern, characters, position, true) : undefined;
    const matched = end !== undefined && !(end === position && position === lastEnd);
    if (matched) out += replacement;
    if (matched && !all) return out + characters.slice(end).join("");
    if (matched && end > position) {
      position = end;
      lastEnd = end;
    } else {
      out += characters[position] ?? "";
      position += 1;
    }
  }
  return out;
}

function canStart(first: PatternPart | undefined, character: string | undefined): boolean {
  return first === undefined || first.kind !== "literal" || first.value === character;
}

/** End of the shortest or longest match that begins at `start`; work is bounded by pattern × value. */
function matchEnd(
  pattern: readonly PatternPart[],
  characters: readonly string[],
  start: number,
  longest: boolean,
): number | undefined {
  let reachable = new Set([start]);
  for (const part of pattern) {
    reachable = part.kind === "many" ? fromFirst(reachable, characters) : stepped(part, reachable, characters);
    if (reachable.size === 0) return undefined;
  }
  return longest ? maximum(reachable) : minimum(reachable);
}

/** A run of characters stops before a line feed, as `.` does in the engine that defined these patterns. */
function fromFirst(reachable: ReadonlySet<number>, characters: readonly string[]): Set<number> {
  const out = new Set<number>();
  let active = false;
  for (let position = minimum(reachable); position <= characters.length; position += 1) {
    if (reachable.has(position)) active = true;
    if (active) out.add(position);
    if (characters[position] === "\n") active = false;
  }
  return out;
}

function stepped(part: PatternPart, reachable: ReadonlySet<number>, characters: readonly string[]): Set<number> {
  const out = new Set<number>();
  for (const position of reachable) {
    const character = characters[position];
    if (character === undefined) continue;
    if (part.kind === "literal" ? part.value === character : character !== "\n") out.add(position + 1);
  }
  return out;
}

function minimum(values: ReadonlySet<number>): number {
  let least = Number.MAX_SAFE_INTEGER;
  for (const value of values) if (value < least) least = value;
  return least;
}

function maximum(values: ReadonlySet<number>): number {
  let most = -1;
  for (const value of values) if (value > most) most = value;
  return most;
}
