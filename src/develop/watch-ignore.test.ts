// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createIgnore } from "../dockerfile/index.ts";
import { gitPatterns } from "./watch-ignore.ts";

const CASES: readonly (readonly [name: string, text: string, path: string, ignored: boolean])[] = [
  ["a name, at the top", "*.log\n", "a.log", true],
  ["a name, deep below", "*.log\n", "x/y/a.log", true],
  ["a folder and what is in it", "build/\n", "sub/build/x.py", true],
  ["from the top only", "/data\n", "sub/data", false],
  ["from the top", "/data\n", "data/x", true],
  ["a path", "docs/gen\n", "docs/gen/x", true],
  ["a path, not below", "docs/gen\n", "sub/docs/gen", false],
  ["any folders", "**/tmp/*.py\n", "a/b/tmp/x.py", true],
  ["taken back", "*.py\n!keep.py\n", "sub/keep.py", false],
  ["a comment", "# *.py\n", "a.py", false],
  ["an empty line", "\n\n", "a.py", false],
  ["blanks at the end", "*.log   \n", "a.log", true],
  ["a written-out hash", "\\#x\n", "#x", true],
  ["lines of Windows", "*.log\r\n", "a.log", true],
  ["another name", "*.log\n", "a.py", false],
];

describe(".gitignore as patterns", () => {
  it.each(CASES)("%s", (_name, text, path, ignored) => {
    expect(createIgnore(gitPatterns(text)).excludes(path, false)).toBe(ignored);
  });
});
