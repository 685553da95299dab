// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { didYouMean, problem } from "./problem.ts";
import { cut } from "./text.ts";

/** What a flag takes: a truth value, one word, or a word each time it is given. */
export type FlagKind = "boolean" | "string" | "list";

/** The flags of one instruction after checking. */
export interface Flags {
  /** Names in the order of their first use. */
  readonly used: readonly string[];
  /** The value of a string flag that was given. */
  string(name: string): string | undefined;
  /** The value of a boolean flag that was given. */
  boolean(name: string): boolean | undefined;
  /** All values of a list flag. */
  list(name: string): readonly string[];
}

/** Checks `--name=value` words against the flags that an instruction knows. Throws `E_DF_FLAG`. */
export function parseFlags(words: readonly string[], known: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, string[]>();
  for (const word of words) {
    if (word === "--") break;
    if (!word.startsWith("--")) throw problem("E_DF_FLAG", `arg should start with -- : ${word}`);
    const [flag, value] = cut(word, "=");
    const name = flag.slice(2);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw unknownFlag(flag, Object.keys(known));
    const earlier = values.get(name);
    if (earlier !== undefined && kind !== "list") throw problem("E_DF_FLAG", `duplicate flag specified: ${flag}`);
    values.set(name, [...(earlier ?? []), checkValue(flag, value, kind)]);
  }
  return {
    used: [...values.keys()],
    string: (name) => values.get(name)?.[0],
    boolean: (name) => (values.has(name) ? values.get(name)?.[0] === "true" : undefined),
    list: (name) => values.get(name) ?? [],
  };
}

function unknownFlag(flag: string, known: readonly string[]): Error {
  const near = suggest(
    flag,
    known.map((name) => `--${name}`),
  );
  const none = known.length === 0 ? "this instruction has no flags" : undefined;
  return problem("E_DF_FLAG", `unknown flag: ${flag}`, didYouMean(near) ?? none);
}

function checkValue(flag: string, value: string | undefined, kind: FlagKind): string {
  if (kind === "boolean" && value === undefined) return "true";
  if (value === undefined || (kind === "boolean" && value === "")) {
    throw problem("E_DF_FLAG", `missing a value on flag: ${flag}`);
  }
  if (kind !== "boolean") return value;
  const lower = value.toLowerCase();
  if (lower === "true" || lower === "false") return lower;
  throw problem("E_DF_FLAG", `expecting boolean value for flag ${flag}, not: ${value}`);
}
