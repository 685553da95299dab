// SPDX-License-Identifier: Apache-2.0
import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import type { IdRange } from "../base/index.ts";
import { swapped } from "./keep-id.ts";

const HIGHEST = 131_072;
/** As with two ranges in /etc/subuid. */
const OWN = [
  { inside: 0, outside: 1000, count: 1 },
  { inside: 1, outside: 100_000, count: 65_536 },
  { inside: 65_537, outside: 800_000, count: 65_536 },
];

function outside(id: number, rows: ReturnType<typeof swapped>): number | undefined {
  const row = rows.find(({ inside, count }) => id >= inside && id < inside + count);
  return row && row.outside + id - row.inside;
}

function reaches({ outside, count }: IdRange, { inside, count: length }: IdRange): boolean {
  return outside < inside + length && inside < outside + count;
}

describe("the map of keep-id", () => {
  it("swaps root and the user, and leaves everybody else", () => {
    assert(
      property(integer({ min: 0, max: HIGHEST }), integer({ min: 0, max: HIGHEST }), (user, other) => {
        const rows = swapped(user, OWN);
        expect(outside(user, rows)).toBe(0);
        expect(outside(0, rows)).toBe(user);
        if (other !== 0 && other !== user) expect(outside(other, rows)).toBe(other);
        expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(HIGHEST + 1);
        // The kernel refuses a row that reaches over two of the namespace above.
        for (const row of rows) expect(OWN.filter((there) => reaches(row, there))).toHaveLength(1);
      }),
    );
  });
});
