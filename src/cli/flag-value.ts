// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import type { ParsedArguments } from "./parsed.ts";

/** Parses one value of a flag; a wrong one is an `E_USAGE` that names the flag as Docker does. */
export function flagValue<T>(parsed: ParsedArguments, name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!isTareError(error)) throw error;
    throw new TareError(error.code, `invalid argument "${text}" for "${parsed.shown(name)}" flag: ${error.message}`, {
      exitCode: 125,
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** The last value of a flag, parsed; undefined when it was not given. */
export function oneValue<T>(parsed: ParsedArguments, name: string, parse: (text: string) => T): T | undefined {
  const text = parsed.string(name);
  return text === undefined ? undefined : flagValue(parsed, name, text, parse);
}

/** All values of a flag, parsed. */
export function allValues<T>(parsed: ParsedArguments, name: string, parse: (text: string) => T): readonly T[] {
  return parsed.list(name).map((text) => flagValue(parsed, name, text, parse));
}

/** An object without its undefined members, as `exactOptionalPropertyTypes` wants it. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
