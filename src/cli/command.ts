// SPDX-License-Identifier: Apache-2.0
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

/** What a word on the command line may be completed to. */
export type CompletionKind =
  | "image"
  | "container"
  | "running"
  | "volume"
  | "network"
  | "file"
  | "directory"
  | "recipe"
  | "command"
  | "none";

/** One option of a command. */
export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly type: "boolean" | "string" | "list" | "count";
  /** What help shows for the value: `bytes`, `list`; default `string`. */
  readonly valueName?: string;
  /** Shown in help; the value when the option is not given (booleans and strings). */
  readonly default?: string | boolean;
  readonly description: string;
  readonly choices?: readonly string[];
  /** The value need not be given: what stands without one, and what the next word must look like to be one. */
  readonly optional?: { readonly bare: string; readonly value: RegExp };
  readonly hidden?: boolean;
  readonly complete?: CompletionKind;
  /** Parsed but refused: why, and with what it will come. */
  readonly unsupported?: string;
}

/** How many words a command takes besides options; `max` absent = any number. */
export interface ArgumentCount {
  readonly min: number;
  readonly max?: number;
}

/** One line of the examples in help. */
export interface Example {
  readonly line: string;
  readonly text: string;
}

/** What a command's own file exports as `command`: everything that only this command needs. */
export interface CommandBody {
  /** After the command's name: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  /** A paragraph or two for help. */
  readonly description?: string;
  readonly count: ArgumentCount;
  /** Options end at the first word that is none (`run`, `exec`). */
  readonly stopAtPositional?: boolean;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** What each word completes to; the last one repeats. */
  readonly complete?: readonly CompletionKind[];
  /** Exit code of failures that name none; default 1, 125 for `run`. */
  readonly failureCode?: number;
  /** One engine call and its text. The result is the exit code; default 0. */
  run(context: CommandContext, parsed: ParsedArguments): Promise<number | void>;
}

/** Headings of the top-level help, in its order. */
export type CommandGroup = "main" | "containers" | "volumes" | "images" | "system" | "other";

/** What the table knows of a command without loading it. */
export interface CommandEntry {
  /** `run`, `image prune`. */
  readonly name: string;
  /** Other ways to write it: `image ls` for `images`. */
  readonly aliases: readonly string[];
  readonly group: CommandGroup;
  /** One line, no full stop. */
  readonly summary: string;
  readonly hidden?: boolean;
  /** It neither changes the store nor reads files of containers, so an ordinary user needs no namespace for it. */
  readonly outside?: boolean;
  load(): Promise<{ readonly command: CommandBody }>;
}

/** A command with its body loaded. */
export interface CommandSpec extends Omit<CommandEntry, "load">, CommandBody {}

/** Loads a command's body. */
export async function loadCommand(entry: CommandEntry): Promise<CommandSpec> {
  const { load, ...facts } = entry;
  const { command } = await load();
  return { ...facts, ...command };
}
