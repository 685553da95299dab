// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { redactUrls } from "./redact.ts";

/** What is wrong with a text, before it is known as part of what; `parsing` makes it a `TareError`. */
export class GrammarProblem extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Runs a parser; its `GrammarProblem` becomes `E_REQUIREMENTS` that names the text, without credentials. */
export function parsing<T>(what: string, text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof GrammarProblem)) throw error;
    const message = `parsing ${what} \`${shorten(redactUrls(text))}\`: ${redactUrls(error.message)}`;
    throw new TareError("E_REQUIREMENTS", message, error.hint === undefined ? {} : { hint: redactUrls(error.hint) });
  }
}

/** A text as it may stand in a message: control characters visible, at most 2000 characters. */
export function shorten(text: string): string {
  // eslint-disable-next-line no-control-regex
  const visible = text.replace(/[\u0000-\u001f\u007f]/g, (character) => JSON.stringify(character).slice(1, -1));
  return visible.length <= 2000 ? visible : `${visible.slice(0, 1997)}...`;
}
