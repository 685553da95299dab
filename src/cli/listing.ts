// SPDX-License-Identifier: Apache-2.0
import { usageError } from "./usage-error.ts";
import { escapeLine } from "./text/escape.ts";
import { alignColumns } from "./text/columns.ts";
import { compileTemplate } from "./template/index.ts";
import type { OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { Filters } from "../engine/index.ts";
import type { ParsedArguments } from "./parsed.ts";

/** A value of a row by name, as `--format` sees it. */
export interface Field<Row> {
  /** `Repository`; templates write `.Repository`. */
  readonly name: string;
  /** Heading of the table. */
  readonly heading: string;
  value(row: Row): string;
}

/** Docker's tables have no narrower column. */
const NARROWEST = 10;

/** How a kind of row is listed. */
export interface Listing<Row> {
  readonly fields: readonly Field<Row>[];
  /** Names of the fields of the plain table. */
  readonly columns: readonly string[];
  /** What `-q` prints. */
  quiet(row: Row): string;
  /** For `.Label "name"` in templates. */
  labels?(row: Row): Readonly<Record<string, string>>;
}

/** A row as templates see it: texts, and the method `Label`. */
type RowData = Readonly<Record<string, unknown>>;

/** `--format`, `--json`: for listings of every kind. */
export const FORMAT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "format",
    type: "string",
    description: "`table`, `table TEMPLATE`, `json` (one object a line) or a Go template",
  },
  { name: "json", type: "boolean", description: "Print everything known as one JSON array" },
];

/** `-f`. */
export const FILTER_OPTION: OptionSpec = {
  name: "filter",
  short: "f",
  type: "list",
  valueName: "filter",
  description: "Show or take only what fits, as in `key=value`",
};

/** The options of a listing with ids. */
export const LISTING_OPTIONS: readonly OptionSpec[] = [
  FILTER_OPTION,
  ...FORMAT_OPTIONS,
  { name: "no-trunc", type: "boolean", description: "Do not shorten ids, commands and texts" },
  { name: "quiet", short: "q", type: "boolean", description: "Print ids only" },
];

/** Prints rows as the options ask. */
export function printListing<Row>(
  context: CommandContext,
  parsed: ParsedArguments,
  listing: Listing<Row>,
  rows: readonly Row[],
): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  const format = parsed.string("format") ?? "table";
  if (parsed.has("quiet") && parsed.boolean("quiet") && format === "table") {
    const lines = [...new Set(rows.map((row) => listing.quiet(row)))];
    return context.stdout.write(lines.map((line) => `${line}\n`).join(""));
  }
  context.stdout.write(listingText(listing, rows, format));
}

/** The text of a listing in a format. Throws `E_USAGE` for a bad template. */
export function listingText<Row>(listing: Listing<Row>, rows: readonly Row[], format: string): string {
  const data = rows.map((row) => fieldsOf(listing, row));
  if (format === "json") return data.map((row) => `${JSON.stringify(row)}\n`).join("");
  const template = templateText(format);
  if (template === "table" || template === "table ") return plainTable(listing, data);
  if (/^table[\s{]/.test(template)) return templateTable(listing, data, template.slice(5).trimStart());
  const run = compileTemplate(template);
  return data.map((row) => `${run(row)}\n`).join("");
}

/** A `--format` with the tabs and line feeds that a shell leaves as `\t` and `\n`. */
export function templateText(format: string): string {
  return format.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

function fieldsOf<Row>(listing: Listing<Row>, row: Row): RowData {
  const texts = listing.fields.map((field): [string, unknown] => [field.name, escapeLine(field.value(row))]);
  const labels = listing.labels?.(row);
  const label = (name: unknown): string => escapeLine(labels?.[String(name)] ?? "");
  return Object.fromEntries(labels === undefined ? texts : [...texts, ["Label", label]]);
}

function headings<Row>(listing: Listing<Row>): RowData {
  const texts = listing.fields.map((field): [string, unknown] => [field.name, field.heading]);
  return Object.fromEntries(listing.labels === undefined ? texts : [...texts, ["Label", labelHeading]]);
}

/** As Docker heads a column of one label: the last part of its name, in words. */
function labelHeading(name: unknown): string {
  return (String(name).split(".").at(-1) ?? "").replaceAll(/[-_]/g, " ");
}

function plainTable<Row>(listing: Listing<Row>, data: readonly RowData[]): string {
  return alignColumns(
    [headings(listing), ...data].map((row) => listing.columns.map((name) => String(row[name] ?? ""))),
    NARROWEST,
  );
}

function templateTable<Row>(listing: Listing<Row>, data: readonly RowData[], template: string): string {
  const run = compileTemplate(template);
  return alignColumns(
    [headings(listing), ...data].map((row) => run(row).split("\t")),
    NARROWEST,
  );
}

/** Labels as a cell of a listing, by name. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** `--filter` values by key. Throws `E_USAGE` for one without `=`. */
export function filtersOf(values: readonly string[]): Filters {
  const filters: Record<string, string[]> = {};
  for (const text of values) {
    const equals = text.indexOf("=");
    if (equals <= 0) throw usageError(`invalid argument "${text}" for "-f, --filter" flag: expected key=value`);
    // `label!=x` is the key `label!`.
    (filters[text.slice(0, equals).trim().toLowerCase()] ??= []).push(text.slice(equals + 1).trim());
  }
  return filters;
}
