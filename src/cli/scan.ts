// SPDX-License-Identifier: Apache-2.0
/**
 * Words to options, as Docker's flag library (pflag) reads them: `-it`, `-eB=2`, `-e=B=2`, `--env=C=3`, `--rm=false`,
 * `--`, a value may begin with a dash, and for `run` and `exec` everything after the first word that is no option
 * belongs to the command in the container. `node:util.parseArgs` differs in three of these; see
 * `docs/decisions/0002-command-line-parser.md`.
 */
import { suggest } from "../base/index.ts";
import { usageError } from "./usage-error.ts";
import type { OptionSpec } from "./command.ts";

/** One option as given. Booleans and counts carry a boolean. */
export interface Occurrence {
  readonly option: OptionSpec;
  readonly value: string | boolean;
}

/** What the words of a command line are. */
export interface Scan {
  readonly occurrences: readonly Occurrence[];
  readonly positionals: readonly string[];
  /** Index in the words of the first positional; the number of words when there is none. */
  readonly firstPositional: number;
}

/** What the scanner has to know of a command. */
export interface ScanRules {
  readonly options: readonly OptionSpec[];
  readonly stopAtPositional: boolean;
}

/** Reads `words` by the rules. Throws `E_USAGE` with exit code 125, as Docker does. */
export function scan(words: readonly string[], rules: ScanRules): Scan {
  return new Scanner(words, rules).run();
}

class Scanner {
  readonly #words: readonly string[];
  readonly #rules: ScanRules;
  readonly #occurrences: Occurrence[] = [];
  readonly #positionals: string[] = [];
  #firstPositional: number;
  #next = 0;

  constructor(words: readonly string[], rules: ScanRules) {
    this.#words = words;
    this.#rules = rules;
    this.#firstPositional = words.length;
  }

  run(): Scan {
    for (;;) {
      const index = this.#next;
      const word = this.#words[index];
      if (word === undefined) break;
      this.#next += 1;
      if (word === "--") {
        this.#rest(this.#next);
        break;
      }
      if (word.startsWith("--")) this.#long(word);
      else if (word.startsWith("-") && word !== "-") this.#short(word);
      else if (this.#rules.stopAtPositional) {
        this.#rest(index);
        break;
      } else this.#positional(word, index);
    }
    return {
      occurrences: this.#occurrences,
      positionals: this.#positionals,
      firstPositional: this.#firstPositional,
    };
  }

  #rest(from: number): void {
    for (let index = from; index < this.#words.length; index += 1) this.#positional(this.#words[index] ?? "", index);
  }

  #positional(word: string, index: number): void {
    this.#firstPositional = Math.min(this.#firstPositional, index);
    this.#positionals.push(word);
  }

  #long(word: string): void {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    if (name === "" || name.startsWith("-")) throw usageError(`bad flag syntax: ${word}`);
    const option = this.#rules.options.find((candidate) => candidate.name === name);
    if (!option) throw usageError(`unknown flag: --${name}`, this.#near(name));
    if (equals >= 0) this.#take(option, word.slice(equals + 1));
    else if (option.optional) this.#take(option, this.#optionalValue(option.optional));
    else if (takesValue(option)) this.#take(option, this.#value(`--${name}`));
    else this.#occurrences.push({ option, value: true });
  }

  /** A group of short options: all but the last are booleans; the last may have its value glued on. */
  #short(word: string): void {
    for (let index = 1; index < word.length; index += 1) {
      const letter = word[index] ?? "";
      const option = this.#rules.options.find((candidate) => candidate.short === letter);
      if (!option) throw usageError(`unknown shorthand flag: '${letter}' in ${word}`, this.#nearShort(word));
      const rest = word.slice(index + 1);
      if (rest.startsWith("=")) return this.#take(option, rest.slice(1));
      if (takesValue(option)) return this.#take(option, rest || this.#value(`'${letter}' in ${word}`));
      this.#occurrences.push({ option, value: true });
    }
  }

  #optionalValue({ bare, value }: NonNullable<OptionSpec["optional"]>): string {
    const next = this.#words[this.#next];
    if (next === undefined || !value.test(next)) return bare;
    this.#next += 1;
    return next;
  }

  #value(shown: string): string {
    const value = this.#words[this.#next];
    if (value === undefined) throw usageError(`flag needs an argument: ${shown}`);
    this.#next += 1;
    return value;
  }

  #take(option: OptionSpec, text: string): void {
    if (takesValue(option)) {
      checkChoice(option, text);
      this.#occurrences.push({ option, value: text });
      return;
    }
    const value = parseBoolean(text);
    if (value === undefined)
      throw usageError(`invalid argument "${text}" for "${shownName(option)}" flag: expected true or false`);
    this.#occurrences.push({ option, value });
  }

  #near(name: string): string | undefined {
    const names = this.#rules.options.filter((option) => !option.hidden).map((option) => option.name);
    const near = suggest(name, names) ?? names.find((candidate) => name.length > 2 && candidate.startsWith(name));
    return near === undefined ? undefined : `did you mean \`--${near}\`?`;
  }

  /** `-name` where `--name` was meant. */
  #nearShort(word: string): string | undefined {
    const name = word.slice(1).split("=")[0] ?? "";
    const option = this.#rules.options.find((candidate) => candidate.name === name);
    return name.length > 1 && option ? `did you mean \`--${name}\`?` : undefined;
  }
}

/** True for options whose value may be the next word. */
export function takesValue(option: OptionSpec): boolean {
  return option.type === "string" || option.type === "list";
}

/** `-e, --env`. */
export function shownName(option: OptionSpec): string {
  return option.short ? `-${option.short}, --${option.name}` : `--${option.name}`;
}

/** Go's `strconv.ParseBool`; undefined for anything else. */
function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}

function checkChoice(option: OptionSpec, text: string): void {
  if (!option.choices || option.choices.includes(text)) return;
  const near = suggest(text, option.choices);
  throw usageError(
    `invalid argument "${text}" for "${shownName(option)}" flag: expected one of ${option.choices.join(", ")}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  );
}
