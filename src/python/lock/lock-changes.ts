// SPDX-License-Identifier: Apache-2.0
import { compareVersions } from "../requirements/versions.ts";
import type { Lock } from "../locks/types.ts";

/** A package that two locks have otherwise. */
export interface LockChange {
  readonly name: string;
  /** Absent when it is new. Several versions, for several platforms, stand with commas. */
  readonly from?: string;
  /** Absent when it is gone. */
  readonly to?: string;
}

/** What differs between two locks, by name. */
export function lockChanges(before: Lock | undefined, after: Lock): readonly LockChange[] {
  const [old, now] = [versionsOf(before), versionsOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return names.flatMap((name): LockChange[] => {
    const [from, to] = [old.get(name), now.get(name)];
    if (from === to) return [];
    return [{ name, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  });
}

function versionsOf(lock: Lock | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, Set<string>>();
  for (const { name, version, source } of lock?.packages ?? []) {
    const shown = version ?? (source?.kind === "vcs" ? source.commit.slice(0, 12) : "local");
    found.set(name, (found.get(name) ?? new Set()).add(shown));
  }
  return new Map([...found].map(([name, versions]) => [name, [...versions].toSorted(order).join(", ")]));
}

function order(a: string, b: string): number {
  try {
    return compareVersions(a, b);
  } catch {
    return a < b ? -1 : 1;
  }
}
