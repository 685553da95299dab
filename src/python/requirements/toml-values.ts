// SPDX-License-Identifier: Apache-2.0
/** Values of a TOML file, checked, with the place in every error. */
import { TomlError, parse } from "smol-toml";
import { TareError, isTareError } from "../../base/index.ts";
import { shorten } from "./problem.ts";
import { redactUrls } from "./redact.ts";
import { parseRequirement } from "./requirement.ts";
import type { PlacedRequirement } from "./types.ts";

/** A TOML file on its way in. */
export interface TomlSource {
  readonly file: string;
  readonly text: string;
}

/** A value and its place: `project.dependencies[2]`. */
export interface Placed {
  readonly source: TomlSource;
  readonly value: unknown;
  readonly place: string;
}

/** Parses TOML. Throws `E_PYPROJECT` with line and column. */
export function parseToml(source: TomlSource): Placed {
  try {
    return { source, value: parse(source.text), place: "" };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = (error.message.split("\n", 1)[0] ?? "").replace(/^Invalid TOML document: /, "");
    const { line, column } = error;
    const message = `reading \`${source.file}:${line}:${column}\`: ${reason}`;
    throw new TareError("E_PYPROJECT", message, { cause: error, details: { file: source.file, line } });
  }
}

/** What is wrong at a place, with the line where the value can be found. */
export function problemAt(placed: Placed, reason: string, hint?: string): TareError {
  const { source, place, value } = placed;
  const line = typeof value === "string" ? lineOf(source.text, value) : undefined;
  const at = line === undefined ? source.file : `${source.file}:${line}`;
  const details = { file: source.file, place, ...(line === undefined ? {} : { line }) };
  const message = `reading \`${at}\`: \`${shorten(place)}\` ${redactUrls(reason)}`;
  return new TareError("E_PYPROJECT", message, { ...(hint === undefined ? {} : { hint: redactUrls(hint) }), details });
}

/** The line where a text stands, when it stands there only once. */
function lineOf(text: string, value: string): number | undefined {
  const at = value.length < 2 ? -1 : text.indexOf(value);
  if (at < 0 || text.includes(value, at + 1)) return undefined;
  return text.slice(0, at).split("\n").length;
}

/** A key of a table; undefined when either is missing. Throws when `placed` is no table. */
export function member(placed: Placed | undefined, key: string): Placed | undefined {
  if (placed === undefined) return undefined;
  const value = tableOf(placed)[key];
  return value === undefined ? undefined : child(placed, key, value);
}

function child({ source, place }: Placed, key: string, value: unknown): Placed {
  const step = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return { source, value, place: place === "" ? step : `${place}.${step}` };
}

/** The value as a table without prototype surprises. */
export function tableOf(placed: Placed): Readonly<Record<string, unknown>> {
  const { value } = placed;
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
  if (!isTable) throw problemAt(placed, "must be a table");
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** Every key of a table with its value. */
export function entriesOf(placed: Placed | undefined): readonly (readonly [string, Placed])[] {
  if (placed === undefined) return [];
  return Object.entries(tableOf(placed)).map(([key, value]) => [key, child(placed, key, value)] as const);
}

/** Every item of an array. */
export function itemsOf(placed: Placed | undefined): readonly Placed[] {
  if (placed === undefined) return [];
  const { source, value, place } = placed;
  if (!Array.isArray(value)) throw problemAt(placed, "must be an array");
  return value.map((item: unknown, index) => ({ source, value: item, place: `${place}[${index}]` }));
}

/** The value as text. */
export function textOf(placed: Placed): string {
  if (typeof placed.value === "string") return placed.value;
  throw problemAt(placed, "must be a string");
}

/** The value as text, if it is there. */
export function optionalText(placed: Placed | undefined): string | undefined {
  return placed === undefined ? undefined : textOf(placed);
}

/** The value as true or false; absent counts as `fallback`. */
export function flagOf(placed: Placed | undefined, fallback: boolean): boolean {
  if (placed === undefined) return fallback;
  if (typeof placed.value === "boolean") return placed.value;
  throw problemAt(placed, "must be true or false");
}

/** The value as a list of texts; absent counts as empty. */
export function textsOf(placed: Placed | undefined): readonly string[] {
  return itemsOf(placed).map(textOf);
}

/** The value as a table of texts; absent counts as empty. */
export function textTableOf(placed: Placed | undefined): Readonly<Record<string, string>> {
  return record(entriesOf(placed).map(([key, value]) => [key, textOf(value)] as const));
}

/** An object of entries in which no key is special (`__proto__` is a key like others). */
export function record<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries(entries);
}

/** An array of dependency specifiers; absent counts as empty. */
export function requirementsOf(placed: Placed | undefined): readonly PlacedRequirement[] {
  return itemsOf(placed).map(requirementOf);
}

/** A dependency specifier. */
export function requirementOf(placed: Placed): PlacedRequirement {
  const text = textOf(placed);
  const requirement = reasoned(placed, () => parseRequirement(text));
  return { requirement, text: redactUrls(text), place: placed.place };
}

/** Runs a parser; its `E_REQUIREMENTS` becomes `E_PYPROJECT` with the place. */
export function reasoned<T>(placed: Placed, parseValue: () => T): T {
  try {
    return parseValue();
  } catch (error) {
    if (!isTareError(error, "E_REQUIREMENTS")) throw error;
    throw problemAt(placed, `is malformed: ${error.message}`, error.hint);
  }
}
