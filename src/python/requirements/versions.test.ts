// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, normalizeVersion, parseVersion } from "./versions.ts";

const NORMAL: readonly (readonly [string, string])[] = [
  ["1.0", "1.0"],
  [" v1.0 ", "1.0"],
  ["1.0-ALPHA.1", "1.0a1"],
  ["1.0b", "1.0b0"],
  ["1.0c2", "1.0rc2"],
  ["1.0preview3", "1.0rc3"],
  ["1.0-1", "1.0.post1"],
  ["1.0rev", "1.0.post0"],
  ["1.0_dev-4", "1.0.dev4"],
  ["0!01.002", "1.2"],
  ["2!1.0", "2!1.0"],
  ["1.0+Ubuntu-01_a", "1.0+ubuntu.1.a"],
  ["1.0+1e5", "1.0+1e5"],
  ["1.0+0x10", "1.0+0x10"],
  ["20230101123456789012.0", "20230101123456789012.0"],
];

const NONE = ["", "abc", "1..2", "1.0-", "1.0+", "1.0+a..b", "1.0 2.0", "1.0a1b2", "1.0.*", "١.٢"];

/** From old to new, as PEP 440 orders them. */
const ORDER = [
  "1.dev0",
  "1.0.dev456",
  "1.0a1",
  "1.0a2.dev456",
  "1.0a12.dev456",
  "1.0a12",
  "1.0b1.dev456",
  "1.0b2",
  "1.0b2.post345.dev456",
  "1.0b2.post345",
  "1.0rc1.dev456",
  "1.0rc1",
  "1.0",
  "1.0+abc.5",
  "1.0+abc.7",
  "1.0+5",
  "1.0+5.0",
  "1.0.post456.dev34",
  "1.0.post456",
  "1.1.dev1",
  "1.9",
  "1.10",
  "9007199254740993",
  "9007199254740994",
  "1!0.1",
];

describe("versions", () => {
  it.each(NORMAL)("normalises `%s` to `%s`", (text, normal) => {
    expect(normalizeVersion(text)).toBe(normal);
  });

  it.each(NONE)("`%s` is no version", (text) => {
    expect(parseVersion(text)).toBeUndefined();
    expect(() => normalizeVersion(text)).toThrow(expect.objectContaining({ code: "E_REQUIREMENTS" }));
  });

  it("orders every pair as PEP 440 does", () => {
    for (const [i, a] of ORDER.entries()) {
      for (const [j, b] of ORDER.entries()) {
        expect(`${a} ${b} ${Math.sign(compareVersions(a, b))}`).toBe(`${a} ${b} ${Math.sign(i - j)}`);
      }
    }
  });

  it("trailing zeros do not matter in order", () => {
    expect(compareVersions("1", "1.0.0")).toBe(0);
  });

  it("a normal version is its own normal form", () => {
    const version = fc.stringMatching(
      /^([0-9]!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(a[0-9])?(\.post[0-9])?(\.dev[0-9])?(\+[a-z0-9]{1,4})?$/,
    );
    fc.assert(
      fc.property(version, (text) => {
        const normal = normalizeVersion(text);
        expect(normalizeVersion(normal)).toBe(normal);
        expect(compareVersions(text, normal)).toBe(0);
      }),
    );
  });
});
