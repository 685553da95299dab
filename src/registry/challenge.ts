// SPDX-License-Identifier: Apache-2.0

/** One way to authenticate that a server names (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const WORD = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;

/** Parses a `WWW-Authenticate` header, also several joined by commas. What is malformed ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  const text = header.slice(0, 8192);
  for (let at = skip(text, 0); at < text.length;) {
    const word = match(WORD, text, at);
    if (word === undefined) break;
    const after = skipSpace(text, at + word.length);
    const current = found.at(-1);
    if (text[after] === "=" && current) {
      const value = readValue(text, skipSpace(text, after + 1));
      if (value === undefined) break;
      current.parameters.set(word.toLowerCase(), value.text);
      at = skip(text, value.end);
    } else {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      const token = after > at + word.length ? match(TOKEN68, text, after) : undefined;
      at = skip(text, token === undefined || token.includes(",") ? after : after + token.length);
    }
  }
  return found;
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function skip(text: string, at: number): number {
  let end = at;
  while (text[end] === " " || text[end] === "\t" || text[end] === ",") end += 1;
  return end;
}

function skipSpace(text: string, at: number): number {
  let end = at;
  while (text[end] === " " || text[end] === "\t") end += 1;
  return end;
}

function readValue(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  if (text[at] !== '"') {
    const word = match(WORD, text, at);
    return word === undefined ? undefined : { text: word, end: at + word.length };
  }
  let value = "";
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '"') return { text: value, end: end + 1 };
    if (text[end] === "\\") end += 1;
    value += text[end] ?? "";
  }
  return undefined;
}
