// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { treeOf } from "./fixture.ts";
import { readPackage } from "./package.ts";

const SYSTEM = (backend: string): string => `[build-system]\nrequires = ["x"]\nbuild-backend = "${backend}"\n`;
const NAMED = '[project]\nname = "My.App"\nversion = "1.0"\n';

interface InPlace {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly version: string;
  readonly roots: readonly string[];
}

const IN_PLACE: readonly InPlace[] = [
  {
    title: "a package beside its pyproject.toml",
    files: { "pyproject.toml": NAMED + SYSTEM("hatchling.build"), "my_app/__init__.py": "" },
    version: "1.0",
    roots: [""],
  },
  {
    title: "a package below src",
    files: { "pyproject.toml": NAMED + SYSTEM("uv_build"), "src/my_app/__init__.py": "" },
    version: "1.0",
    roots: ["src"],
  },
  {
    title: "the usual backend without its name",
    files: { "pyproject.toml": `${NAMED}[build-system]\nrequires = ["setuptools"]\n`, "my_app.py": "" },
    version: "1.0",
    roots: [""],
  },
  {
    title: "setuptools with a folder of its own",
    files: {
      "pyproject.toml": `${NAMED}${SYSTEM("setuptools.build_meta")}[tool.setuptools.packages.find]\nwhere = ["lib"]\n`,
    },
    version: "1.0",
    roots: ["lib"],
  },
  {
    title: "a version in an attribute",
    files: {
      "pyproject.toml": `[project]\nname = "a"\ndynamic = ["version"]\n${SYSTEM("setuptools.build_meta")}[tool.setuptools.dynamic]\nversion = {attr = "a.__version__"}\n`,
      "src/a/__init__.py": '"""x"""\n__version__ = "2.1.post1"\n',
    },
    version: "2.1.post1",
    roots: ["src"],
  },
  {
    title: "a version in a file",
    files: {
      "pyproject.toml": `[project]\nname = "a"\ndynamic = ["version"]\n${SYSTEM("setuptools.build_meta")}[tool.setuptools.dynamic]\nversion = {file = "VERSION"}\n`,
      VERSION: "3.0.0RC1\n",
    },
    version: "3.0.0rc1",
    roots: [""],
  },
  {
    title: "hatch's version",
    files: {
      "pyproject.toml": `[project]\nname = "a"\ndynamic = ["version"]\n${SYSTEM("hatchling.build")}[tool.hatch.version]\npath = "a/about.py"\n`,
      "a/about.py": "__version__ = 'v4'\n",
    },
    version: "4",
    roots: [""],
  },
  {
    title: "flit's version",
    files: {
      "pyproject.toml": `[project]\nname = "a"\ndynamic = ["version", "description"]\n${SYSTEM("flit_core.buildapi")}`,
      "a/__init__.py": '__version__ = "5"\n',
    },
    version: "5",
    roots: [""],
  },
  {
    title: "Poetry's own table",
    files: {
      "pyproject.toml": `[tool.poetry]\nname = "a"\nversion = "6"\npackages = [{include = "a", from = "python"}]\n${SYSTEM("poetry.core.masonry.api")}`,
    },
    version: "6",
    roots: ["python"],
  },
  {
    title: "dependencies in a file",
    files: {
      "pyproject.toml": `[project]\nname = "a"\nversion = "7"\ndynamic = ["dependencies"]\n${SYSTEM("setuptools.build_meta")}[tool.setuptools.dynamic]\ndependencies = {file = ["requirements.txt"]}\n`,
      "requirements.txt": "six # x\n\n# y\n",
    },
    version: "7",
    roots: [""],
  },
];

it.each(IN_PLACE)("uses $title where it lies", ({ files, version, roots }) => {
  expect(readPackage(treeOf(files), { folder: "", isWanted: false })).toMatchObject({
    kind: "in-place",
    version,
    roots,
  });
});

const BUILT: readonly (readonly [title: string, files: Readonly<Record<string, string>>, reason: string])[] = [
  ["another backend", { "pyproject.toml": NAMED + SYSTEM("maturin") }, "maturin builds it"],
  [
    "extension modules",
    {
      "pyproject.toml": `${NAMED}${SYSTEM("setuptools.build_meta")}[tool.setuptools]\next-modules = [{name = "x", sources = ["x.c"]}]\n`,
    },
    "it has extension modules",
  ],
  [
    "a setup.py that compiles",
    { "pyproject.toml": NAMED + SYSTEM("setuptools.build_meta"), "setup.py": "setup(ext_modules=cythonize('a.pyx'))" },
    "setup.py compiles",
  ],
  [
    "a version out of git",
    {
      "pyproject.toml": `[project]\nname = "a"\ndynamic = ["version"]\n${SYSTEM("setuptools.build_meta")}[tool.setuptools_scm]\n`,
    },
    "its version is told by a build only",
  ],
  [
    "dependencies that a hook tells",
    {
      "pyproject.toml": `[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]\n${SYSTEM("setuptools.build_meta")}`,
    },
    "its dependencies are told by a build only",
  ],
  [
    "build hooks",
    { "pyproject.toml": `${NAMED}${SYSTEM("hatchling.build")}[tool.hatch.build.hooks.custom]\n` },
    "it has build hooks",
  ],
  [
    "modules at another place",
    { "pyproject.toml": `${NAMED}${SYSTEM("setuptools.build_meta")}[tool.setuptools.package-dir]\na = "lib/b"\n` },
    "its modules are put elsewhere by a build",
  ],
];

it.each(BUILT)("builds %s", (_title, files, reason) => {
  expect(readPackage(treeOf(files), { folder: "", isWanted: false })).toMatchObject({ kind: "build", reason });
});

const NONE: readonly (readonly [title: string, text: string])[] = [
  ["a project without a build system", NAMED],
  ["what uv is told is none", `${NAMED}${SYSTEM("hatchling.build")}[tool.uv]\npackage = false\n`],
  ["what Poetry is told is none", `[tool.poetry]\npackage-mode = false\n${SYSTEM("poetry.core.masonry.api")}`],
  ["settings of tools alone", "[tool.ruff]\nline-length = 100\n"],
];

it.each(NONE)("takes %s for no package", (_title, text) => {
  expect(readPackage(treeOf({ "pyproject.toml": text }), { folder: "", isWanted: false })).toBeUndefined();
});

it("reads a package of a folder that is asked for, also without a pyproject.toml", () => {
  const reader = treeOf({ "libs/a/pyproject.toml": NAMED, "libs/b/setup.py": "", "libs/c/x": "" });
  expect(readPackage(reader, { folder: "libs/a", isWanted: true })).toMatchObject({
    kind: "in-place",
    folder: "libs/a",
  });
  expect(readPackage(reader, { folder: "libs/b", isWanted: true })).toMatchObject({
    kind: "build",
    reason: "its metadata is told by setup.py",
  });
  expect(readPackage(reader, { folder: "libs/c", isWanted: true })).toBeUndefined();
});

it("writes metadata and entry points, and no credentials", () => {
  const text = `[project]
name = "My.App"
version = "1.0"
description = "what it does"
requires-python = ">=3.9"
dependencies = ["six>=1", "x @ https://user:secret@host/x.whl"]
[project.optional-dependencies]
dev = ["pytest ; python_version < '3.12' or sys_platform == 'linux'"]
[project.scripts]
my-app = "my_app:main"
[project.entry-points.plugins]
a = "my_app.a"
[build-system]
requires = []
`;
  const found = readPackage(treeOf({ "pyproject.toml": text }), { folder: "", isWanted: false });
  expect(found?.kind === "in-place" && found.files).toMatchInlineSnapshot(`
    {
      "METADATA": "Metadata-Version: 2.1
    Name: My.App
    Version: 1.0
    Summary: what it does
    Requires-Python: >=3.9
    Provides-Extra: dev
    Requires-Dist: six>=1
    Requires-Dist: x @ https://host/x.whl
    Requires-Dist: pytest ; (python_version < "3.12" or sys_platform == "linux") and extra == "dev"
    ",
      "entry_points.txt": "[console_scripts]
    my-app = my_app:main

    [plugins]
    a = my_app.a
    ",
    }
  `);
});
