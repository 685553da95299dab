// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { hasMap, parseHolder } from "./holder.ts";

describe("parseHolder", () => {
  it("reads what a command wrote down", () => {
    const holder = { pid: 12, startTime: "345", inode: "4026532619", kind: "full" };
    expect(parseHolder("12 345 4026532619 full 1000:100\n")).toEqual(holder);
  });

  it.each(["", "12 345 6 full 1:1", "12 345 6 other 1:1\n", "-1 3 4 full 1:1\n", "1 2 3 full\n"])(
    "refuses %j",
    (text) => {
      expect(parseHolder(text)).toBeUndefined();
    },
  );
});

describe("hasMap", () => {
  it.each([
    { name: "a full one", text: "0 1000 1\n1 100000 65536\n", kind: "full", is: true },
    { name: "one of one id", text: "         0       1000          1\n", kind: "single", is: true },
    { name: "one id instead of many", text: "0 1000 1\n", kind: "full", is: false },
    { name: "a browser's", text: "1000 1000 1\n", kind: "full", is: false },
    { name: "another user's", text: "0 1001 1\n1 100000 65536\n", kind: "full", is: false },
    { name: "one that is gone", text: "", kind: "single", is: false },
  ] as const)("tells $name", ({ text, kind, is }) => {
    expect(hasMap(text, 1000, kind)).toBe(is);
  });
});
