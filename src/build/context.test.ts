// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openContext } from "./context.ts";
import type { BuildContext, ContextRequest } from "./context.ts";

let root: string;
const at = (...names: string[]): string => join(root, ...names);

function put(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(at(name)), { recursive: true });
    fs.writeFileSync(at(name), text);
  }
}

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-context-"));
  fs.mkdirSync(at("scratch"));
  put({
    "app/Dockerfile": "FROM scratch\n",
    "app/other.df": "FROM other\n",
    "app/main.py": "",
    "beside.df": "FROM beside\n",
  });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function open(context: string, more: Partial<ContextRequest> = {}): Promise<BuildContext> {
  return openContext({ cwd: root, context, scratch: at("scratch"), signal: new AbortController().signal, ...more });
}

async function* bytes(...parts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

describe("where a build comes from", () => {
  it.each([
    ["app", {}, "FROM scratch\n"],
    ["app", { file: "app/other.df" }, "FROM other\n"],
    ["app", { file: "other.df" }, "FROM other\n"],
    ["app", { file: "beside.df" }, "FROM beside\n"],
    ["app", { file: "-", stdin: (): AsyncIterable<Uint8Array> => bytes("FROM ", "stdin\n") }, "FROM stdin\n"],
  ] as const)("a folder: %s with %j", async (context, more, text) => {
    const { stdin, ...rest } = { stdin: undefined, ...more };
    const opened = await open(context, { ...rest, ...(stdin ? { stdin: stdin() } : {}) });
    expect([opened.dockerfile?.text, opened.source.root]).toEqual([text, at("app")]);
  });

  it("a Dockerfile on stdin: the context is empty", async () => {
    const opened = await open("-", { stdin: bytes("FROM a\n", "RUN b\n") });
    expect([opened.dockerfile?.text, fs.readdirSync(opened.source.root)]).toEqual(["FROM a\nRUN b\n", []]);
  });

  it.each(["", "z"])("a tar on stdin (%j)", async (flag) => {
    const archive = execFileSync("tar", [`c${flag}`, "-C", at("app"), "."]);
    const opened = await open("-", { stdin: bytes(archive.subarray(0, 100), archive.subarray(100)) });
    expect(opened.dockerfile?.text).toBe("FROM scratch\n");
    expect(fs.readdirSync(opened.source.root).sort()).toEqual(["Dockerfile", "main.py", "other.df"]);
  });

  it("a tar whose Dockerfile is a link out of it", async () => {
    put({ "tar/x": "" });
    fs.symlinkSync(at("beside.df"), at("tar/Dockerfile"));
    const archive = execFileSync("tar", ["c", "-C", at("tar"), "."]);
    await expect(open("-", { stdin: bytes(archive) })).rejects.toMatchObject({ code: "E_DOCKERFILE_MISSING" });
  });

  it("a folder without a Dockerfile may be a project", async () => {
    expect((await open("scratch")).dockerfile).toBeUndefined();
  });

  it.each([
    ["nosuch", {}, "E_CONTEXT"],
    ["beside.df", {}, "E_CONTEXT"],
    ["app", { file: "nosuch" }, "E_DOCKERFILE_MISSING"],
    ["-", {}, "E_CONTEXT"],
    ["-", { file: "-" }, "E_USAGE"],
  ])("%s with %j is %s", async (context, more, code) => {
    await expect(open(context, more)).rejects.toMatchObject({ code });
  });

  it("an empty stdin is an error", async () => {
    await expect(open("-", { stdin: bytes() })).rejects.toMatchObject({ code: "E_CONTEXT" });
  });

  it.each([
    [{ "app/.dockerignore": "*.py" }, {}, true],
    [{ "app/.dockerignore": "# nothing\n\n" }, {}, false],
    [{ "app/.dockerignore": "*.py", "app/other.df.dockerignore": "x" }, { file: "other.df" }, false],
    [{ "beside.df.dockerignore": "main.py" }, { file: "beside.df" }, true],
  ])("ignore files %j with %j: main.py is hidden: %s", async (files, more, hidden) => {
    put(files);
    const { source } = await open("app", more);
    expect(source.filter?.excludes("main.py", false) ?? false).toBe(hidden);
  });
});
