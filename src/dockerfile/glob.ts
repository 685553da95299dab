// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";

/** One element of a file name pattern. `tree` is any text; `folders` is nothing, or any text that ends with `/`. */
export type GlobToken =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: "one" | "many" | "tree" | "folders" };

/**
 * Whether `name` matches `pattern` as a whole, by the rules of COPY sources: `*` and `?` stop at `/`, `[a-z]`, `[^a]`,
 * and `\` takes the next character literally. Throws `E_PATTERN` for a malformed pattern.
 */
export function matchGlob(pattern: string, name: string): boolean {
  return compileGlob(pattern)(name);
}

/** `matchGlob` for many names: the pattern is read once. Throws `E_PATTERN`. */
export function compileGlob(pattern: string): (name: string) => boolean {
  const tokens = parseGlob(pattern);
  return (name) => matchTokens(tokens, name);
}

/** Whether a word has characters that mean something in a pattern. */
export function hasGlob(word: string): boolean {
  return /[*?[\\]/.test(word);
}

/** Reads a pattern in which `**` has no meaning of its own. Throws `E_PATTERN`. */
export function parseGlob(pattern: string): readonly GlobToken[] {
  const characters = [...pattern];
  const tokens: GlobToken[] = [];
  for (let index = 0; index < characters.length;) {
    const { token, end } = readToken(characters, index);
    if (token.kind !== "many" || tokens.at(-1)?.kind !== "many") tokens.push(token);
    index = end;
  }
  return tokens;
}

/** Reads one element; `**` is two of them. */
export function readToken(
  characters: readonly string[],
  start: number,
): { readonly token: GlobToken; readonly end: number } {
  const character = characters[start] ?? "";
  if (character === "*") return { token: { kind: "many" }, end: start + 1 };
  if (character === "?") return { token: { kind: "one" }, end: start + 1 };
  if (character === "[") return readClass(characters, start);
  if (character !== "\\") return { token: { kind: "literal", value: character }, end: start + 1 };
  const value = characters[start + 1];
  if (value === undefined) throw malformed(characters, "a backslash stands at the end");
  return { token: { kind: "literal", value }, end: start + 2 };
}

function readClass(characters: readonly string[], start: number): { readonly token: GlobToken; readonly end: number } {
  const negated = characters[start + 1] === "^";
  const ranges: (readonly [number, number])[] = [];
  let position = start + (negated ? 2 : 1);
  while (characters[position] !== "]" || ranges.length === 0) {
    const low = readMember(characters, position);
    const isRange = characters[low.end] === "-";
    const high = isRange ? readMember(characters, low.end + 1) : low;
    ranges.push([low.code, high.code]);
    position = high.end;
  }
  return { token: { kind: "class", negated, ranges }, end: position + 1 };
}

function readMember(characters: readonly string[], position: number): { readonly code: number; readonly end: number } {
  const first = characters[position];
  const escaped = first === "\\";
  const member = escaped ? characters[position + 1] : first;
  const isBad = !escaped && (member === "-" || member === "]");
  const end = position + (escaped ? 2 : 1);
  if (member === undefined || isBad || end >= characters.length) {
    throw malformed(characters, "a character class is not closed or has a stray `-` or `]`");
  }
  return { code: member.codePointAt(0) ?? 0, end };
}

function malformed(characters: readonly string[], why: string): Error {
  return problem("E_PATTERN", `reading pattern \`${characters.join("")}\`: syntax error in pattern: ${why}`);
}

/** Whether the tokens match all of `text`; work is at most the number of tokens times the length of the text. */
export function matchTokens(tokens: readonly GlobToken[], text: string): boolean {
  let current = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  enter(tokens, current, 0);
  for (const character of text) {
    next.fill(0);
    let alive = false;
    for (let state = 0; state < tokens.length; state += 1) {
      if (current[state] === 0) continue;
      alive = step(tokens, { state, inside: current[state] === INSIDE }, character, next) || alive;
    }
    if (!alive) return false;
    [current, next] = [next, current];
  }
  return current[tokens.length] !== 0;
}

const ARRIVED = 1;
/** Within the text of a `folders` token: it may be left only after a `/`. */
const INSIDE = 2;

/** Marks a state as reached, with those that need no character. */
function enter(tokens: readonly GlobToken[], states: Uint8Array, from: number): void {
  let state = from;
  for (;;) {
    if (states[state] === ARRIVED) return;
    const kind = tokens[state]?.kind;
    states[state] = ARRIVED;
    if (kind !== "many" && kind !== "tree" && kind !== "folders") return;
    state += 1;
  }
}

interface State {
  readonly state: number;
  readonly inside: boolean;
}

function step(tokens: readonly GlobToken[], from: State, character: string, next: Uint8Array): boolean {
  const token = tokens[from.state];
  if (token === undefined) return false;
  switch (token.kind) {
    case "literal":
      if (token.value !== character) return false;
      break;
    case "class":
      if (!inClass(token, character)) return false;
      break;
    case "one":
      if (character === "/") return false;
      break;
    case "many":
      if (character === "/") return false;
      enter(tokens, next, from.state);
      return true;
    case "tree":
      enter(tokens, next, from.state);
      return true;
    case "folders":
      if (next[from.state] === 0) next[from.state] = INSIDE;
      if (character === "/") enter(tokens, next, from.state + 1);
      return true;
  }
  enter(tokens, next, from.state + 1);
  return true;
}

function inClass(token: GlobToken & { kind: "class" }, character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
}
