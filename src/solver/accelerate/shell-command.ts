// SPDX-License-Identifier: Apache-2.0
/*
 * A shell script of one simple command, taken apart without a shell. What the shell would decide by looking at the
 * file system or by running something (globs, `$(…)`, redirections) is not guessed: such a script is "not simple".
 */

/** One command of a script joined by `&&`. */
export interface SimpleCommand {
  /** `NAME=value` words before the command, expanded. */
  readonly assignments: readonly (readonly [string, string])[];
  readonly words: readonly string[];
  /** As written, fit to get further words appended. */
  readonly text: string;
}

/** The commands of a script, or why it can't be told what it does. */
export type ScriptReading = { readonly commands: readonly SimpleCommand[] } | { readonly reason: string };

/**
 * Reads a script of simple commands joined by `&&` (POSIX shell, 2.9.1 and 2.2). `$NAME` and `${NAME}` are replaced
 * from `environment` and split at blanks where they stand unquoted; anything else that a shell would expand, pipe,
 * redirect, or run in the background makes the reading give up.
 */
export function readScript(script: string, environment: ReadonlyMap<string, string>): ScriptReading {
  try {
    return { commands: new ScriptReader(script, environment).commands() };
  } catch (error) {
    if (error instanceof NotSimple) return { reason: error.message };
    throw error;
  }
}

class NotSimple extends Error {}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=([^]*)$/;
/** Characters that begin something else than a word, unquoted. */
const OPERATORS: ReadonlyMap<string, string> = new Map([
  ["|", "a pipe or `||`"],
  [";", "several commands joined by `;`"],
  ["<", "a redirection"],
  [">", "a redirection"],
  ["(", "a subshell"],
  [")", "a subshell"],
  ["`", "a command substitution"],
  ["*", "a wildcard"],
  ["?", "a wildcard"],
  ["[", "a wildcard"],
  ["{", "braces"],
  ["}", "braces"],
  ["#", "a comment"],
  ["!", "a negation"],
]);

class ScriptReader {
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;
  #at = 0;

  constructor(script: string, environment: ReadonlyMap<string, string>) {
    this.#text = script.replaceAll("\\\n", " ").trimStart().replace(/\n+$/, "");
    this.#environment = environment;
  }

  commands(): readonly SimpleCommand[] {
    const commands: SimpleCommand[] = [];
    do commands.push(this.#command());
    while (this.#takeAnd());
    return commands;
  }

  #takeAnd(): boolean {
    if (this.#at >= this.#text.length) return false;
    this.#at += 2;
    return true;
  }

  #command(): SimpleCommand {
    const assignments: (readonly [string, string])[] = [];
    const words: string[] = [];
    this.#skipBlanks();
    const start = this.#at;
    let end = start;
    while (!this.#isAtEnd()) {
      const assignment = words.length === 0 ? this.#assignment() : undefined;
      if (assignment) assignments.push(assignment);
      else words.push(...this.#word());
      end = this.#at;
      this.#skipBlanks();
    }
    if (words.length === 0) throw new NotSimple("an empty command");
    return { assignments, words, text: this.#text.slice(start, end) };
  }

  /** True at the script's end and before `&&`. */
  #isAtEnd(): boolean {
    if (this.#at >= this.#text.length) return true;
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (two === "&&") return true;
    if (two.startsWith("&")) throw new NotSimple("a background command");
    if (two.startsWith("\n")) throw new NotSimple("several lines");
    return false;
  }

  #skipBlanks(): void {
    while (/[ \t]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  /** `NAME=value` at this place: its value is one word, never split. */
  #assignment(): readonly [string, string] | undefined {
    if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(this.#text.slice(this.#at, this.#at + 256))) return undefined;
    const [, name = "", value = ""] = ASSIGNMENT.exec(this.#word().join(" ")) ?? [];
    return [name, value];
  }

  /** One word as the fields it becomes: none for an empty unquoted expansion, several when one is split. */
  #word(): readonly string[] {
    const fields: string[] = [];
    let field: string | undefined;
    for (;;) {
      const char = this.#text[this.#at] ?? "";
      if (char === "" || /[ \t\n&]/.test(char)) break;
      const wrong = OPERATORS.get(char);
      if (wrong !== undefined && !(char === "#" && field !== undefined) && char !== "!") throw new NotSimple(wrong);
      if (char === "'") field = (field ?? "") + this.#singleQuoted();
      else if (char === '"') field = (field ?? "") + this.#doubleQuoted();
      else if (char === "$") {
        const [first = "", ...rest] = this.#expansion().split(/[ \t\n]+/);
        if (first !== "" || rest.length > 0) field = (field ?? "") + first;
        for (const part of rest) {
          if (field !== undefined && field !== "") fields.push(field);
          field = part;
        }
      } else if (char === "~" && field === undefined) throw new NotSimple("a home directory");
      else field = (field ?? "") + this.#plain();
    }
    if (field !== undefined) fields.push(field);
    return fields;
  }

  #plain(): string {
    if (this.#text[this.#at] === "\\") this.#at += 1;
    this.#at += 1;
    return this.#text[this.#at - 1] ?? "";
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new NotSimple("an unclosed quote");
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    let text = "";
    this.#at += 1;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new NotSimple("an unclosed quote");
      if (char === '"') break;
      if (char === "`") throw new NotSimple("a command substitution");
      if (char === "$") text += this.#expansion();
      else if (char === "\\" && /[$`"\\]/.test(this.#text[this.#at + 1] ?? "")) text += this.#plain();
      else {
        text += char;
        this.#at += 1;
      }
    }
    this.#at += 1;
    return text;
  }

  #expansion(): string {
    const match = /^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/.exec(this.#text.slice(this.#at));
    if (!match) throw new NotSimple("a substitution");
    this.#at += match[0].length;
    return this.#environment.get(match[1] ?? match[2] ?? "") ?? "";
  }
}
