// SPDX-License-Identifier: Apache-2.0
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readProject } from "../project/index.ts";
import { contextWarnings, projectContext } from "./project-context.ts";
import { refuseProjectFile, unusedOptions } from "./project-request.ts";
import { folderReader } from "./project-reader.ts";
import type { BuildRequest } from "./request.ts";

const folder = mkdtempSync(join(tmpdir(), "tare-context-"));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

beforeAll(() => {
  write("tare.toml", 'exclude = ["data", "weights/skip.bin"]\ninclude = ["data/keep", ".git"]\n');
  write(".dockerignore", "# notes\nnotes\n!.env\n");
  write("main.py", "");
  write(".env", "A=1");
  for (const name of ["weights/model.safetensors", "weights/skip.bin"]) {
    write(name, "");
    const file = openSync(join(folder, name), "r+");
    ftruncateSync(file, 3e9);
    closeSync(file);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const SEEN: readonly (readonly [path: string, isFolder: boolean, isIn: boolean])[] = [
  ["main.py", false, true],
  ["notes", true, false],
  ["data/x", false, false],
  ["data/keep", false, true],
  [".git", true, true],
  ["venv", true, false],
  ["lib/__pycache__", true, false],
  [".env", false, false],
  ["deploy/.env.production", false, false],
  [".env.example", false, true],
  [".netrc", false, false],
  ["home/.ssh", true, false],
  [".dockerignore", false, false],
];

it.each(SEEN)("%s: folder %s, in the image %s", (path, isFolder, isIn) => {
  const project = readProject(folderReader(folder), { folder, fallbackName: "x" });
  if (!project) throw new Error("no project");
  expect(projectContext(folder, project).filter?.excludes(path, isFolder)).toBe(!isIn);
});

it("leaves out the list that was installed, but nothing that a build may read", () => {
  const left = (files: Readonly<Record<string, string>>, path: string): boolean | undefined => {
    const root = mkdtempSync(join(tmpdir(), "tare-lists-"));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
      const project = readProject(folderReader(root), { folder: root, fallbackName: "x" });
      if (!project) throw new Error("no project");
      return projectContext(root, project).filter?.excludes(path, false);
    } finally {
      rmSync(root, { recursive: true });
    }
  };
  const named = '[project]\nname = "x"\nversion = "1"\n[build-system]\nrequires = []\n';
  expect(left({ "requirements.txt": "" }, "requirements.txt")).toBe(true);
  expect(left({ "requirements.txt": "", "tare.toml": 'include = ["requirements.txt"]' }, "requirements.txt")).toBe(
    false,
  );
  expect(left({ "requirements.txt": "", "pyproject.toml": named }, "requirements.txt")).toBe(false);
  expect(left({ "uv.lock": "", "pyproject.toml": named }, "uv.lock")).toBe(true);
  expect(left({ "setup.py": "setup()" }, "setup.py")).toBe(false);
});

it("warns of secrets that are left out and of weights that are not", () => {
  const project = readProject(folderReader(folder), { folder, fallbackName: "x" });
  if (!project) throw new Error("no project");
  const warnings = contextWarnings(projectContext(folder, project));
  expect(warnings.map(({ rule }) => rule)).toEqual(["SecretsLeftOut", "LargeFiles"]);
  expect(warnings[1]?.message).toContain("weights/model.safetensors (3.00 GB)");
  expect(warnings[1]?.message).not.toContain("skip.bin");
});

const EMPTY: BuildRequest = {
  cwd: "/",
  context: ".",
  tags: [],
  buildArgs: {},
  buildContexts: {},
  labels: {},
  secrets: [],
  ssh: {},
  platforms: [],
  noCache: false,
  noCacheFilter: [],
  pull: false,
  addHosts: [],
  ulimits: [],
  allow: [],
  outputs: [],
  load: false,
};

it("names options that mean nothing", () => {
  const buildArgs = { A: "1", SOURCE_DATE_EPOCH: "0", https_proxy: "x" };
  expect(unusedOptions({ ...EMPTY, buildArgs, addHosts: ["a:1"], shmSize: 1 })).toEqual([
    "--build-arg A",
    "--add-host",
    "--shm-size",
  ]);
  expect(unusedOptions({ ...EMPTY, accelerate: true })).toEqual([]);
});

it.each<readonly [string, Partial<BuildRequest>]>([
  ["--secret x", { secrets: [{ id: "x", env: "X" }] }],
  ["--ssh", { ssh: { default: [] } }],
  ["--build-context a", { buildContexts: { a: "/" } }],
])("refuses %s", (what, given) => {
  expect(() => unusedOptions({ ...EMPTY, ...given })).toThrow(
    expect.objectContaining({ code: "E_USAGE", message: expect.stringContaining(what) }),
  );
});

it("knows files of projects that are no Dockerfiles", () => {
  expect(() => refuseProjectFile("some/pyproject.toml")).toThrow(/no Dockerfile/);
  expect(() => refuseProjectFile("Dockerfile.dev")).not.toThrow();
});
