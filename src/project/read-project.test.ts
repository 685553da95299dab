// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TareError } from "../base/index.ts";
import { findCommand } from "./entry.ts";
import { treeOf } from "./fixture.ts";
import { SIGNS, readProject } from "./read-project.ts";
import type { Project } from "./types.ts";

function read(files: Readonly<Record<string, string>>): Project | undefined {
  return readProject(treeOf(files), { folder: "/p", fallbackName: "p" });
}

it("takes a folder without signs of Python for none", () => {
  expect(read({ "README.md": "", "src/main.rs": "" })).toBeUndefined();
});

const PYTHONS: readonly (readonly [
  title: string,
  files: Readonly<Record<string, string>>,
  value: string | undefined,
])[] = [
  ["nothing", { "main.py": "" }, undefined],
  ["[tool.tare]", { "tare.toml": 'python = "3.12.4"', ".python-version": "3.11" }, "3.12 from [tool.tare]"],
  [".python-version", { "main.py": "", ".python-version": "# x\n3.11.4\n" }, "3.11 from .python-version"],
  [
    "uv's form of it",
    { "main.py": "", ".python-version": "cpython-3.13.1-linux-x86_64-gnu\n" },
    "3.13 from .python-version",
  ],
  ["uv's other form of it", { "main.py": "", ".python-version": "cpython@3.12\n" }, "3.12 from .python-version"],
  ["the name of an environment", { "main.py": "", ".python-version": "my-env\n" }, undefined],
  ["a build without the lock that all threads share", { "main.py": "", ".python-version": "3.13t\n" }, undefined],
  ["runtime.txt", { "main.py": "", "runtime.txt": "python-3.10.2\n" }, "3.10 from runtime.txt"],
];

describe("the version of Python", () => {
  it.each(PYTHONS)("by %s", (_title, files, told) => {
    const { python } = read(files) ?? {};
    expect(python && `${python.value} ${python.reason}`).toBe(told);
  });

  it("may be left to requires-python", () => {
    const text = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9,<3.12"\n';
    expect(read({ "pyproject.toml": text })).toMatchObject({ python: undefined, requiresPython: ">=3.9,<3.12" });
  });
});

describe("any tree", () => {
  const words = fc.constantFrom(
    "[project]\n",
    'name = "a"\n',
    'version = "1"\n',
    'dynamic = ["version"]\n',
    'dependencies = ["six", "a @ https://h/a.whl"]\n',
    "[build-system]\n",
    "requires = []\n",
    "[tool.tare]\n",
    "[tool.poetry]\n",
    "[tool.poetry.dependencies]\n",
    '[[package]]\nname = "b"\nversion = "2"\n',
    '"default": {"a": {"version": "==1"}}',
    "{}",
    "-r other.txt\n",
    "-e .\n",
    "six==1 --hash=sha256:00\n",
    "web: $PORT\n",
    "app = FastAPI()\nfrom fastapi import FastAPI\n",
    "if __name__ == '__main__':\n",
    "\u0000",
    "DJANGO_SETTINGS_MODULE', 'a.settings'",
  );
  const content = fc.oneof(
    fc.array(words).map((parts) => parts.join("")),
    fc.string(),
  );
  const names = [...SIGNS, "app/main.py", "src/a/__init__.py", "x.ipynb", "other.txt", ".python-version", "VERSION"];
  const trees = fc.dictionary(fc.constantFrom(...names), content, { maxKeys: 5 });

  it("is read, or refused with an error that says why", () => {
    fc.assert(
      fc.property(trees, fc.boolean(), (files, has) => {
        try {
          const project = read(files);
          if (project) findCommand(treeOf(files), project, () => has);
        } catch (error) {
          if (!(error instanceof TareError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
