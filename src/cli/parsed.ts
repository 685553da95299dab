// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { SIGNATURE_POLICY_OPTION } from "./common-options.ts";
import { usageError } from "./usage-error.ts";
import { scan, shownName } from "./scan.ts";
import type { CommandBody, OptionSpec } from "./command.ts";
import type { Occurrence } from "./scan.ts";

const HIDDEN_POLICY: OptionSpec = { ...SIGNATURE_POLICY_OPTION, hidden: true };

/** Options that every command understands, shown once in the top-level help. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "root", type: "string", valueName: "path", description: "Folder of the store", complete: "directory" },
  SIGNATURE_POLICY_OPTION,
  { name: "debug", type: "boolean", description: "Show causes and stack traces of errors" },
  { name: "help", type: "boolean", description: "Print usage" },
];

/** Answers what was given; names that the command's table lacks are a bug and throw a plain error. */
export class ParsedArguments {
  readonly positionals: readonly string[];
  readonly #options: readonly OptionSpec[];
  readonly #occurrences: readonly Occurrence[];

  constructor(options: readonly OptionSpec[], occurrences: readonly Occurrence[], positionals: readonly string[]) {
    this.#options = options;
    this.#occurrences = occurrences;
    this.positionals = positionals;
  }

  /** The positional at `index`; an empty text when there is none (the count was checked before). */
  word(index: number): string {
    return this.positionals[index] ?? "";
  }

  /** Whether the command has such an option at all. */
  has(name: string): boolean {
    return this.#options.some((option) => option.name === name);
  }

  given(name: string): boolean {
    return this.#all(name).length > 0;
  }

  boolean(name: string): boolean {
    const last = this.#all(name).at(-1);
    return last === undefined ? this.#option(name).default === true : last.value === true;
  }

  /** The last value, or the default, or undefined. */
  string(name: string): string | undefined {
    const value = this.#all(name).at(-1)?.value ?? this.#option(name).default;
    return typeof value === "string" ? value : undefined;
  }

  /** All values in order. */
  list(name: string): readonly string[] {
    return this.#all(name).map(({ value }) => String(value));
  }

  count(name: string): number {
    return this.#all(name).filter(({ value }) => value === true).length;
  }

  /** The last value as a whole number within the bounds. Throws `E_USAGE`. */
  integer(name: string, bounds: { readonly min?: number; readonly max?: number } = {}): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    const { min = -Infinity, max = Infinity } = bounds;
    if (value >= min && value <= max) return value;
    const range = `a whole number${min > -Infinity ? ` from ${min}` : ""}${max < Infinity ? ` up to ${max}` : ""}`;
    throw usageError(`invalid argument "${text}" for "${this.shown(name)}" flag: expected ${range}`);
  }

  /** `key=value` pairs; the value is empty when there is no `=`. */
  pairs(name: string): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.list(name).map((text) => {
        const equals = text.indexOf("=");
        return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
      }),
    );
  }

  /** How errors name the option: `-e, --env`. */
  shown(name: string): string {
    return shownName(this.#option(name));
  }

  #option(name: string): OptionSpec {
    const option = this.#options.find((candidate) => candidate.name === name);
    if (!option) throw new Error(`the command's table has no option ${name}`);
    return option;
  }

  #all(name: string): readonly Occurrence[] {
    const option = this.#option(name);
    return this.#occurrences.filter((occurrence) => occurrence.option === option);
  }
}

/** Parses a command's words. Throws `E_USAGE` (125 for flags, 1 for the number of words) or `E_UNSUPPORTED`. */
export function parseArguments(name: string, body: CommandBody, words: readonly string[]): ParsedArguments {
  const options = optionsOf(body);
  const found = scan(words, { options, stopAtPositional: body.stopAtPositional ?? false });
  const parsed = new ParsedArguments(options, found.occurrences, found.positionals);
  if (parsed.boolean("help")) return parsed;
  for (const { option } of found.occurrences) refuseUnsupported(option);
  checkCount(name, body, found.positionals.length);
  return parsed;
}

/** A command's options with the common ones. `-h` is help where the command has no other use for it. */
export function optionsOf(body: Pick<CommandBody, "options">): readonly OptionSpec[] {
  const own = new Set(body.options.flatMap((option) => [option.name, option.short]));
  const common = COMMON_OPTIONS.filter((option) => !own.has(option.name)).map((option) =>
    option.name === "help" && !own.has("h") ? { ...option, short: "h" } : option,
  );
  // Shown where images are pulled: those commands list it themselves.
  return [...body.options, ...common.map((option) => (option === SIGNATURE_POLICY_OPTION ? HIDDEN_POLICY : option))];
}

function refuseUnsupported(option: OptionSpec): void {
  if (option.unsupported === undefined) return;
  // The reason, and after a semicolon what to do instead.
  const [reason = "", instead = "leave it out"] = option.unsupported.split("; ");
  throw new TareError("E_UNSUPPORTED", `option \`--${option.name}\`: ${reason}`, { hint: instead, exitCode: 125 });
}

function checkCount(name: string, body: CommandBody, given: number): void {
  const { min, max } = body.count;
  if (given >= min && (max === undefined || given <= max)) return;
  throw new TareError("E_USAGE", `\`tare ${name}\` ${expectedCount(min, max)}`, { exitCode: 1 });
}

function expectedCount(min: number, max: number | undefined): string {
  const arguments_ = (count: number): string => `${count} argument${count === 1 ? "" : "s"}`;
  if (max === 0) return "accepts no arguments";
  if (max === min) return `requires ${arguments_(min)}`;
  if (max === undefined) return `requires at least ${arguments_(min)}`;
  return min === 0 ? `accepts at most ${arguments_(max)}` : `requires ${min} to ${arguments_(max)}`;
}
