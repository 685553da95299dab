// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { formatMarker } from "./markers.ts";
import { readPyproject } from "./pyproject.ts";
import { formatRequirement } from "./requirement.ts";
import type { PlacedRequirement, PoetryDependency, PyprojectFile } from "./types.ts";

function read(text: string): PyprojectFile {
  return readPyproject(text, "pyproject.toml");
}

function texts(requirements: readonly (PlacedRequirement | PoetryDependency)[] | undefined): readonly string[] {
  return (requirements ?? []).map(({ requirement }) => formatRequirement(requirement));
}

describe("pyproject.toml", () => {
  it("reads the project table", () => {
    const { project, buildSystem, tare } = read(`
[project]
name = "My.App"
version = "1.0"
requires-python = " >=3.9 "
dynamic = ["description"]
dependencies = ["numpy>=1", "x @ https://u:p@h/x.zip ; os_name=='nt'"]
[project.optional-dependencies]
Dev_X = ["pytest"]
[project.scripts]
run = "a:b"
[project.gui-scripts]
win = "a:c"
[project.entry-points."my.group"]
one = "a:d"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.tare]
base = "debian:12"
`);
    expect(project).toMatchObject({
      name: "My.App",
      version: "1.0",
      requiresPython: ">=3.9",
      dynamic: ["description"],
    });
    expect(texts(project?.dependencies)).toEqual(["numpy>=1", 'x @ https://u:p@h/x.zip ; os_name == "nt"']);
    expect(project?.dependencies[1]).toMatchObject({
      text: "x @ https://****@h/x.zip ; os_name=='nt'",
      place: "project.dependencies[1]",
    });
    expect(texts(project?.optionalDependencies["dev-x"])).toEqual(["pytest"]);
    expect(project).toMatchObject({
      scripts: { run: "a:b" },
      guiScripts: { win: "a:c" },
      entryPoints: { "my.group": { one: "a:d" } },
    });
    expect(buildSystem).toMatchObject({ buildBackend: "hatchling.build", backendPath: [] });
    expect(tare).toEqual({ base: "debian:12" });
  });

  it("resolves dependency groups", () => {
    const { dependencyGroups } = read(`
[dependency-groups]
All = ["a", { include-group = "Typing_Test" }, { include-group = "b" }]
typing-test = ["mypy", { include-group = "b" }]
b = ["b>1"]
`);
    expect(Object.keys(dependencyGroups)).toEqual(["all", "typing-test", "b"]);
    expect(texts(dependencyGroups["all"])).toEqual(["a", "mypy", "b>1"]);
  });

  it("reads uv's table", () => {
    const { uv } = read(`
[tool.uv]
dev-dependencies = ["ruff"]
default-groups = "all"
package = false
[[tool.uv.index]]
name = "torch"
url = "https://h/whl"
explicit = true
[tool.uv.sources]
Torch_x = { index = "torch" }
y = [{ git = "https://h/y", marker = "os_name == 'nt'" }, { path = "../y" }]
`);
    expect(uv?.indexes).toEqual([{ name: "torch", url: "https://h/whl", isDefault: false, isExplicit: true }]);
    expect(uv?.sources["torch-x"]).toEqual([{ index: "torch" }]);
    expect(uv?.sources["y"]).toHaveLength(2);
    expect(uv).toMatchObject({ defaultGroups: "all", isPackage: false });
    expect(texts(uv?.devDependencies)).toEqual(["ruff"]);
  });

  it.each([
    ["^1.2.3", ">=1.2.3,<2.0.0"],
    ["^0.2.3", ">=0.2.3,<0.3.0"],
    ["^0.0.3", ">=0.0.3,<0.0.4"],
    ["^0.0", ">=0.0,<0.1"],
    ["^0", ">=0,<1"],
    ["~1.2.3", ">=1.2.3,<1.3.0"],
    ["~1.2", ">=1.2,<1.3"],
    ["~1", ">=1,<2"],
    ["~=1.2", "~=1.2"],
    ["1.2.*", "==1.2.*"],
    ["*", ""],
    ["1.2", "==1.2"],
    ["=1.2", "==1.2"],
    [">= 1.2, < 2 , !=1.5", ">=1.2,<2,!=1.5"],
    [">=1 <2", ">=1,<2"],
    ["^1.0 || ^2.0", ">=1.0,<3.0"],
  ])("translates Poetry's `%s` to `%s`", (constraint, specifier) => {
    const { poetry } = read(`[tool.poetry.dependencies]\nx = "${constraint}"`);
    expect(poetry?.dependencies[0]?.requirement.specifier).toBe(specifier);
    expect(poetry?.dependencies[0]?.isApproximate).toBeUndefined();
  });

  it("says when a union has a gap", () => {
    const { poetry } = read('[tool.poetry.dependencies]\nx = "^1.0 || ^3.0"\ny = "<1 | 1.5"');
    expect(
      poetry?.dependencies.map(({ requirement, isApproximate }) => [requirement.specifier, isApproximate]),
    ).toEqual([
      [">=1.0,<4.0", true],
      ["", true],
    ]);
  });

  it("reads Poetry's table", () => {
    const { poetry } = read(`
[tool.poetry]
name = "app"
package-mode = false
[tool.poetry.dependencies]
python = "^3.8"
A_b = { version = "^1.0", extras = ["Z"], optional = true, python = "~3.9 || >=3.11.2", markers = "os_name == 'posix'" }
c = { git = "https://h/c.git", tag = "v1", subdirectory = "s" }
d = [{ version = "1", platform = "linux" }, { version = "2", platform = "win32" }]
e = { path = "../e", develop = true }
[tool.poetry.dev-dependencies]
old = "*"
[tool.poetry.group.dev.dependencies]
new = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "*"
[tool.poetry.extras]
More = ["A_b"]
[tool.poetry.scripts]
run = "app:main"
old = { reference = "bin/old.sh", type = "file" }
`);
    expect(poetry).toMatchObject({ name: "app", isPackage: false, requiresPython: ">=3.8,<4.0" });
    const [a, c, linux, , e] = poetry?.dependencies ?? [];
    expect(a).toMatchObject({ isOptional: true, requirement: { name: "a-b", extras: ["z"], specifier: ">=1.0,<2.0" } });
    expect(a?.requirement.marker && formatMarker(a.requirement.marker)).toBe(
      'os_name == "posix" and (python_version >= "3.9" and python_version < "3.10" or python_full_version >= "3.11.2")',
    );
    expect(c?.vcs).toEqual({ kind: "git", url: "https://h/c.git", ref: "v1", subdirectory: "s" });
    expect(texts(linux && [linux])).toEqual(['d==1; sys_platform == "linux"']);
    expect(e).toMatchObject({ path: "../e", isEditable: true });
    expect(texts(poetry?.groups["dev"]?.dependencies)).toEqual(["old", "new"]);
    expect(poetry?.groups["docs"]?.isOptional).toBe(true);
    expect(poetry).toMatchObject({ extras: { more: ["a-b"] }, scripts: { run: "app:main" } });
  });

  it.each([
    ["a = ", /pyproject\.toml:1:\d+`/],
    ["project = 1", /`project` must be a table/],
    ["[project]", /`project` has no name/],
    ["[project]\nname = 'x'\ndependencies = 'y'", /`project\.dependencies` must be an array/],
    ["[project]\nname = 'x'\ndependencies = ['foo=1']", /toml:3`: `project\.dependencies\[0\]` is malformed.*column 4/],
    ["[project]\nname = 'x'\ndependencies = [1]", /must be a string/],
    ["[project]\nname = '-x'", /is not a name/],
    ["[project]\nname = 'x'\nrequires-python = '3'", /requires-python/],
    ["[project]\nname = 'x'\n[project.optional-dependencies]\na-b = []\nA_B = []", /once more/],
    ["[project]\nname = 'x'\n[project.entry-points.console_scripts]\na = 'b'", /table of its own/],
    ["[build-system]\n", /has no requires/],
    ["[dependency-groups]\na = [{ include-group = 'b' }]\nb = [{ include-group = 'a' }]", /a → b → a/],
    ["[dependency-groups]\nlint = [{ include-group = 'lnt' }]", /unknown group: `lnt`/],
    ["[dependency-groups]\nlint = [{ include = 'lnt' }]", /table of one key/],
    ["[dependency-groups]\na-b = []\nA_B = []", /once more/],
    ["[[tool.uv.index]]\nname = 'x'", /has no url/],
    ["[tool.poetry.dependencies]\na = '^^1'", /tool\.poetry\.dependencies\.a/],
    ["[project]\nname = 'x'\ndependencies = ['a @ https://u:secret@h/x y']", /\*\*\*\*@h/],
  ])("refuses `%s`", (text, reason) => {
    expect(() => read(text)).toThrow(reason);
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "E_PYPROJECT" }));
    expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });

  it("treats no key as special", () => {
    const { project } = read("[project]\nname='x'\n[project.scripts]\n__proto__ = 'a:b'\nconstructor = 'c:d'");
    expect(Object.entries(project?.scripts ?? {})).toEqual([
      ["__proto__", "a:b"],
      ["constructor", "c:d"],
    ]);
    expect(read("").dependencyGroups).toEqual({});
  });

  it("never fails but with its own error", () => {
    const keys = fc.constantFrom("project", "dependency-groups", "build-system", "tool.uv", "tool.poetry", "tool.tare");
    const names = fc.constantFrom(
      "name",
      "dependencies",
      "dev",
      "index",
      "sources",
      "scripts",
      "group",
      "package",
      "requires",
    );
    const values = fc.constantFrom(
      "1",
      "'a'",
      "[]",
      "['a']",
      "[[]]",
      "{}",
      "{ a = 1 }",
      "[{ include-group = 'dev' }]",
      "true",
      "1979-05-27",
    );
    const tables = fc.array(
      fc.tuple(keys, names, values).map(([key, name, value]) => `[${key}]\n${name} = ${value}\n`),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          tables.map((all) => all.join("")),
        ),
        (text) => {
          try {
            read(text);
          } catch (error) {
            expect(isTareError(error, "E_PYPROJECT"), String(error)).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
