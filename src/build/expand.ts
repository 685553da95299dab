// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import { expandWord } from "../dockerfile/index.ts";
import type { Dockerfile, Instruction, FromInstruction } from "../dockerfile/index.ts";

/** Runs `action`; a `TareError` from it gets the instruction's place in the Dockerfile. */
export async function atInstruction<T>(
  dockerfile: Dockerfile,
  instruction: Instruction | FromInstruction,
  action: () => T | Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isTareError(error) || "line" in error.details) throw error;
    const { line, endLine } = instruction.location;
    const details = { ...error.details, file: dockerfile.fileName, line, endLine, text: instruction.text };
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new TareError(error.code, error.message, { ...hint, cause: error, exitCode: error.exitCode, details });
  }
}

/** Expands words of one file against one environment. */
export class Expander {
  readonly #escape: string;
  readonly #environment: ReadonlyMap<string, string>;

  constructor(dockerfile: Dockerfile, environment: ReadonlyMap<string, string>) {
    this.#escape = dockerfile.escape;
    this.#environment = environment;
  }

  word(text: string): string {
    return expandWord(text, this.#environment, { escape: this.#escape }).value;
  }

  optional(text: string | undefined): string | undefined {
    return text === undefined ? undefined : this.word(text);
  }

  /** The words into which the expanded text falls. */
  split(text: string): readonly string[] {
    return expandWord(text, this.#environment, { escape: this.#escape }).words;
  }

  /** The content of a heredoc: quotes are ordinary characters, the escape is always a backslash. */
  content(text: string): string {
    return expandWord(text, this.#environment, { skipQuotes: true }).value;
  }

  /** A command for people: variables shown where they are set, quotes kept. */
  shown(text: string): string {
    try {
      return expandWord(text, this.#environment, { escape: this.#escape, rawQuotes: true, keepUnset: true }).value;
    } catch {
      return text;
    }
  }
}
