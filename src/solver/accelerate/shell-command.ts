// SPDX-License-Identifier: Apache-2.0
/*
 * A shell script of simple commands, taken apart without a shell. What the shell would decide by looking at the file
 * system or by running something (globs, `$(…)`, redirections) is not guessed: such a script is "not simple".
 */

/** One command of a script. */
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
 * Reads a script of simple commands, one after the other by `&&`, `;` or lines (POSIX shell, 2.9.1 and 2.2): as long as
 * none of them fails it makes no difference which. `$NAME` and `${NAME}` are replaced from `environment` and split at
 * blanks where they stand unquoted. Wildcards within a word stay as written, so they may be more words than one; none
 * of them is an option. Anything else that a shell would expand, pipe, redirect, or run in the background makes the
 * reading give up.
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
  ["<", "a redirection"],
  [">", "a redirection"],
  ["(", "a subshell"],
  [")", "a subshell"],
  ["`", "a command substitution"],
  ["{", "braces"],
  ["}", "braces"],
]);

class ScriptReader {
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;
  #at = 0;

  constructor(script: string, environment: ReadonlyMap<string, string>) {
    this.#text = script.replaceAll("\\\n", " ");
    this.#environment = environment;
  }

  commands(): readonly SimpleCommand[] {
    const commands: SimpleCommand[] = [];
    for (this.#skipLines(); this.#at < this.#text.length; this.#next()) commands.push(this.#command());
    if (commands.length === 0) throw new NotSimple("no command");
    return commands;
  }

  /** Past what ends a command. After `&&` there must be another one. */
  #next(): void {
    const needsMore = this.#text.startsWith("&&", this.#at);
    if (this.#text[this.#at] === ";") this.#at += 1;
    if (needsMore) this.#at += 2;
    this.#skipLines();
    if (needsMore && this.#at >= this.#text.length) throw new NotSimple("an empty command");
  }

  /** Past blanks, empty lines and comments. */
  #skipLines(): void {
    for (;;) {
      const [skipped = ""] = /^(?:[ \t\n]+|#[^\n]*)/.exec(this.#text.slice(this.#at)) ?? [];
      if (skipped === "") return;
      this.#at += skipped.length;
    }
  }

  #command(): SimpleCommand {
    const assignments: (readonly [string, string])[] = [];
    const words: string[] = [];
    const start = this.#at;
    let end = start;
    while (!this.#isAtEnd()) {
      const assignment = words.length === 0 ? this.#assignment() : undefined;
      if (assignment) assignments.push(assignment);
      else words.push(...this.#word());
      end = this.#at;
      this.#skipBlanks();
    }
    if (words.length === 0) throw new NotSimple(end === start ? "an empty command" : "an assignment alone");
    return { assignments, words, text: this.#text.slice(start, end) };
  }

  /** True at the script's end, before `&&`, `;`, a comment, and at a line's end. */
  #isAtEnd(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (rest === "&&" || rest === "" || /^[\n#]/.test(rest)) return true;
    if (rest.startsWith("&")) throw new NotSimple("a background command");
    if (rest === ";;") throw new NotSimple("a case");
    return rest.startsWith(";");
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
      if (char === "" || /[ \t\n&;]/.test(char)) break;
      const wrong = OPERATORS.get(char);
      if (wrong !== undefined) throw new NotSimple(wrong);
      if (field === undefined && /[*?[]/.test(char)) throw new NotSimple("a word that begins with a wildcard");
      if (char === "'") field = (field ?? "") + this.#singleQuoted();
      else if (char === '"') field = (field ?? "") + this.#doubleQuoted();
      else if (char === "$") {
        const [first = "", ...rest] = this.#expansion().split(/[ \t\n]+/);
        if (first !== "" || rest.length > 0) field = (field ?? "") + first;
        for (const part of rest) {
          if (field !== undefined && field !== "") fields.push(field);
          field = part;
        }
      } else if (char === "~" && field === undefined) field = this.#home();
      else field = (field ?? "") + this.#plain();
    }
    if (field !== undefined) fields.push(field);
    return fields;
  }

  /** `~` and `~/…`, not another user's. */
  #home(): string {
    const home = this.#environment.get("HOME");
    if (home === undefined || !/^(?:[/ \t\n;&]|$)/.test(this.#text[this.#at + 1] ?? ""))
      throw new NotSimple("a home directory");
    this.#at += 1;
    return home;
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
    const name = match[1] ?? match[2] ?? "";
    const value = this.#environment.get(name);
    if (value === undefined) throw new NotSimple(`the variable ${name}, which only the shell knows`);
    return value;
  }
}
