// SPDX-License-Identifier: Apache-2.0
/** Dependency groups (PEP 735). */
import { suggest } from "../../base/index.ts";
import { normalizeName } from "./names.ts";
import type { Placed } from "./toml-values.ts";
import { entriesOf, itemsOf, member, problemAt, record, requirementOf, tableOf, textOf } from "./toml-values.ts";
import type { PlacedRequirement } from "./types.ts";

interface Groups {
  readonly tables: ReadonlyMap<string, Placed>;
  readonly resolved: Map<string, readonly PlacedRequirement[]>;
}

/** Every group by normalised name, includes put in place, each requirement once. Throws `E_PYPROJECT`. */
export function readDependencyGroups(
  placed: Placed | undefined,
): Readonly<Record<string, readonly PlacedRequirement[]>> {
  const tables = new Map<string, Placed>();
  for (const [key, value] of entriesOf(placed)) {
    const name = normalizeName(key);
    if (tables.has(name)) throw problemAt(value, `is the group \`${name}\` once more`);
    tables.set(name, value);
  }
  const groups: Groups = { tables, resolved: new Map() };
  return record(
    [...tables].map(([name, value]) => [name, resolve(groups, { name, placed: value, chain: [] })] as const),
  );
}

interface Step {
  readonly name: string;
  readonly placed: Placed;
  readonly chain: readonly string[];
}

function resolve(groups: Groups, { name, placed, chain }: Step): readonly PlacedRequirement[] {
  const known = groups.resolved.get(name);
  if (known !== undefined) return known;
  const inside = [...chain, name];
  if (chain.includes(name)) throw problemAt(placed, `includes itself: ${inside.join(" → ")}`);
  const found = itemsOf(placed).flatMap((item) =>
    typeof item.value === "string" ? [requirementOf(item)] : include(groups, item, inside),
  );
  const each = [...new Set(found)];
  groups.resolved.set(name, each);
  return each;
}

function include(groups: Groups, item: Placed, chain: readonly string[]): readonly PlacedRequirement[] {
  const keys = Object.keys(tableOf(item));
  const target = member(item, "include-group");
  if (target === undefined || keys.length !== 1) {
    throw problemAt(item, "must be a requirement or a table of one key", '{ include-group = "name" }');
  }
  const name = normalizeName(textOf(target));
  const placed = groups.tables.get(name);
  if (placed !== undefined) return resolve(groups, { name, placed, chain });
  const near = suggest(name, groups.tables.keys());
  throw problemAt(
    target,
    `names an unknown group: \`${name}\``,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}
