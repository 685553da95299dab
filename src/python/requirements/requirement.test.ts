// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { redactUrls } from "./redact.ts";
import { formatRequirement, parseRequirement } from "./requirement.ts";

/** A requirement and its normal form. */
const GOOD: readonly (readonly [string, string])[] = [
  ["numpy", "numpy"],
  ["  Scikit_Learn ", "scikit-learn"],
  ["zope.interface>=5", "zope-interface>=5"],
  ["A[ B_c , a,a ] >= 1.0 , < 2", "a[a,b-c]>=1.0,<2"],
  ["a[]", "a"],
  ["a (>=1,<2)", "a>=1,<2"],
  ["a>=1,", "a>=1"],
  ["a===1.0-weird_text", "a===1.0-weird_text"],
  ["a~=1.4.2", "a~=1.4.2"],
  ["a==1.*", "a==1.*"],
  ["a;os_name=='nt'", 'a; os_name == "nt"'],
  ["a>=1;os_name=='nt'", 'a>=1; os_name == "nt"'],
  ["a @ https://h/a.zip", "a @ https://h/a.zip"],
  ["a@https://h/a.zip#sha256=ab", "a @ https://h/a.zip#sha256=ab"],
  ["a @ https://h/x;y.zip ; os_name=='nt'", 'a @ https://h/x;y.zip ; os_name == "nt"'],
  ["a @ https://h/x.zip; os_name=='nt'", 'a @ https://h/x.zip ; os_name == "nt"'],
  ["a[b] @ git+https://h/r@v1#egg=a", "a[b] @ git+https://h/r@v1#egg=a"],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /a name/],
  ["-foo", /a name/],
  ["foo_", /column 4/],
  ["foo 1.0", /column 5/],
  ["foo=1.0", /column 4/],
  ["foo>=1.0[a]", /not a version/],
  ["foo[a", /`,` or `\]`/],
  ["foo[a b]", /`,` or `\]`/],
  ["foo[,a]", /name of an extra/],
  ["foo (>=1", /`\)`/],
  ["foo>=1 <2", /column 8/],
  ["foo @", /a URL/],
  ["foo;", /no marker/],
  ["foo ; bar", /marker variable/],
  ["foo\0bar", /column 4/],
];

describe("requirements", () => {
  it.each(GOOD)("`%s` is `%s`", (text, normal) => {
    const requirement = parseRequirement(text);
    expect(formatRequirement(requirement)).toBe(normal);
    expect(parseRequirement(normal)).toEqual(requirement);
  });

  it.each(BAD)("refuses `%s`", (text, reason) => {
    expect(() => parseRequirement(text)).toThrow(reason);
  });

  it("says how an exact version is written", () => {
    expect(() => parseRequirement("foo=1.0")).toThrow(
      expect.objectContaining({ hint: "an exact version is written ==1.2.3" }),
    );
  });

  it("shows no credentials", () => {
    for (const text of [
      "a @ https://user:secret@h/x.zip what",
      "a https://user:secret@h/x",
      "a @ https://u:se/cret@h what",
    ]) {
      expect(() => parseRequirement(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/secret|cret@/) }),
      );
    }
  });

  it("format and parse are inverse", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,5}[a-zA-Z0-9])?$/);
    const clause = fc.stringMatching(/^(==|>=|<|!=|~=)[0-9]{1,3}\.[0-9]{1,3}$/);
    const parts = fc.tuple(name, fc.array(name, { maxLength: 3 }), fc.array(clause, { maxLength: 3 }), fc.boolean());
    fc.assert(
      fc.property(parts, ([base, extras, clauses, hasMarker]) => {
        const text = `${base} [${extras.join(", ")}] ${clauses.join(" , ")}${hasMarker ? " ; os_name != 'nt'" : ""}`;
        const requirement = parseRequirement(text);
        expect(parseRequirement(formatRequirement(requirement))).toEqual(requirement);
      }),
    );
  });

  it("never fails but with its own error", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^a[[\]a,@;()<>=~!1.*#: '"-]{0,15}$/)), (text) => {
        try {
          parseRequirement(formatRequirement(parseRequirement(text)));
        } catch (error) {
          expect(isTareError(error, "E_REQUIREMENTS")).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("redactUrls", () => {
  it.each([
    ["https://u:p@h/x", "https://****@h/x"],
    ["see https://token@h and git+https://a:b@c/d@v1", "see https://****@h and git+https://****@c/d@v1"],
    ["https://u:p/q@h/x", "https://****@h/x"],
    ["https://h:8080/x@1", "https://h:8080/x@1"],
    ["git+ssh://git@h/x", "git+ssh://git@h/x"],
    ["1https://u:p@h/x", "1https://****@h/x"],
    ["ssh://u:p@h/x", "ssh://****@h/x"],
    ["a".repeat(100_000), "a".repeat(100_000)],
  ])("%s", (text, shown) => {
    expect(redactUrls(text)).toBe(shown);
  });
});
