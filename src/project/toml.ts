// SPDX-License-Identifier: Apache-2.0
/* Values of tables of other tools, which have been read as TOML already: what is of another kind counts as absent. */

/** A table of a TOML file. */
export type Table = Readonly<Record<string, unknown>>;

/** The table at a path, empty when there is none. */
export function tableAt(root: Table, ...path: readonly string[]): Table {
  let at = root;
  for (const key of path) {
    const value = at[key];
    if (!isTable(value)) return {};
    at = value;
  }
  return at;
}

/** A string, or undefined. */
export function textAt(table: Table, key: string): string | undefined {
  const value = table[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The strings of a list, or of one string. */
export function textsAt(table: Table, key: string): readonly string[] {
  const value = table[key];
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The tables of a list. */
export function tablesAt(table: Table, key: string): readonly Table[] {
  const value = table[key];
  return Array.isArray(value) ? value.filter(isTable) : [];
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
