// SPDX-License-Identifier: Apache-2.0
/*
 * Strict reading of a specification's fields. As the standard's own library reads them: an unknown field is an error,
 * `null` is absent, and a number where a text belongs is its digits (`name: 0` in YAML).
 */
import { TareError } from "../../base/index.ts";
import { isMembers } from "../../oci/index.ts";

/** Reads a value that stands at the path `at`. Throws `E_CDI_SPEC`. */
export type Reader<T> = (value: unknown, at: string) => T;

type Readers = Readonly<Record<string, Reader<unknown>>>;
type Read<R extends Readers> = { readonly [K in keyof R]: ReturnType<R[K]> };

/** An error about a specification; who reads a file puts its name before it. */
export function specError(at: string, why: string): TareError {
  return new TareError("E_CDI_SPEC", at === "" ? why : `${at}: ${why}`, { exitCode: 125 });
}

export const text: Reader<string> = (value, at) => {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw specError(at, `expected a text, got ${kindOf(value)}`);
};

export const flag: Reader<boolean> = (value, at) => {
  if (typeof value === "boolean") return value;
  throw specError(at, `expected true or false, got ${kindOf(value)}`);
};

/** An integer from `lowest` to `highest`. */
export function integer(lowest: number, highest: number): Reader<number> {
  return (value, at) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
    const range = highest === Number.MAX_SAFE_INTEGER ? "an integer" : `an integer of ${lowest} to ${highest}`;
    throw specError(at, `expected ${range}, got ${typeof value === "number" ? String(value) : kindOf(value)}`);
  };
}

/** A list; absent items are refused. */
export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw specError(at, `expected a list, got ${kindOf(value)}`);
    return value.map((one: unknown, index) => item(one, `${at}[${index}]`));
  };
}

/** An object whose keys are free. */
export function texts(value: unknown, at: string): Readonly<Record<string, string>> {
  if (!isMembers(value)) throw specError(at, `expected an object, got ${kindOf(value)}`);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (typeof one !== "string") throw specError(`${at}.${key}`, `expected a text, got ${kindOf(one)}`);
      return [key, one];
    }),
  );
}

/** An object with these fields and no others. */
export function object<R extends Readers, O extends Readers>(
  required: R,
  optional: O,
): Reader<Read<R> & Partial<Read<O>>> {
  const known: Readers = { ...required, ...optional };
  return (value, at) => {
    if (!isMembers(value)) throw specError(at, `expected an object, got ${kindOf(value)}`);
    const entries = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
      const reader = Object.hasOwn(known, name) ? known[name] : undefined;
      if (reader === undefined) throw specError(at, `unknown field \`${name.slice(0, 100)}\``);
      return member === null ? [] : [[name, reader(member, at === "" ? name : `${at}.${name}`)]];
    });
    const read: Record<string, unknown> = Object.fromEntries(entries);
    for (const name of Object.keys(required)) {
      if (read[name] === undefined) throw specError(at, `the field \`${name}\` is missing`);
    }
    return read as Read<R> & Partial<Read<O>>;
  };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `\`${String(value).slice(0, 100)}\``;
}
