// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

/** Starts tasks of these sizes; what runs after each of them ended, in the order of their start. */
async function running(limit: number, sizes: readonly number[]): Promise<readonly string[]> {
  const budget = new ByteBudget(limit);
  const [now, seen, ends]: [Set<number>, string[], (() => void)[]] = [new Set(), [], []];
  const tasks = sizes.map((size) =>
    budget.run(size, async () => {
      now.add(size);
      await new Promise<void>((end) => ends.push(end));
      now.delete(size);
    }),
  );
  for (let index = 0; index < sizes.length; index += 1) {
    await new Promise((turn) => setImmediate(turn));
    seen.push([...now].join(" "));
    ends[index]?.();
  }
  await Promise.all(tasks);
  return seen;
}

describe("a budget of bytes", () => {
  it.each([
    ["all that fits", 10, [3, 4, 2], ["3 4 2", "4 2", "2"]],
    ["what is too large, alone", 10, [30, 20, 1], ["30", "20", "1"]],
    ["in order, though a later one would fit", 10, [8, 5, 1], ["8", "5 1", "1"]],
    ["what has no size, at any time", 10, [8, 0, 9], ["8 0", "0 9", "9"]],
  ])("lets %s go on at the same time", async (_what, limit, sizes, seen) => {
    expect(await running(limit, sizes)).toEqual(seen);
  });
});
