// SPDX-License-Identifier: Apache-2.0
import { COMMANDS, groupEntries, groupNames, groupOf, lookUp } from "./commands/table.ts";
import { loadCommand } from "./command.ts";
import { optionsOf } from "./parsed.ts";
import { takesValue } from "./scan.ts";
import type { Engine } from "../engine/index.ts";
import type { CommandSpec, CompletionKind, OptionSpec } from "./command.ts";

/** One thing that the last word may become. `:file` and `:directory` hand over to the shell. */
export interface Candidate {
  readonly value: string;
  readonly text: string;
}

const GLOBAL_VALUES = new Set(["--root", "--host", "-H", "--log-level", "-l", "--config"]);

/** Understood for the sake of Docker's users, not offered. */
const FOREIGN_GROUPS = new Set(["builder", "buildx"]);

/** What the last of `words` (after `tare`) may become. */
export async function complete(words: readonly string[], engine: () => Promise<Engine>): Promise<readonly Candidate[]> {
  const rest = words.slice(globalWords(words));
  const current = rest.at(-1) ?? "";
  if (rest[0] === "help") return commandNames(rest.slice(1, -1), current);
  const found = lookUp(rest.slice(0, -1));
  if (!found) return commandNames(rest.slice(0, -1), current);
  const spec = await loadCommand(found.entry);
  return (await argumentsOf(spec, rest.slice(found.words), engine)).filter(({ value }) => fits(value, current));
}

/** How many words before the command are options of `tare` itself. */
function globalWords(words: readonly string[]): number {
  let count = 0;
  while (count < words.length - 1 && words[count]?.startsWith("-"))
    count += GLOBAL_VALUES.has(words[count] ?? "") ? 2 : 1;
  return Math.min(count, words.length - 1);
}

function commandNames(before: readonly string[], current: string): readonly Candidate[] {
  if (before.length > 0) {
    const found = groupOf(before);
    return found?.words === before.length ? membersOf(found.group, current) : [];
  }
  const commands = COMMANDS.filter((entry) => !entry.hidden && !entry.name.includes(" "));
  const names = [
    ...commands.map((entry) => ({ value: entry.name, text: entry.summary })),
    ...groupNames()
      .filter((name) => !FOREIGN_GROUPS.has(name))
      .map((name) => ({ value: name, text: `Commands of ${name}` })),
    { value: "help", text: "Help about a command" },
  ];
  return names.filter(({ value }) => value.startsWith(current));
}

/** Members with one word more, and groups inside of the group. */
function membersOf(group: string, current: string): readonly Candidate[] {
  const members = groupEntries(group).map(([name, { summary }]) => {
    const [word = "", ...rest] = name.split(" ");
    return { value: word, text: rest.length === 0 ? summary : `Commands of ${group} ${word}` };
  });
  const known = new Set<string>();
  return members.filter(({ value }) => {
    if (known.has(value) || !value.startsWith(current)) return false;
    known.add(value);
    return true;
  });
}

async function argumentsOf(
  spec: CommandSpec,
  words: readonly string[],
  engine: () => Promise<Engine>,
): Promise<readonly Candidate[]> {
  const options = optionsOf(spec).filter((option) => !option.hidden && option.unsupported === undefined);
  const current = words.at(-1) ?? "";
  const before = walk(options, words.slice(0, -1), spec.stopAtPositional ?? false);
  if (before.open) return valuesOf(before.open, "", engine);
  const glued = /^(--[^=]+=)/.exec(current)?.[1];
  if (glued !== undefined && !before.ended) {
    const option = options.find(({ name }) => `--${name}=` === glued);
    return option ? valuesOf(option, glued, engine) : [];
  }
  if (current.startsWith("-") && !before.ended)
    return options.map((option) => ({ value: `--${option.name}`, text: option.description }));
  const kinds = spec.complete ?? [];
  return candidatesOf(kinds[Math.min(before.positionals, kinds.length - 1)] ?? "none", "", engine);
}

interface Walk {
  /** The option whose value is being typed. */
  readonly open?: OptionSpec;
  readonly positionals: number;
  /** No options any more: after `--`, or after the image of `run`. */
  readonly ended: boolean;
}

function walk(options: readonly OptionSpec[], words: readonly string[], stopAtPositional: boolean): Walk {
  let positionals = 0;
  let ended = false;
  let open: OptionSpec | undefined;
  for (const word of words) {
    if (open) open = undefined;
    else if (ended || !word.startsWith("-") || word === "-") {
      positionals += 1;
      ended ||= stopAtPositional;
    } else if (word === "--") ended = true;
    else open = openedBy(options, word);
  }
  return { positionals, ended, ...(open ? { open } : {}) };
}

function openedBy(options: readonly OptionSpec[], word: string): OptionSpec | undefined {
  if (word.startsWith("--")) return options.find((option) => takesValue(option) && `--${option.name}` === word);
  const letters = Array.from(word.slice(1));
  const first = letters.findIndex((letter) => options.some((option) => option.short === letter && takesValue(option)));
  if (first < 0 || first < letters.length - 1) return undefined;
  return options.find((option) => option.short === letters[first]);
}

async function valuesOf(
  option: OptionSpec,
  prefix: string,
  engine: () => Promise<Engine>,
): Promise<readonly Candidate[]> {
  if (option.choices) return option.choices.map((value) => ({ value: prefix + value, text: option.description }));
  if (option.type === "boolean") return ["true", "false"].map((value) => ({ value: prefix + value, text: "" }));
  return candidatesOf(option.complete ?? "none", prefix, engine);
}

async function candidatesOf(
  kind: CompletionKind,
  prefix: string,
  engine: () => Promise<Engine>,
): Promise<readonly Candidate[]> {
  const named = (names: readonly string[], text: string): readonly Candidate[] =>
    names.map((name) => ({ value: prefix + name, text }));
  switch (kind) {
    case "file":
    case "directory":
      return [{ value: `:${kind}`, text: "" }];
    case "image":
      return named(await (await engine()).images.names(), "image");
    case "container":
    case "running":
      return named(await (await engine()).containers.names({ all: kind === "container" }), "container");
    case "volume":
      return named(await (await engine()).volumes.names(), "volume");
    case "network":
      return named(await (await engine()).networks.names(), "network");
    case "recipe":
      return (await (await engine()).bases.recipes()).map(({ name, summary }) => ({
        value: prefix + name,
        text: summary,
      }));
    case "command":
    case "none":
      return [];
  }
}

/** Names may be written without the tag that is added anyway. */
function fits(value: string, current: string): boolean {
  return value.startsWith(":") || value.startsWith(current);
}
