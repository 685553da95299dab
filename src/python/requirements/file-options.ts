// SPDX-License-Identifier: Apache-2.0
/** The options that a line of a requirements file may have. */
import { suggest } from "../../base/index.ts";
import { GrammarProblem } from "./problem.ts";
import { splitWords } from "./shell-words.ts";

/** What an option is, whichever way it is spelt. */
export type OptionKind =
  | "index-url"
  | "extra-index-url"
  | "no-index"
  | "constraint"
  | "requirement"
  | "editable"
  | "find-links"
  | "no-binary"
  | "only-binary"
  | "prefer-binary"
  | "require-hashes"
  | "pre"
  | "trusted-host"
  | "use-feature"
  | "global-option"
  | "hash"
  | "config-settings";

const NAMES: Readonly<Record<OptionKind, readonly string[]>> = {
  "index-url": ["-i", "--index-url", "--pypi-url"],
  "extra-index-url": ["--extra-index-url"],
  "no-index": ["--no-index"],
  constraint: ["-c", "--constraint"],
  requirement: ["-r", "--requirement"],
  editable: ["-e", "--editable"],
  "find-links": ["-f", "--find-links"],
  "no-binary": ["--no-binary"],
  "only-binary": ["--only-binary"],
  "prefer-binary": ["--prefer-binary"],
  "require-hashes": ["--require-hashes"],
  pre: ["--pre"],
  "trusted-host": ["--trusted-host"],
  "use-feature": ["--use-feature"],
  "global-option": ["--global-option"],
  hash: ["--hash"],
  "config-settings": ["-C", "--config-settings", "--config-setting"],
};

const FLAGS: ReadonlySet<OptionKind> = new Set(["no-index", "prefer-binary", "require-hashes", "pre"]);

const KINDS: ReadonlyMap<string, OptionKind> = new Map(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map((name) => [name, kind as OptionKind] as const)),
);

/** One option of a line; flags have the value "". */
export interface LineOption {
  readonly kind: OptionKind;
  readonly value: string;
}

/** A line in parts: the requirement, the options, and words that belong to neither. */
export interface SplitLine {
  readonly requirement: string;
  readonly options: readonly LineOption[];
  readonly stray: readonly string[];
}

/** Splits a line at the first word that starts with `-`. Throws `GrammarProblem`. */
export function splitLine(line: string): SplitLine {
  const words = line.split(" ");
  const first = words.findIndex((word) => word.startsWith("-"));
  if (first < 0) return { requirement: line, options: [], stray: [] };
  const options = readOptions(splitWords(words.slice(first).join(" ")));
  return { requirement: words.slice(0, first).join(" "), ...options };
}

function readOptions(words: readonly string[]): Omit<SplitLine, "requirement"> {
  const options: LineOption[] = [];
  const stray: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") return { options, stray: [...stray, ...queue] };
    if (!word.startsWith("-") || word === "-") stray.push(word);
    else options.push(readOption(word, queue));
  }
  return { options, stray };
}

/** `--name value`, `--name=value`, `-n value` or `-nvalue`. */
function readOption(word: string, queue: string[]): LineOption {
  const isLong = word.startsWith("--");
  const end = isLong ? word.indexOf("=") : 2;
  const written = end < 0 ? word : word.slice(0, end);
  const attached = end < 0 || end >= word.length ? undefined : word.slice(isLong ? end + 1 : end);
  const name = isLong ? longName(written) : written;
  const kind = KINDS.get(name);
  if (kind === undefined) throw unknownOption(written);
  if (!FLAGS.has(kind)) {
    const value = attached ?? queue.shift();
    if (value === undefined) throw new GrammarProblem(`option \`${name}\` needs a value`);
    return { kind, value };
  }
  if (attached !== undefined) throw new GrammarProblem(`option \`${name}\` takes no value`);
  return { kind, value: "" };
}

/** Long names may be cut short as long as one option alone starts so. */
function longName(written: string): string {
  if (KINDS.has(written)) return written;
  const fitting = [...KINDS.keys()].filter((name) => name.startsWith(written));
  if (fitting.length < 2) return fitting[0] ?? written;
  throw new GrammarProblem(`option \`${written}\` is ambiguous`, `it may be ${fitting.join(" or ")}`);
}

function unknownOption(name: string): GrammarProblem {
  const near = suggest(name, KINDS.keys());
  const hint =
    near === undefined ? "not every option of pip may stand in a requirements file" : `did you mean ${near}?`;
  return new GrammarProblem(`unknown option \`${name}\``, hint);
}
