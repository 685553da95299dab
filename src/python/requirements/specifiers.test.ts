// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { formatSpecifier, matchesSpecifier, parseSpecifier } from "./specifiers.ts";

const FITS: readonly (readonly [string, string, boolean])[] = [
  ["1.5", "", true],
  ["1.5", ">=1,<2", true],
  ["2.0", ">=1,<2", false],
  ["1.0+cu118", "==1.0", true],
  ["1.0", "==1.0+cu118", false],
  ["1.0+cu118", "==1.0+CU118", true],
  ["1.0+cu118", "!=1.0", false],
  ["1.0.post1", "==1.0", false],
  ["1", "==1.0.0", true],
  ["1.1.5", "==1.1.*", true],
  ["1.1rc1", "==1.1.*", false],
  ["1.1.post1", "==1.1.*", true],
  ["1", "==1.0.*", true],
  ["1.10", "==1.1.*", false],
  ["1.10", "!=1.1.*", true],
  ["1!1.1", "==1.1.*", false],
  ["2.2.post3", "~=2.2.post3", true],
  ["2.9", "~=2.2", true],
  ["3.0", "~=2.2", false],
  ["1.4.9", "~=1.4.5", true],
  ["1.5.0", "~=1.4.5", false],
  ["1.0.post1", ">1.0", false],
  ["1.0.post2", ">1.0.post1", true],
  ["1.0+local", ">1.0", false],
  ["1.0.1", ">1.0", true],
  ["1.0+local", ">=1.0", true],
  ["1.0+local", "<=1.0", true],
  ["1.0a1", "<1.0", false],
  ["1.0a1", "<1.0rc1", true],
  ["1.0a1", ">=0.9", false],
  ["1.0a1", ">=1.0a1", true],
  ["1.0", "===1.0", true],
  ["1.0", "===1.0.0", false],
  ["not-a-version", "===Not-A-Version", true],
  ["not-a-version", ">=1.0", false],
  ["3.7", ">=3.6,!=3.7.*,", false],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["1.0", /expected an operator/],
  ["=1.0", /expected an operator/],
  ["^1.0", /expected an operator/],
  [">=", /a version behind/],
  [">=1.*", /only for `==`/],
  ["~=1", /two segments/],
  [">=1.0+local", /local version/],
  ["==1.0.dev1.*", /`\.\*`/],
  [">=abc", /not a version/],
  [">=1.0 <2", /expected an operator/],
];

describe("version specifiers", () => {
  it.each(FITS)("`%s` against `%s`: %s", (version, specifier, fits) => {
    expect(matchesSpecifier(version, specifier)).toBe(fits);
  });

  it("takes or leaves pre-releases as asked", () => {
    expect(matchesSpecifier("1.0a1", ">=0.9", { prereleases: true })).toBe(true);
    expect(matchesSpecifier("1.0a1", ">=1.0a1", { prereleases: false })).toBe(false);
    expect(matchesSpecifier("1.0a1", "")).toBe(false);
  });

  it.each(BAD)("refuses `%s`", (text, reason) => {
    expect(() => parseSpecifier(text)).toThrow(reason);
  });

  it("never fails but with its own error", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[=<>!~0-9a.*+, v-]{0,20}$/));
    fc.assert(
      fc.property(text, (specifier) => {
        try {
          const clauses = parseSpecifier(specifier);
          expect(parseSpecifier(formatSpecifier(clauses))).toEqual(clauses);
          matchesSpecifier("1.0", specifier);
        } catch (error) {
          expect(isTareError(error, "E_REQUIREMENTS")).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
