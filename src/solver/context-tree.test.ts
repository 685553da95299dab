// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIgnore } from "../dockerfile/index.ts";
import { ContextTree } from "./context-tree.ts";

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-tree-"));
  for (const file of ["app.py", "data/a.txt", "data/deep/b.txt", "node_modules/x/y.js", ".git/HEAD"]) {
    fs.mkdirSync(join(root, dirname(file)), { recursive: true });
    fs.writeFileSync(join(root, file), file);
  }
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function shown(patterns: readonly string[]): readonly string[] {
  const tree = new ContextTree(root, patterns.length > 0 ? createIgnore(patterns) : undefined);
  const below = (path: string): string[] =>
    tree
      .list(path)
      .flatMap(({ path: child, stats }) => (stats.isDirectory() ? [`${child}/`, ...below(child)] : [child]));
  return below("");
}

const ALL = [".git/", ".git/HEAD", "app.py", "data/", "data/a.txt", "data/deep/", "data/deep/b.txt"];
const MODULES = ["node_modules/", "node_modules/x/", "node_modules/x/y.js"];

describe("a build context", () => {
  it.each([
    [[], [...ALL, ...MODULES]],
    [["node_modules", ".git"], ALL.slice(2)],
    [
      ["data", "!data/deep", ".git", "node_modules"],
      ["app.py", "data/", "data/deep/", "data/deep/b.txt"],
    ],
    [["*", "!app.py"], ["app.py"]],
    [
      ["**/*.txt", ".git", "node_modules"],
      ["app.py", "data/", "data/deep/"],
    ],
    [["data", "!data/nosuch", ".git", "node_modules"], ["app.py"]],
  ])("under %j", (patterns, wanted) => {
    expect(shown(patterns)).toEqual(wanted);
  });

  it("hides sockets, and finds nothing below a file", async () => {
    const server = createServer();
    await new Promise<void>((done) => void server.listen(join(root, "socket"), done));
    const tree = new ContextTree(root);
    expect(tree.list("").map(({ path }) => path)).not.toContain("socket");
    expect(tree.lookup("app.py/x")).toBeUndefined();
    expect(tree.list("app.py")).toEqual([]);
    await new Promise((done) => server.close(done));
  });
});
