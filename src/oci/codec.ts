// SPDX-License-Identifier: Apache-2.0
// Small combinators for JSON documents: a codec reads an unknown value into a type, with the JSON path in errors, and
// puts a value's fields into one fixed order for writing. Fields that a codec does not know are kept: they are written
// after the known ones, sorted. `null` in an optional field means absent, as Go writes empty slices and maps.
import { canonicalJson } from "../base/index.ts";
import { documentError, parseJson } from "./json.ts";

/** Reads and orders values of one type. */
export interface Codec<T> {
  /** Checks a parsed JSON value; `at` says where it stands. Throws `E_MANIFEST`. */
  readonly read: (value: unknown, at: Place) => T;
  /** The same value with its object keys in writing order. */
  readonly order: (value: unknown) => unknown;
}

/** Where in which document a value stands. */
export interface Place {
  readonly document: string;
  readonly path: string;
}

type Members = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, Codec<unknown>>>;
type Read<C> = C extends Codec<infer T> ? T : never;
type Shape<R extends Fields, O extends Fields> = { readonly [K in keyof R]: Read<R[K]> } & {
  readonly [K in keyof O]?: Read<O[K]>;
};

const same = (value: unknown): unknown => value;

/** Stops reading with an error at this place. */
export function fail(at: Place, why: string, hint?: string): never {
  throw documentError(at.document, at.path, why, hint);
}

/** Parses a document's text with a codec. Throws `E_MANIFEST`. */
export function decode<T>(codec: Codec<T>, text: string, document: string): T {
  return codec.read(parseJson(text, document), { document, path: "" });
}

/** The canonical compact JSON of a value: equal values give equal bytes. */
export function encode<T>(codec: Codec<T>, value: T): string {
  return JSON.stringify(codec.order(value));
}

/** True for a JSON object. */
export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A codec of a scalar from a test; `expected` names what it wants. */
export function scalar<T>(expected: string, test: (value: unknown) => value is T): Codec<T> {
  return {
    read: (value, at) => (test(value) ? value : fail(at, `expected ${expected}, got ${describe(value)}`)),
    order: same,
  };
}

export const string: Codec<string> = scalar("a string", (value) => typeof value === "string");
export const boolean: Codec<boolean> = scalar("true or false", (value) => typeof value === "boolean");
export const integer: Codec<number> = scalar("an integer", (value): value is number => Number.isSafeInteger(value));
export const size: Codec<number> = scalar(
  "a non-negative integer below 2^53",
  (value): value is number => Number.isSafeInteger(value) && typeof value === "number" && value >= 0,
);
export const emptyObject: Codec<Readonly<Record<string, never>>> = scalar(
  "an object",
  (value): value is Readonly<Record<string, never>> => isMembers(value),
);

/** A string with a grammar. */
export function text<T extends string>(expected: string, test: (value: string) => boolean): Codec<T> {
  return scalar(expected, (value): value is T => typeof value === "string" && test(value));
}

/** An array of one element type. */
export function arrayOf<T>(element: Codec<T>): Codec<readonly T[]> {
  return {
    read: (value, at) => {
      if (!Array.isArray(value)) return fail(at, `expected an array, got ${describe(value)}`);
      return value.map((item: unknown, index) => element.read(item, below(at, `[${index}]`)));
    },
    order: (value) => (Array.isArray(value) ? value.map((item: unknown) => element.order(item)) : value),
  };
}

/** An object used as a map from any key to one element type; written in key order. */
export function mapOf<T>(element: Codec<T>): Codec<Readonly<Record<string, T>>> {
  return {
    read: (value, at) => {
      if (!isMembers(value)) return fail(at, `expected an object, got ${describe(value)}`);
      const entries = Object.entries(value);
      return Object.fromEntries(entries.map(([key, item]) => [key, element.read(item, below(at, `[${quote(key)}]`))]));
    },
    order: (value) => {
      if (!isMembers(value)) return value;
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(entries.map(([key, item]) => [key, element.order(item)]));
    },
  };
}

/** An object with named fields in writing order `order` (required and optional names; default: as declared). */
export function object<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
  order: readonly string[] = [...Object.keys(required), ...Object.keys(optional)],
): Codec<Shape<R, O>> {
  const fields = new Map([...Object.entries(required), ...Object.entries(optional)]);
  const mandatory = new Set(Object.keys(required));
  return {
    read: (value, at) => {
      if (!isMembers(value)) return fail(at, `expected an object, got ${describe(value)}`);
      for (const name of mandatory) if (!Object.hasOwn(value, name)) fail(at, `the field \`${name}\` is missing`);
      const entries = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
        const codec = fields.get(name);
        if (codec === undefined) return [[name, member]];
        if (member === null && !mandatory.has(name)) return [];
        return [[name, codec.read(member, below(at, `.${name}`))]];
      });
      return Object.fromEntries(entries) as Shape<R, O>;
    },
    order: (value) => orderFields(value, fields, order),
  };
}

function orderFields(value: unknown, fields: ReadonlyMap<string, Codec<unknown>>, order: readonly string[]): unknown {
  if (!isMembers(value)) return value;
  const known = order.flatMap((name): [string, unknown][] => {
    const member = value[name];
    return member === undefined ? [] : [[name, fields.get(name)?.order(member)]];
  });
  const unknown = Object.entries(value)
    .filter(([name, member]) => !fields.has(name) && member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]): [string, unknown] => [name, JSON.parse(canonicalJson(member))]);
  return Object.fromEntries([...known, ...unknown]);
}

function below(at: Place, step: string): Place {
  return { document: at.document, path: at.path === "" && step.startsWith(".") ? step.slice(1) : at.path + step };
}

function quote(key: string): string {
  return JSON.stringify(key.slice(0, 100));
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return `\`${String(value).slice(0, 100)}\``;
}
