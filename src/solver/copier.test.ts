// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_EPOCH } from "../base/index.ts";
import { ContextTree } from "./context-tree.ts";
import { applyCopy } from "./copier.ts";
import { planCopy } from "./copy-plan.ts";
import { StagedTree } from "./staged-tree.ts";
import type { CopyOp } from "../graph/index.ts";

let root: string;
const at = (...names: string[]): string => join(root, ...names);

function put(place: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = at(place, name);
    fs.mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (text.startsWith("-> ")) fs.symlinkSync(text.slice(3), path);
    else if (!name.endsWith("/")) fs.writeFileSync(path, text, { mode: 0o644 });
  }
}

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-copier-"));
  put("source", { "app.py": "app", "data/a.txt": "a", "data/sub/b.txt": "b", link: "-> app.py", dirlink: "-> data" });
  fs.chmodSync(at("source/data"), 0o750);
  fs.chmodSync(at("source/data/sub"), 0o711);
  put("base", { "real/keep": "kept", abs: "-> /real", up: "-> ../../real", file: "old", "etc/": "" });
  fs.chmodSync(at("base/real"), 0o700);
  fs.mkdirSync(at("stage"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

async function copy(paths: readonly string[], destination: string, more: Partial<CopyOp> = {}): Promise<StagedTree> {
  const sources = paths.length > 0 ? [{ from: 1, paths }] : [];
  const op: CopyOp = { type: "copy", sources, destination, parents: false, link: false, command: "COPY", ...more };
  const staged = new StagedTree(new ContextTree(at("base")), at("stage"));
  await applyCopy(planCopy(op, [undefined, new ContextTree(at("source"))]), { op, staged, keepOwners: () => false });
  return staged;
}

/** What lies in the layer: `path mode content`. */
function layer(): readonly string[] {
  const below = (path: string): string[] =>
    fs.readdirSync(at("stage", path), { withFileTypes: true }).flatMap((entry) => {
      const name = join(path, entry.name);
      const mode = (fs.lstatSync(at("stage", name)).mode & 0o7777).toString(8);
      if (entry.isDirectory()) return [`${name}/ ${mode}`, ...below(name)];
      return entry.isSymbolicLink()
        ? [`${name} -> ${fs.readlinkSync(at("stage", name))}`]
        : [`${name} ${mode} ${fs.readFileSync(at("stage", name), "utf8")}`];
    });
  return below("").sort();
}

describe("a copy", () => {
  it.each([
    [["app.py"], "/app.py", ["app.py 644 app"]],
    [["app.py"], "/new/", ["new/ 755", "new/app.py 644 app"]],
    [["app.py"], "/deep/er/name", ["deep/ 755", "deep/er/ 755", "deep/er/name 644 app"]],
    [["app.py"], "/etc", ["etc/ 755", "etc/app.py 644 app"]],
    [["app.py"], "/file", ["file 644 app"]],
    [["app.py"], "/abs/x", ["real/ 700", "real/x 644 app"]],
    [["app.py"], "/up/", ["real/ 700", "real/app.py 644 app"]],
    [["link"], "/", ["link 644 app"]],
    [["data"], "/there", ["there/ 755", "there/a.txt 644 a", "there/sub/ 711", "there/sub/b.txt 644 b"]],
    [["data/"], "/real", ["real/ 700", "real/a.txt 644 a", "real/sub/ 711", "real/sub/b.txt 644 b"]],
    [["dirlink"], "/x/", ["x/ 755", "x/a.txt 644 a", "x/sub/ 711", "x/sub/b.txt 644 b"]],
    [["app.py", "data/a.txt"], "/both/", ["both/ 755", "both/a.txt 644 a", "both/app.py 644 app"]],
  ])("of %j to %s", async (paths, destination, wanted) => {
    await copy(paths, destination);
    expect(layer()).toEqual(wanted);
  });

  it("with --parents keeps directories, and gives existing ones the source's mode", async () => {
    put("base", { "x/data/": "" });
    await copy(["data/sub/b.txt"], "/x/", { parents: true });
    expect(layer()).toEqual(["x/ 755", "x/data/ 750", "x/data/sub/ 711", "x/data/sub/b.txt 644 b"]);
  });

  it("with --chmod changes files, copied and created directories", async () => {
    await copy(["data"], "/new/there", { chmod: "4700" });
    expect(layer()).toEqual([
      "new/ 700",
      "new/there/ 700",
      "new/there/a.txt 4700 a",
      "new/there/sub/ 4700",
      "new/there/sub/b.txt 4700 b",
    ]);
  });

  it("writes texts of the Dockerfile", async () => {
    const sources = [{ inline: { fileName: "EOF", content: "text\n" } }];
    await copy([], "/made/", { sources });
    expect(layer()).toEqual(["made/ 755", "made/EOF 644 text\n"]);
  });

  it("keeps hard links, and sets one time", async () => {
    fs.linkSync(at("source/app.py"), at("source/twin.py"));
    await copy(["."], "/all/");
    const [one, two] = ["app.py", "twin.py"].map((name) => fs.statSync(at("stage/all", name)));
    expect(one?.ino).toBe(two?.ino);
    expect([one?.mtimeMs, fs.statSync(at("stage/all")).mtimeMs]).toEqual([DEFAULT_EPOCH * 1000, DEFAULT_EPOCH * 1000]);
  });

  it.each([
    ["a file over a directory", ["app.py"], "/real/keep/../", { "real/app.py/": "" }],
    ["a directory over a file", ["data"], "/file", {}],
    ["below a file", ["app.py"], "/file/x", {}],
  ] as const)("refuses %s", async (_what, paths, destination, base) => {
    put("base", base);
    await expect(copy(paths, destination)).rejects.toMatchObject({ code: "E_COPY" });
  });

  it("never writes through a link of the base to the host", async () => {
    const outside = at("outside");
    fs.mkdirSync(outside);
    put("base", { escape: `-> ${outside}` });
    await copy(["app.py"], "/escape/");
    expect(fs.readdirSync(outside)).toEqual([]);
    expect(fs.existsSync(join(at("stage"), outside, "app.py"))).toBe(true);
  });
});
