// SPDX-License-Identifier: Apache-2.0
import { isSpace, trim, trimStart } from "./text.ts";

/** An instruction's line, taken apart: the keyword as written, its `--flags` and the rest. */
export interface SplitLine {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

const BLANKS = "\t\v\f\r ";

/** Splits at runs of white space, at most into `limit` pieces; white space at the ends gives empty pieces. */
export function splitBlanks(text: string, limit: number = Number.MAX_SAFE_INTEGER): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  let position = 0;
  while (position < text.length && pieces.length < limit - 1) {
    if (!BLANKS.includes(text.charAt(position))) {
      position += 1;
      continue;
    }
    pieces.push(text.slice(start, position));
    while (position < text.length && BLANKS.includes(text.charAt(position))) position += 1;
    start = position;
  }
  pieces.push(text.slice(start));
  return pieces;
}

/** Takes a logical line apart. */
export function splitLine(line: string, escape: string): SplitLine {
  const [keyword = "", tail] = splitBlanks(trim(line), 2);
  if (tail === undefined) return { keyword, flags: [], rest: "" };
  const { flags, rest } = takeFlags(tail, escape);
  return { keyword, flags, rest: trim(rest) };
}

/** Takes words that begin with `--` from the front; quotes and escapes in them are resolved; `--` alone ends them. */
function takeFlags(line: string, escape: string): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let position = 0;
  for (;;) {
    while (isSpace(line[position])) position += 1;
    if (!line.startsWith("--", position)) return { flags, rest: line.slice(position) };
    const word = readFlag(line, position, escape);
    position = word.end;
    if (word.value === "--") return { flags, rest: line.slice(position) };
    flags.push(word.value);
  }
}

function readFlag(line: string, start: number, escape: string): { readonly value: string; readonly end: number } {
  let value = "";
  let quote = "";
  let position = start;
  for (; position < line.length; position += 1) {
    let character = line.charAt(position);
    if (quote === "" && isSpace(character)) break;
    if (quote === "" ? character === "'" || character === '"' : character === quote) {
      quote = quote === "" ? character : "";
      continue;
    }
    if (character === escape) {
      position += 1;
      character = line.charAt(position);
    }
    value += character;
  }
  return { value, end: Math.min(position, line.length) };
}

/** Splits into words at white space outside quotes; quotes and escapes stay in the words. */
export function splitWords(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  let rest = trimStart(text);
  while (rest !== "") {
    const { value, end } = readWord(rest, escape);
    if (value !== "") words.push(value);
    rest = trimStart(rest.slice(end));
  }
  return words;
}

function readWord(text: string, escape: string): { readonly value: string; readonly end: number } {
  let value = "";
  let quote = "";
  let position = 0;
  for (; position < text.length; position += 1) {
    const character = text.charAt(position);
    if (quote === "" && isSpace(character)) break;
    if (character === escape && quote !== "'") {
      if (position + 1 === text.length) continue;
      position += 1;
      value += character + text.charAt(position);
      continue;
    }
    if (quote === character) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    value += character;
  }
  return { value, end: Math.min(position, text.length) };
}
