// SPDX-License-Identifier: Apache-2.0
/* /etc/subuid and /etc/subgid: the ids that root has lent to a user (subuid(5)). */
import type { IdRange } from "../base/index.ts";

/** A range of host ids that a user may hand out in his namespaces. */
export interface SubIds {
  readonly start: number;
  readonly count: number;
}

/** An account as the tables name it. */
export interface SubIdOwner {
  readonly uid: number;
  /** Absent when /etc/passwd does not have the account. */
  readonly name?: string | undefined;
}

/** Most rows that newuidmap gives to the kernel besides the user's own. */
const MOST_RANGES = 300;
const LAST_ID = 4_294_967_294;

/** The ranges of an owner, in the file's order: rows by name and by number count alike. Malformed rows are skipped. */
export function parseSubIds(text: string, owner: SubIdOwner): SubIds[] {
  return text.split("\n").flatMap((line) => {
    const [who, start, count] = line.trim().split(":");
    if (who === undefined || (who !== owner.name && who !== String(owner.uid))) return [];
    const [first, size] = [idOf(start), idOf(count)];
    if (!first || !size || first + size - 1 > LAST_ID) return [];
    return [{ start: first, count: size }];
  });
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The map of a namespace: its root is the user himself, the lent ids follow without gaps. */
export function planMap(own: number, lent: readonly SubIds[]): IdRange[] {
  const rows: IdRange[] = [{ inside: 0, outside: own, count: 1 }];
  let next = 1;
  for (const { start, count } of lent.slice(0, MOST_RANGES)) {
    rows.push({ inside: next, outside: start, count });
    next += count;
  }
  return rows;
}

/** A map as arguments of newuidmap and newgidmap. */
export function mapArguments(rows: readonly IdRange[]): string[] {
  return rows.flatMap(({ inside, outside, count }) => [inside, outside, count].map(String));
}

/** The command that lends a user ids: the first range that nobody has, from 100000 on. */
export function lendCommand(user: string, subuid: string, subgid: string, size: number = 65_536): string {
  const ends = [...subuid.split("\n"), ...subgid.split("\n")].flatMap((line) => {
    const [, start, count] = line.trim().split(":").map(Number);
    return start !== undefined && count !== undefined && start + count <= LAST_ID ? [start + count] : [];
  });
  const first = Math.max(100_000, ...ends);
  const range = `${first}-${first + size - 1}`;
  return `usermod --add-subuids ${range} --add-subgids ${range} ${user}`;
}
