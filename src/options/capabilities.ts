// SPDX-License-Identifier: Apache-2.0

/** What `--cap-add` and `--cap-drop` come to; names sorted, `ALL` alone. */
export interface CapabilityChange {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** The normal form of a capability: ` net_raw ` → `CAP_NET_RAW`, `all` → `ALL`. The name is not checked. */
export function normalizeCapability(text: string): string {
  const name = text.trim().toUpperCase();
  return name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`;
}

/** Resolves `--cap-add` against `--cap-drop`: what is added is not dropped, `ALL` covers every other name. */
export function effectiveCapabilities(add: readonly string[], drop: readonly string[]): CapabilityChange {
  const added = normalizeAll(add);
  const dropped = normalizeAll(drop).filter((name) => !added.includes(name));
  return { add: added, drop: dropped };
}

function normalizeAll(names: readonly string[]): readonly string[] {
  const normal = new Set(names.map(normalizeCapability));
  return normal.has("ALL") ? ["ALL"] : [...normal].sort();
}

/** The capabilities of a process: Docker's rule of defaults, `--cap-add` and `--cap-drop`; `known` is what ALL means. */
export function applyCapabilities(
  defaults: readonly string[],
  change: CapabilityChange,
  known: readonly string[],
): readonly string[] {
  const all = (names: readonly string[]): boolean => names.includes("ALL");
  const base = all(change.add) ? known : all(change.drop) ? [] : defaults;
  const dropped = new Set(change.drop);
  const kept = base.filter((name) => !dropped.has(name));
  return [...new Set([...kept, ...change.add.filter((name) => name !== "ALL")])];
}
