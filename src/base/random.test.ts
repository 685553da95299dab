// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { randomBelow, randomHex } from "./random.ts";

describe("random values", () => {
  it("have the length asked for and do not repeat", () => {
    const values = Array.from({ length: 100 }, () => randomHex(16));
    expect(new Set(values).size).toBe(100);
    for (const value of values) expect(value).toMatch(/^[0-9a-f]{32}$/);
  });

  it("stay below the limit and reach all of it", () => {
    const seen = new Set(Array.from({ length: 400 }, () => randomBelow(5)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
