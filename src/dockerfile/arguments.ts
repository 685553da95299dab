// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";
import { cut, isSpace, quoted, trimStart } from "./text.ts";
import { splitBlanks, splitWords } from "./words.ts";

/** The words of an instruction by the rules of its keyword. */
export interface ParsedArguments {
  readonly args: readonly string[];
  readonly isJson: boolean;
  readonly brokenJson: boolean;
}

type Rule = (rest: string, escape: string) => ParsedArguments;

const RULES: Readonly<Record<string, Rule>> = {
  add: jsonOrBlanks,
  arg: (rest, escape) => plain(splitWords(rest, escape)),
  cmd: jsonOrWhole,
  copy: jsonOrBlanks,
  entrypoint: jsonOrWhole,
  env: (rest, escape) => plain(keyValues(rest, "ENV", escape)),
  expose: blanks,
  from: blanks,
  healthcheck: healthcheck,
  label: (rest, escape) => plain(keyValues(rest, "LABEL", escape)),
  maintainer: whole,
  onbuild: () => plain([]),
  run: jsonOrWhole,
  shell: jsonOrWhole,
  stopsignal: whole,
  user: whole,
  volume: jsonOrBlanks,
  workdir: whole,
};

/** The keywords of all instructions, in capitals. */
export const KEYWORDS: readonly string[] = Object.keys(RULES).map((name) => name.toUpperCase());

/** Splits what follows keyword and flags by the rules of `keyword` (in small letters). Throws `E_DF_JSON`, `E_DF_ARGS`. */
export function parseArguments(keyword: string, rest: string, escape: string): ParsedArguments {
  const rule = Object.hasOwn(RULES, keyword) ? RULES[keyword] : undefined;
  return rule === undefined ? plain([""]) : rule(rest, escape);
}

function plain(args: readonly string[]): ParsedArguments {
  return { args, isJson: false, brokenJson: false };
}

function whole(rest: string): ParsedArguments {
  return plain(rest === "" ? [] : [rest]);
}

function blanks(rest: string): ParsedArguments {
  return plain(rest === "" ? [] : splitBlanks(rest));
}

function jsonOrWhole(rest: string): ParsedArguments {
  return orElse(rest, whole);
}

function jsonOrBlanks(rest: string): ParsedArguments {
  return orElse(rest, blanks);
}

function orElse(rest: string, otherwise: (rest: string) => ParsedArguments): ParsedArguments {
  const args = jsonStrings(rest);
  if (args !== undefined) return { args, isJson: true, brokenJson: false };
  return { ...otherwise(rest), brokenJson: trimStart(rest).startsWith("[") };
}

/** The elements of a JSON array of strings; undefined when `text` is no JSON array. Throws `E_DF_JSON` for other elements. */
function jsonStrings(text: string): readonly string[] | undefined {
  const start = trimStart(text);
  if (!start.startsWith("[")) return undefined;
  const parsed = parseJson(start);
  if (!Array.isArray(parsed)) return undefined;
  return parsed.map((item: unknown) => {
    if (typeof item === "string") return item.toWellFormed();
    throw problem("E_DF_JSON", "when using JSON array syntax, arrays must be comprised of strings only");
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `HEALTHCHECK type command`. */
function healthcheck(rest: string): ParsedArguments {
  let end = 0;
  while (end < rest.length && !isSpace(rest[end])) end += 1;
  if (end === 0) return plain([]);
  const command = jsonOrWhole(trimStart(rest.slice(end)));
  return { ...command, args: [rest.slice(0, end), ...command.args] };
}

/** Triples of name, value and separator; the old form `name value` has an empty separator. */
function keyValues(rest: string, keyword: string, escape: string): readonly string[] {
  const words = splitWords(rest, escape);
  const first = words[0];
  if (first === undefined) return [];
  if (first.includes("=")) return words.flatMap((word) => keyValue(word));
  const [name = "", value] = splitBlanks(rest, 2);
  if (value !== undefined) return [name, value, ""];
  throw problem("E_DF_ARGS", `${keyword} must have two arguments`, `write \`${keyword} ${name}=value\``);
}

function keyValue(word: string): readonly string[] {
  const [name, value] = cut(word, "=");
  if (value !== undefined) return [name, value, "="];
  throw problem(
    "E_DF_ARGS",
    `Syntax error - can't find = in ${quoted(word)}. Must be of the form: name=value`,
    "put quotes around a value that has spaces",
  );
}
