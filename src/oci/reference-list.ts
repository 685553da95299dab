// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { familiarName, familiarReference, formatReference, parseAnyReference } from "./reference.ts";
import type { AnyReference, Reference } from "./reference.ts";

/**
 * True when a shell pattern (`*`, `?`, `[a-z]`, `\`; `*` stops at `/`) matches the familiar form of a reference with
 * or without its tag, as `docker images PATTERN` has it. Throws `E_REF` for a malformed pattern.
 */
export function matchesFamiliar(pattern: string, reference: Reference): boolean {
  const tokens = tokenize(pattern);
  return matches(tokens, familiarReference(reference)) || matches(tokens, familiarName(reference));
}

type Token = "star" | ((char: string) => boolean);

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? "";
    if (char === "*") {
      if (tokens.at(-1) !== "star") tokens.push("star");
    } else if (char === "?") tokens.push((other) => other !== "/");
    else if (char === "[") {
      const end = classEnd(pattern, at);
      tokens.push(characterClass(pattern.slice(at + 1, end), pattern));
      at = end;
    } else {
      const literal = char === "\\" ? pattern[++at] : char;
      if (literal === undefined) throw badPattern(pattern);
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

function classEnd(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "]" && at > start + 1) return at;
  }
  throw badPattern(pattern);
}

function characterClass(body: string, pattern: string): (char: string) => boolean {
  const negated = body.startsWith("^");
  const members = [...(negated ? body.slice(1) : body).matchAll(/(\\.|[^\\])(?:-(\\.|[^\\]))?/gsu)];
  if (members.length === 0) throw badPattern(pattern);
  const plain = (text: string): string => (text.length > 1 ? text.slice(1) : text);
  const ranges = members.map(([, low = "", high = low]): [string, string] => [plain(low), plain(high)]);
  return (char) => ranges.some(([low, high]) => low <= char && char <= high) !== negated;
}

function badPattern(pattern: string): TareError {
  return new TareError("E_REF", `parsing pattern \`${pattern.slice(0, 120)}\`: syntax error in pattern`);
}

/** Greedy match with one point of return per star: at most pattern × text steps. */
function matches(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let star: { readonly token: number; at: number } | undefined;
  while (at < text.length || token < tokens.length) {
    const current = tokens[token];
    const char = text[at];
    if (current === "star") star = { token: ++token, at };
    else if (current !== undefined && char !== undefined && current(char)) {
      token++;
      at++;
    } else if (star !== undefined && star.at < text.length && text[star.at] !== "/") {
      at = ++star.at;
      token = star.token;
    } else return false;
  }
  return true;
}

/**
 * Sorts references for display: name with tag and digest, with tag, with digest, alone, image digests, and last what
 * does not parse; by text among equals.
 */
export function sortReferences(texts: readonly string[]): readonly string[] {
  const keyed = texts.map((text) => sortKey(text));
  return keyed
    .sort((a, b) => a.rank - b.rank || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ text }) => text);
}

function sortKey(text: string): { readonly rank: number; readonly text: string } {
  try {
    const parsed = parseAnyReference(text);
    return { rank: rankOf(parsed), text: parsed.kind === "digest" ? parsed.digest : formatReference(parsed.reference) };
  } catch (error) {
    if (error instanceof TareError) return { rank: 6, text };
    throw error;
  }
}

function rankOf(parsed: AnyReference): number {
  if (parsed.kind === "digest") return 5;
  const { tag, digest } = parsed.reference;
  if (tag !== undefined) return digest === undefined ? 2 : 1;
  return digest === undefined ? 4 : 3;
}
