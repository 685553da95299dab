// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** Exit code of `run` for a command line that is wrong, as Docker has it. */
const USAGE_EXIT_CODE = 125;

/** An `E_USAGE` error for an option's value. */
export function usage(message: string, hint?: string): TareError {
  const options = { exitCode: USAGE_EXIT_CODE };
  return new TareError("E_USAGE", message, hint === undefined ? options : { ...options, hint });
}

/** Cuts a text at the first separator; `value` is undefined when there is none. */
export function cut(text: string, separator: string): { readonly key: string; readonly value: string | undefined } {
  const at = text.indexOf(separator);
  if (at < 0) return { key: text, value: undefined };
  return { key: text.slice(0, at), value: text.slice(at + separator.length) };
}

/** A text in Go's `%q` form, for messages that Docker prints so. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A decimal integer as Go's `strconv.Atoi` reads it, or why it is none. */
export function parseInteger(text: string): number | "invalid syntax" | "value out of range" {
  if (!/^[+-]?[0-9]+$/.test(text)) return "invalid syntax";
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : "value out of range";
}
