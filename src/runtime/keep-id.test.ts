// SPDX-License-Identifier: Apache-2.0
import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { swapped } from "./keep-id.ts";

const HIGHEST = 65_536;

function outside(id: number, rows: ReturnType<typeof swapped>): number | undefined {
  const row = rows.find(({ inside, count }) => id >= inside && id < inside + count);
  return row && row.outside + id - row.inside;
}

describe("the map of keep-id", () => {
  it("swaps root and the user, and leaves everybody else", () => {
    assert(
      property(integer({ min: 0, max: HIGHEST }), integer({ min: 0, max: HIGHEST }), (user, other) => {
        const rows = swapped(user, HIGHEST);
        expect(outside(user, rows)).toBe(0);
        expect(outside(0, rows)).toBe(user);
        if (other !== 0 && other !== user) expect(outside(other, rows)).toBe(other);
        expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(HIGHEST + 1);
      }),
    );
  });
});
