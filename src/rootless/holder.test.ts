// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseHolder } from "./holder.ts";

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
