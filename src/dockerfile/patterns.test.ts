// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PatternMatcher, createIgnore, hasGlob, matchGlob, readIgnoreFile } from "./index.ts";

describe("matchGlob", () => {
  it.each([
    ["*.py", "a.py", true],
    ["*.py", "d/a.py", false],
    ["a?c", "abc", true],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["\\*", "*", true],
    ["**", "a/b", false],
    ["", "", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-b-b-", false],
  ])("%s %s %s", (pattern, name, wanted) => {
    expect(matchGlob(pattern, name)).toBe(wanted);
  });

  it.each(["[", "a[", "[]a]", "[a-]", "[-a]", "\\", "[a"])("refuses %s", (pattern) => {
    expect(() => matchGlob(pattern, "a")).toThrow("syntax error in pattern");
  });

  it("knows which words are patterns", () => {
    expect(["a", "a*", "[a]", "a\\b"].map(hasGlob)).toEqual([false, true, true, true]);
  });
});

describe("createIgnore", () => {
  const filter = (text: string): ReturnType<typeof createIgnore> => createIgnore(readIgnoreFile(text));

  it.each([
    ["*.pyc", "a.pyc", true],
    ["*.pyc", "d/a.pyc", false],
    ["**/*.pyc", "d/e/a.pyc", true],
    ["node_modules", "node_modules/a/b", true],
    ["/node_modules/", "node_modules/a", true],
    ["a\n!a/b", "a/b", false],
    ["a\n!a/b", "a/b/c", false],
    ["a\n!a/b", "a/c", true],
    ["*\n!src\nsrc/x", "src/x/y", true],
    ["*\n!src\nsrc/x", "src/z", false],
    ["# a\n\na b ", "a b", true],
    ["**", "a", true],
    ["*\n!**/*.py", "d/a.py", false],
    // a pattern that did not come into question for the folder does not count below it, as in BuildKit
    ["a/b\n!a", "a/b", true],
  ])("%j %s %s", (text, path, wanted) => {
    expect(filter(text).excludes(path, false)).toBe(wanted);
  });

  it("says where a walk must go on", () => {
    expect(filter("*\n!src/app").mayIncludeBelow("src")).toBe(true);
    expect(filter("*\n!src/app").mayIncludeBelow("lib")).toBe(false);
    expect(filter("*\n!src/app").mayIncludeBelow("src/app/x")).toBe(false);
    expect(filter("*\n!**/*.py").mayIncludeBelow("lib")).toBe(true);
    expect(filter("*").mayIncludeBelow("lib")).toBe(false);
    expect(filter("a\n!a/b/**").mayIncludeBelow("a")).toBe(true);
  });

  it("agrees with the matcher where no exception is", () => {
    const name = fc.constantFrom("a", "b", "ab", "c.py");
    const pattern = fc
      .array(fc.constantFrom("a", "b", "*", "**", "?b", "*.py"), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"));
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 4 }),
        fc.array(name, { minLength: 1, maxLength: 4 }),
        (patterns, names) => {
          const path = names.join("/");
          expect(createIgnore(patterns).excludes(path, false)).toBe(
            new PatternMatcher(patterns).matchesOrParentMatches(path),
          );
        },
      ),
    );
  });

  it("is fast for hostile patterns and many paths", () => {
    const before = performance.now();
    const hostile = new PatternMatcher([`${"*a".repeat(300)}b`, `${"**/a/".repeat(200)}*b`]);
    expect(hostile.matchesOrParentMatches("a/".repeat(500))).toBe(false);
    const ignore = filter("**/__pycache__\n**/*.pyc\n.git\nnode_modules\n*.log\n!keep.log\n");
    for (let index = 0; index < 100_000; index += 1) ignore.excludes(`src/d${index % 100}/file${index}.py`, false);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("refuses malformed patterns", () => {
    expect(() => filter("!")).toThrow('illegal exclusion pattern: "!"');
    expect(() => filter("a[")).toThrow(expect.objectContaining({ code: "E_PATTERN" }));
  });
});
