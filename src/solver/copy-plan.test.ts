// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { ContextTree } from "./context-tree.ts";
import { cleanPath, hasWildcards, isInline, planCopy } from "./copy-plan.ts";
import type { CopyOp } from "../graph/index.ts";

let root: string;

const FILES = [
  "app.py",
  "a/b/c/d/foo",
  "a/b/c/d/e/bay",
  "a/b2/c/d/e/bar",
  "a/b/c2/d/e/baz",
  "dir1/one.png",
  "dir1/two.txt",
  "dir2/three.jpeg",
  "[abc]/odd",
  "star*file",
];

beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-plan-"));
  for (const file of FILES) {
    fs.mkdirSync(join(root, dirname(file)), { recursive: true });
    fs.writeFileSync(join(root, file), file);
  }
  fs.symlinkSync("a/b", join(root, "link"));
  fs.symlinkSync("/app.py", join(root, "abs"));
  fs.symlinkSync("nowhere", join(root, "dangling"));
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const op = (paths: readonly string[], more: Partial<CopyOp> = {}): CopyOp => ({
  type: "copy",
  sources: [{ from: 1, paths }],
  destination: "/",
  parents: false,
  link: false,
  command: "COPY",
  ...more,
});

/** `name: paths of the included files`, one line a match. */
function planned(paths: readonly string[], more: Partial<CopyOp> = {}): readonly string[] {
  const plan = planCopy(op(paths, more), [undefined, new ContextTree(root)]);
  return plan.map((match) => {
    if (isInline(match)) return `<<${match.name}`;
    const files = match.entries.filter(({ entry }) => !entry.stats.isDirectory());
    return `${match.name}: ${files.map(({ relative }) => relative || ".").join(" ")}`;
  });
}

describe("the sources of a copy", () => {
  it.each([
    [["app.py"], ["app.py: ."]],
    [
      ["/app.py", "./dir1"],
      ["app.py: .", "dir1: one.png two.txt"],
    ],
    [
      ["dir1/", "dir1/."],
      ["dir1: one.png two.txt", "dir1: one.png two.txt"],
    ],
    [["../../app.py"], ["app.py: ."]],
    [["*.py", "no*such"], ["app.py: ."]],
    [["dir*"], ["dir1: one.png two.txt", "dir2: three.jpeg"]],
    [["dir?/*.txt"], ["two.txt: ."]],
    [
      ["link/c/d/foo", "link"],
      ["foo: .", "link: c/d/e/bay c/d/foo c2/d/e/baz"],
    ],
    [["abs"], ["abs: ."]],
    [
      ["[[]abc]/odd", "star[*]file"],
      ["odd: .", "star*file: ."],
    ],
  ])("%j", (paths, wanted) => {
    expect(planned(paths)).toEqual(wanted);
  });

  it.each([["nosuch"], ["dir1/nosuch"], ["dangling"], ["app.py/below"], ["star\\*file"]])("%s is not there", (path) => {
    expect(() => planned([path])).toThrow(expect.objectContaining({ code: "E_COPY_NOTFOUND" }));
  });

  it.each([
    ["a/b/c/d", "a/b/c/d/e/bay a/b/c/d/foo"],
    ["./a/b/c/d/.", "a/b/c/d/e/bay a/b/c/d/foo"],
    ["a/b/./c/d", "c/d/e/bay c/d/foo"],
    ["a/./b/./c", "b/c/d/e/bay b/c/d/foo"],
    ["a/./*/c", "b/c/d/e/bay b/c/d/foo b2/c/d/e/bar"],
    ["**/ba?", "a/b/c/d/e/bay a/b/c2/d/e/baz a/b2/c/d/e/bar"],
    ["no*such", ""],
  ])("--parents %s keeps the path from the pivot on", (path, wanted) => {
    expect(planned([path], { parents: true }).map((line) => line.replace(/^[^:]*: /, ""))).toEqual([wanted]);
  });

  it.each(["nosuch", "a/./nosuch", "./", "."])("--parents %s takes nothing, and that is an error", (path) => {
    expect(() => planned([path], { parents: true })).toThrow(expect.objectContaining({ code: "E_COPY_NOTFOUND" }));
  });

  it.each([
    [["*/*.png", "a", "link", "[[]*"], "abs app.py dangling dir1/two.txt dir2/three.jpeg star*file"],
    [["*"], ""],
    [["**", "!dir2"], "dir2/three.jpeg"],
    [["**/*.txt", "**/d", "[[]*"], "abs app.py dangling dir1/one.png dir2/three.jpeg link star*file"],
  ])("--exclude %j", (exclude, wanted) => {
    expect(planned(["."], { exclude }).join()).toBe(`: ${wanted}`);
  });

  it("keeps texts of the Dockerfile in their order", () => {
    const sources: CopyOp["sources"] = [{ from: 1, paths: ["app.py"] }, { inline: { fileName: "EOF", content: "x" } }];
    expect(planned([], { sources })).toEqual(["app.py: .", "<<EOF"]);
  });
});

describe("the hint for a missing source", () => {
  const hint = (path: string, excludes: (path: string) => boolean = () => false): string | undefined => {
    const tree = new ContextTree(root, { excludes, mayIncludeBelow: () => false });
    try {
      planCopy(op([path]), [undefined, tree]);
    } catch (error) {
      if (isTareError(error, "E_COPY_NOTFOUND")) return error.hint;
    }
    return undefined;
  };

  it.each([
    ["ap.py", "did you mean `app.py`?"],
    ["dir1/tow.txt", "did you mean `dir1/two.txt`?"],
    ["nothing-like-it", "look at its spelling"],
    ["../x", "can't leave it"],
  ])("names what is near %s", (path, text) => expect(hint(path)).toContain(text));

  it("says that .dockerignore leaves it out", () => {
    expect(hint("app.py", (path) => path === "app.py")).toContain(".dockerignore leaves it out");
  });
});

describe("paths", () => {
  it.each([
    ["/a//b/./c/", "a/b/c"],
    ["../../a/../b", "b"],
    ["", ""],
  ])("%s is clean as %s", (path, wanted) => {
    expect(cleanPath(path)).toBe(wanted);
  });

  it.each([
    ["a*", true],
    ["a\\*", false],
    ["a\\\\*", true],
    ["[", true],
    ["plain", false],
  ])("%s has wildcards: %s", (path, wanted) => {
    expect(hasWildcards(path)).toBe(wanted);
  });
});
