// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

/** One group of rows of a table: the rows of one test function of the project they come from. */
export interface Group {
  readonly file: string;
  readonly func: string;
  readonly name: string;
  readonly rows?: unknown;
  readonly text?: string;
}

/** A row as its test takes it apart. */
export type Row = Readonly<Record<string, unknown>>;

/** The folder of the conformance data: `TARE_CONFORMANCE`, or beside the checkout. */
export function conformanceFolder(): string {
  const root = resolve(import.meta.dirname, "../..");
  return process.env["TARE_CONFORMANCE"] ?? resolve(root, "../shared/conformance");
}

/** The groups of a table without exact repeats; undefined, with a printed reason, where the data is absent. */
export function readTable(name: string): readonly Group[] | undefined {
  const path = join(conformanceFolder(), "tables", name);
  if (!existsSync(path)) {
    console.log(`skipped: ${path} is absent`);
    return undefined;
  }
  const groups = JSON.parse(readFileSync(path, "utf8")) as readonly Group[];
  return [...new Map(groups.map((group) => [JSON.stringify(group), group])).values()];
}

/** The rows of one group (several of a name in order of the file); [] when the table has none. */
export function rowsOf(groups: readonly Group[], func: string, name: string, nth = 0): readonly Row[] {
  const rows = groups.filter((group) => group.func === func && group.name === name)[nth]?.rows;
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) => (typeof row === "object" && row !== null ? (row as Row) : { value: row }));
}

/** The value of a row's field as text; "" when it has none. */
export function textOf(row: Row, key: string): string {
  const value = row[key];
  return typeof value === "string" ? value : "";
}

/** The result of one call: what it gave, or the message and details of what it threw. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly error: string; readonly details: Readonly<Record<string, unknown>> };

/** Runs a call and keeps its outcome. */
export function outcomeOf(run: () => unknown): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    const details = error instanceof Error && "details" in error ? error.details : {};
    return { error: error instanceof Error ? error.message : String(error), details: details as Row };
  }
}

/** Counts equal rows group by group and keeps the differences for the report. */
export class Score {
  readonly #groups = new Map<string, { equal: number; total: number }>();
  readonly differences: string[] = [];

  /** Scores one row; `wanted` and `got` are compared deeply, undefined members aside. */
  equal(group: string, label: unknown, wanted: unknown, got: unknown): void {
    this.#count(group, isDeepStrictEqual(plain(wanted), plain(got)), { label, wanted, got });
  }

  /** Scores one row that must fail with a text that holds `wanted`. */
  fails(group: string, label: unknown, wanted: string, got: Outcome): void {
    this.#count(group, "error" in got && got.error.includes(wanted), { label, wanted, got });
  }

  #count(group: string, ok: boolean, detail: unknown): void {
    const entry = this.#groups.get(group) ?? { equal: 0, total: 0 };
    this.#groups.set(group, { equal: entry.equal + (ok ? 1 : 0), total: entry.total + 1 });
    if (!ok) this.differences.push(`${group}: ${JSON.stringify(detail).slice(0, 600)}`);
  }

  /** Prints `N/M equal` per group and in all, and gives the share of equal rows. */
  report(title: string): number {
    const all = { equal: 0, total: 0 };
    for (const [group, { equal, total }] of this.#groups) {
      console.log(`${group}: ${equal}/${total} equal`);
      all.equal += equal;
      all.total += total;
    }
    console.log(`${title}: ${all.equal}/${all.total} equal`);
    for (const difference of this.differences) console.log(`  differs: ${difference}`);
    return all.total === 0 ? 0 : all.equal / all.total;
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
