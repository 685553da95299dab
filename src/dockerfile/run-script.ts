// SPDX-License-Identifier: Apache-2.0
import { chompTabs, heredocOf } from "./heredoc.ts";
import type { Heredoc } from "./heredoc.ts";
import type { CommandLine, RunInstruction } from "./instruction.ts";

/** What a RUN does: a command, or a file of its own that is executed (a heredoc that begins with `#!`). */
export type RunScript =
  | { readonly kind: "command"; readonly command: CommandLine }
  | { readonly kind: "file"; readonly name: string; readonly content: string };

/**
 * Resolves the heredocs of a RUN. A heredoc alone is the script itself, run by the shell or, with `#!`, as a file;
 * beside other words the shell gets the line and the heredocs as they were written.
 */
export function runScript(run: Pick<RunInstruction, "command" | "heredocs">): RunScript {
  const { command, heredocs } = run;
  const [first] = heredocs;
  if (first === undefined || command.form === "exec") return { kind: "command", command };
  if (heredocOf(command.command) === undefined) return shell(command.command + written(heredocs));
  const content = first.chomp ? chompTabs(first.content) : first.content;
  if (first.content.startsWith("#!")) return { kind: "file", name: first.name, content };
  return shell(content);
}

function shell(command: string): RunScript {
  return { kind: "command", command: { form: "shell", command } };
}

function written(heredocs: readonly Heredoc[]): string {
  return heredocs.map(({ content, name }) => `\n${content}${name}`).join("");
}
