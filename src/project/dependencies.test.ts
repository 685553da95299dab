// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { treeOf } from "./fixture.ts";
import { readProject } from "./read-project.ts";
import type { Dependencies } from "./types.ts";

interface Case {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly found: Partial<Dependencies>;
}

const NAMED = '[project]\nname = "x"\nversion = "1"\n';
const LOCK = 'lock-version = "1.0"\ncreated-by = "x"\n';

const CASES: readonly Case[] = [
  {
    title: "pylock.toml before all others",
    files: { "pylock.toml": LOCK, "uv.lock": "", "requirements.txt": "six\n" },
    found: { kind: "lock", files: ["pylock.toml"], requested: ["six"] },
  },
  { title: "uv.lock", files: { "uv.lock": "", "pyproject.toml": NAMED }, found: { kind: "lock", files: ["uv.lock"] } },
  {
    title: "poetry.lock, without groups that are not asked for",
    files: {
      "poetry.lock": `[[package]]
name = "Main.One"
version = "1.0"
optional = false
groups = ["main"]
files = [{file = "a.whl", hash = "sha256:00"}, {file = "b", hash = "md5:1"}]

[[package]]
name = "tool"
version = "2.0"
groups = ["dev"]

[[package]]
name = "asked"
version = "3.0"
groups = ["prod", "dev"]
markers = {prod = "python_version < '3.12'", dev = "os_name == 'nt'"}

[[package]]
name = "extra"
version = "4.0"
optional = true

[[package]]
name = "old"
version = "5.0"
category = "dev"

[[package]]
name = "from-git"
version = "6.0"
[package.source]
type = "git"
url = "https://host/x.git"
reference = "main"
resolved_reference = "abc"
subdirectory = "lib"
`,
      "tare.toml": 'groups = ["prod"]\n',
    },
    found: {
      kind: "pins",
      files: ["poetry.lock"],
      pins: [
        "main-one==1.0 --hash=sha256:00",
        "asked==3.0 ; (python_version < '3.12')",
        "from-git @ git+https://host/x.git@abc#subdirectory=lib",
      ],
    },
  },
  {
    title: "Pipfile.lock without what is for development",
    files: {
      "Pipfile.lock": JSON.stringify({
        default: {
          six: { version: "==1.0", hashes: ["sha256:00"], markers: "python_version > '3'" },
          own: { git: "https://host/x.git", ref: "abc" },
        },
        develop: { pytest: { version: "==8" } },
      }),
    },
    found: {
      kind: "pins",
      pins: ["six==1.0 ; python_version > '3' --hash=sha256:00", "own @ git+https://host/x.git@abc"],
    },
  },
  {
    title: "requirements.lock before requirements.txt, and who asks for what",
    files: { "requirements.lock": "six==1\n", "requirements.txt": "Six>=1\n-r more.txt\n", "more.txt": "-e .\nidna\n" },
    found: { kind: "requirements", files: ["requirements.lock"], requested: ["six", "idna"], hasItself: true },
  },
  {
    title: "a file beside the project as not known",
    files: { "requirements.txt": "-r ../common.txt\nsix\n" },
    found: { kind: "requirements", requested: ["six"], hasItself: false },
  },
  {
    title: "pyproject.toml",
    files: { "pyproject.toml": `${NAMED}dependencies = ["six"]\n` },
    found: { kind: "pyproject", files: ["pyproject.toml"], requested: ["six"] },
  },
  {
    title: "dependencies that a build tells",
    files: { "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n' },
    found: { kind: "pyproject" },
  },
  {
    title: "pyproject.toml for a group alone",
    files: { "pyproject.toml": `${NAMED}[dependency-groups]\nprod = ["six"]\n[tool.tare]\ngroups = ["prod"]\n` },
    found: { kind: "pyproject" },
  },
  { title: "a pyproject.toml that names none", files: { "pyproject.toml": NAMED }, found: { kind: "none" } },
  {
    title: "Poetry's own table",
    files: {
      "pyproject.toml": `[tool.poetry]
name = "x"
version = "1"
[tool.poetry.dependencies]
python = "^3.10"
six = "^1.16"
lib = {path = "libs/lib", develop = true}
git = {git = "https://host/x.git", tag = "v1"}
opt = {version = "*", optional = true}
[tool.poetry.extras]
more = ["opt"]
[tool.poetry.group.prod.dependencies]
click = "8.1.0"
[tool.tare]
extras = ["more"]
groups = ["prod"]
`,
    },
    found: {
      kind: "lines",
      files: ["pyproject.toml"],
      pins: ["six>=1.16,<2.0", "-e ./libs/lib", "git @ git+https://host/x.git@v1", "opt", "click==8.1.0"],
    },
  },
  {
    title: "requirements.in",
    files: { "requirements.in": "six\n" },
    found: { kind: "requirements", files: ["requirements.in"] },
  },
  {
    title: "a Pipfile",
    files: {
      Pipfile: `[packages]
six = "*"
idna = ">=2"
uvicorn = {version = "==1.0", extras = ["standard"], markers = "os_name == 'posix'"}
own = {path = ".", editable = true}
git = {git = "https://host/x.git", ref = "abc"}
[dev-packages]
pytest = "*"
`,
    },
    found: {
      kind: "lines",
      pins: [
        "six",
        "idna>=2",
        "uvicorn[standard]==1.0 ; os_name == 'posix'",
        "-e .",
        "git @ git+https://host/x.git@abc",
      ],
      hasItself: true,
    },
  },
  {
    title: "a setup.py alone",
    files: { "setup.py": "from setuptools import setup\nsetup(name='x')\n" },
    found: { kind: "lines", files: ["setup.py"], pins: ["-e ."], hasItself: true },
  },
  { title: "no file", files: { "main.py": "" }, found: { kind: "none", files: [] } },
];

it.each(CASES)("finds $title", ({ files, found }) => {
  expect(readProject(treeOf(files), { folder: "/p", fallbackName: "p" })?.dependencies).toMatchObject(found);
});

const BAD: readonly (readonly [title: string, files: Readonly<Record<string, string>>, code: string, text: RegExp])[] =
  [
    ["a poetry.lock that is not TOML", { "poetry.lock": "[[" }, "E_LOCK", /reading `poetry\.lock`/],
    ["a Pipfile.lock that is not JSON", { "Pipfile.lock": "{" }, "E_LOCK", /reading `Pipfile\.lock`/],
    ["a Pipfile.lock that is a list", { "Pipfile.lock": "[]" }, "E_LOCK", /it is not an object/],
    ["a Pipfile that is not TOML", { Pipfile: "[packages" }, "E_REQUIREMENTS", /reading `Pipfile`/],
    ["broken requirements", { "requirements.txt": "six=1\n" }, "E_REQUIREMENTS", /requirements\.txt/],
  ];

it.each(BAD)("refuses %s", (_title, files, code, text) => {
  expect(() => readProject(treeOf(files), { folder: "/p", fallbackName: "p" })).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(text) }),
  );
});
