// SPDX-License-Identifier: Apache-2.0
import { TareError, messageOf } from "../../base/index.ts";

/** A template function; its arguments are already evaluated. */
export type TemplateFunction = (...values: readonly unknown[]) => unknown;

/** An error while a template runs: exit code 1, as Docker's. */
export function templateError(reason: string, hint?: string): TareError {
  return new TareError("E_USAGE", `running the template: ${reason}`, hint === undefined ? {} : { hint });
}

/** The functions of Go's text/template and those that Docker adds (`and`, `or` are in the evaluator: they are lazy). */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value ?? null),
  split: (text, separator) => asText(text).split(asText(separator)),
  join: (list, separator) => asList(list).map(show).join(asText(separator)),
  lower: (text) => asText(text).toLowerCase(),
  upper: (text) => asText(text).toUpperCase(),
  title: (text) => asText(text).replaceAll(/(?<=^|[\s_-])\p{L}/gu, (letter) => letter.toUpperCase()),
  trim: (text) => asText(text).trim(),
  pad: (text, before, after) =>
    text === "" ? "" : " ".repeat(asCount(before)) + asText(text) + " ".repeat(asCount(after)),
  truncate: (text, length) => Array.from(asText(text)).slice(0, asCount(length)).join(""),
  print: (...values) => printValues(values),
  println: (...values) => `${values.map(show).join(" ")}\n`,
  printf: (format, ...values) => printf(asText(format), values),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce((inner, key) => indexOf(inner, key), value),
  slice: (value, from, to) => sliceOf(value, from, to),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => first === other || (first == null && other == null)),
  ne: (first, second) => first !== second,
  lt: (first, second) => compare(first, second) < 0,
  le: (first, second) => compare(first, second) <= 0,
  gt: (first, second) => compare(first, second) > 0,
  ge: (first, second) => compare(first, second) >= 0,
  html: (value) => show(value).replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`),
  urlquery: (value) => encodeURIComponent(show(value)),
};

/** Go's truth: zero values and empty collections are false. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Go's `%v`. */
export function show(value: unknown): string {
  if (value === undefined) return "<no value>";
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${show(inner)}`).join(" ")}]`;
}

/** Go's `fmt.Sprint`: a blank between two values when neither is a string. */
function printValues(values: readonly unknown[]): string {
  return values.reduce<string>((text, value, index) => {
    const apart = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
    return `${text}${apart ? " " : ""}${show(value)}`;
  }, "");
}

function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replaceAll(
    /%([-+ 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const one = formatted(verb, values[next++], precision);
      const filler = flags.includes("0") && !flags.includes("-") ? "0" : " ";
      return flags.includes("-") ? one.padEnd(Number(width)) : one.padStart(Number(width), filler);
    },
  );
  return next < values.length ? `${text}%!(EXTRA ${values.slice(next).map(show).join(", ")})` : text;
}

function formatted(verb: string, value: unknown, precision: string | undefined): string {
  switch (verb) {
    case "s":
    case "v":
      return precision === undefined ? show(value) : show(value).slice(0, Number(precision));
    case "q":
      return JSON.stringify(show(value));
    case "d":
      return typeof value === "number" ? String(Math.trunc(value)) : `%!d(${show(value)})`;
    case "x":
      return typeof value === "number" ? value.toString(16) : Buffer.from(show(value)).toString("hex");
    case "f":
      return typeof value === "number" ? value.toFixed(Number(precision ?? 6)) : `%!f(${show(value)})`;
    case "t":
      return String(value);
    default:
      return `%!${verb}(${show(value)})`;
  }
}

function indexOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const at = asCount(key);
    if (at >= value.length) throw templateError(`index ${at} of a list of ${value.length}`);
    return value[at];
  }
  if (typeof value === "object" && value !== null) return memberOf(value, show(key));
  throw templateError(`\`index\` of ${value === undefined || value === null ? "nothing" : `\`${show(value)}\``}`);
}

/** Go gives the zero value for what a map lacks; one of texts only has the empty text. */
function memberOf(value: object, key: string): unknown {
  const members = Object.entries(value);
  const found = members.find(([name]) => name === key);
  if (found) return found[1];
  return members.every(([, member]) => typeof member === "string") ? "" : undefined;
}

function sliceOf(value: unknown, from: unknown, to: unknown): unknown {
  const end = to === undefined ? undefined : asCount(to);
  const start = from === undefined ? 0 : asCount(from);
  return typeof value === "string" ? value.slice(start, end) : asList(value).slice(start, end);
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === "object" && value !== null) return Object.keys(value).length;
  throw templateError(`\`len\` of \`${show(value)}\``);
}

function compare(first: unknown, second: unknown): number {
  if (typeof first === "number" && typeof second === "number") return first - second;
  if (typeof first === "string" && typeof second === "string") return first < second ? -1 : first > second ? 1 : 0;
  throw templateError(`comparing \`${show(first)}\` with \`${show(second)}\`: not of one type`);
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : show(value);
}

function asList(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw templateError(`\`${show(value)}\` is not a list`);
}

function asCount(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw templateError(`\`${show(value)}\` is not a whole number`);
}

/** Calls a function; whatever it throws becomes a template error. */
export function callFunction(name: string, make: TemplateFunction, values: readonly unknown[]): unknown {
  try {
    return make(...values);
  } catch (error) {
    throw error instanceof TareError ? error : templateError(`\`${name}\`: ${messageOf(error)}`);
  }
}
