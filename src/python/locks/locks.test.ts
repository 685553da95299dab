// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { statedTarget } from "../target/stated-target.ts";
import { isLockName, readLock } from "./read-lock.ts";
import { selectFromLock } from "./select.ts";
import type { Selection } from "./select.ts";
import type { Lock } from "./types.ts";

const FOLDER = join(import.meta.dirname, "testdata");

/** Written by uv 0.13.9 (`uv lock`, `uv export --all-extras --all-groups`) and pip 26 (`pip lock`); hosts are others. */
function lockOf(name: string, as = name): Lock {
  return readLock(readFileSync(join(FOLDER, name), "utf8"), join("/project", as));
}

function chosen(lock: Lock, python: string, more: Partial<Selection> = {}): readonly string[] {
  const target = statedTarget({ version: python, architecture: "amd64" });
  return selectFromLock(lock, target, { extras: [], groups: [], ...more }).map(
    ({ name, version }) => `${name} ${version}`,
  );
}

describe("names of locks", () => {
  it.each([
    ["pylock.toml", true],
    ["pylock.gpu.toml", true],
    ["uv.lock", true],
    ["pylock.a.b.toml", false],
    ["pylock..toml", false],
    ["poetry.lock", false],
  ])("%s: %s", (name, is) => expect(isLockName(name)).toBe(is));
});

/** What `uv export` says for the same choice. */
describe("uv.lock", () => {
  const lock = lockOf("uv.lock");

  it("is read with its graph", () => {
    expect(lock).toMatchObject({ format: "uv", requiresPython: ">=3.9", extras: ["viz"], groups: ["dev"] });
    expect(lock.packages).toHaveLength(14);
    const six = lock.packages.find(({ name }) => name === "six");
    expect(six?.wheels[0]).toEqual({
      fileName: "six-1.17.0-py2.py3-none-any.whl",
      url: "https://files.example/six-1.17.0-py2.py3-none-any.whl",
      digest: "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274",
      size: 11050,
    });
  });

  it.each<[string, Partial<Selection>, readonly string[]]>([
    ["3.9.1", {}, ["click 8.1.8", "typing-extensions 4.12.2"]],
    ["3.10.1", {}, ["click 8.5.1", "typing-extensions 4.12.2"]],
    ["3.11.2", {}, ["click 8.5.1", "typing-extensions 4.16.0"]],
    ["3.9.1", { groups: ["dev"] }, ["click 8.1.8", "iniconfig 2.1.0", "typing-extensions 4.12.2"]],
    [
      "3.11.2",
      { extras: ["viz"] },
      [
        "click 8.5.1",
        "importlib-metadata 10.2.0",
        "lazy-importer 0.1.0",
        "six 1.17.0",
        "typing-extensions 4.16.0",
        "zipp 4.1.2",
      ],
    ],
    [
      "3.10.4",
      { extras: ["viz"] },
      ["click 8.5.1", "importlib-metadata 9.0.1", "six 1.17.0", "typing-extensions 4.12.2", "zipp 4.1.2"],
    ],
  ])("for Python %s with %j", (python, more, expected) => {
    expect(chosen(lock, python, more)).toEqual(expected);
  });

  it("marks what the project itself asks for", () => {
    const target = statedTarget({ version: "3.11", architecture: "amd64" });
    const selected = selectFromLock(lock, target, { extras: ["viz"], groups: [] });
    const requested = selected.filter(({ isRequested }) => isRequested).map(({ name }) => name);
    expect(requested).toEqual(["click", "importlib-metadata", "six", "typing-extensions"]);
  });

  it("is refused for a Python that it was not made for", () => {
    expect(() => chosen(lock, "3.8.1")).toThrow("installing `uv.lock`: it is for Python >=3.9, the image has 3.8.1");
  });
});

describe("uv.lock of a workspace", () => {
  const wheel = (name: string): string =>
    `wheels = [{ url = "https://h/${name}-1-py3-none-any.whl", hash = "sha256:${"0".repeat(64)}", size = 1 }]\n`;
  const registry = (name: string): string =>
    `[[package]]\nname = "${name}"\nversion = "1"\nsource = { registry = "https://h" }\n${wheel(name)}`;
  const text = `version = 1
requires-python = ">=3.9"
${registry("six")}
${registry("other")}
[[package]]
name = "root"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "member" }, { name = "scripts" }]
[[package]]
name = "member"
version = "2"
source = { editable = "packages/member" }
dependencies = [{ name = "six" }]
[[package]]
name = "scripts"
version = "3"
source = { virtual = "packages/scripts" }
dependencies = [{ name = "other" }]
`;

  it("installs members, but of a member that is no package only what it needs", () => {
    const lock = readLock(text, "/project/uv.lock");
    expect(chosen(lock, "3.11.2")).toEqual(["member 2", "other 1", "six 1"]);
    expect(lock.packages.find(({ name }) => name === "member")?.source).toEqual({
      kind: "directory",
      path: "/project/packages/member",
      isEditable: true,
    });
  });
});

describe("pylock.toml", () => {
  it("of uv has a marker for each Python", () => {
    const lock = lockOf("pylock.uv.toml");
    expect(chosen(lock, "3.9.1")).toEqual([
      "click 8.1.8",
      "importlib-metadata 8.7.1",
      "iniconfig 2.1.0",
      "six 1.17.0",
      "typing-extensions 4.12.2",
      "zipp 3.23.1",
    ]);
    expect(chosen(lock, "3.12.0")).toContain("lazy-importer 0.1.0");
  });

  it("of pip has tables for files, and no sizes", () => {
    const lock = lockOf("pylock.pip.toml");
    expect(chosen(lock, "3.11.2")).toEqual([
      "click 8.5.1",
      "importlib-metadata 10.2.0",
      "lazy-importer 0.1.0",
      "zipp 4.1.2",
    ]);
    expect(lock.packages[0]?.wheels[0]).toEqual({
      fileName: "click-8.5.1-py3-none-any.whl",
      url: "https://files.example/click-8.5.1-py3-none-any.whl",
      digest: "sha256:8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37",
    });
  });

  const HASH = "0".repeat(64);
  const packages = (body: string): string => `lock-version = "1.0"\ncreated-by = "x"\n${body}`;
  const one = (rest: string): string => packages(`[[packages]]\nname = "A_a"\nversion = "1.0"\n${rest}`);
  const read = (text: string): Lock => readLock(text, "/project/pylock.toml");

  it("may choose by extras and groups (PEP 751)", () => {
    const text = `lock-version = "1.0"\ncreated-by = "x"\nextras = ["viz"]\ndependency-groups = ["dev"]\ndefault-groups = ["main"]
[[packages]]\nname = "a"\nversion = "1"\nmarker = "'main' in dependency_groups"\ndirectory = { path = "a" }
[[packages]]\nname = "b"\nversion = "1"\nmarker = "'viz' in extras"\ndirectory = { path = "b" }
[[packages]]\nname = "c"\nversion = "1"\nmarker = "'dev' in dependency_groups and sys_platform == 'linux'"\ndirectory = { path = "c" }\n`;
    expect(chosen(read(text), "3.11")).toEqual(["a 1"]);
    expect(chosen(read(text), "3.11", { extras: ["viz"], groups: ["dev"] })).toEqual(["a 1", "b 1", "c 1"]);
  });

  it("has packages from other places, with what PEP 610 says of them", () => {
    const text = packages(`[[packages]]\nname = "v"\nversion = "1"
vcs = { type = "git", url = "https://h/v.git", requested-revision = "main", commit-id = "0123", subdirectory = "py" }
[[packages]]\nname = "d"\ndirectory = { path = "libs/d", editable = true }
[[packages]]\nname = "r"\nversion = "1"\narchive = { url = "https://h/r-1-py3-none-any.whl", hashes = { sha256 = "${HASH}" } }\n`);
    const target = statedTarget({ version: "3.11", architecture: "amd64" });
    expect(selectFromLock(read(text), target, { extras: [], groups: [] })).toMatchObject([
      { name: "d", source: { kind: "directory", path: "/project/libs/d", isEditable: true } },
      {
        name: "r",
        wheel: { fileName: "r-1-py3-none-any.whl" },
        direct: { url: "https://h/r-1-py3-none-any.whl", archive_info: { hashes: { sha256: HASH } } },
      },
      {
        name: "v",
        source: { kind: "vcs", commit: "0123" },
        direct: {
          url: "https://h/v.git",
          vcs_info: { vcs: "git", commit_id: "0123", requested_revision: "main" },
          subdirectory: "py",
        },
      },
    ]);
  });

  it("takes the wheel with the best tag, and sources where no wheel fits", () => {
    const wheel = (tag: string): string => `{ url = "https://h/a_a-1.0-${tag}.whl", hashes = { sha256 = "${HASH}" } }`;
    const sdist = `sdist = { url = "https://h/a_a-1.0.tar.gz", hashes = { sha256 = "${HASH}" } }\n`;
    const select = (rest: string): string | undefined => {
      const target = statedTarget({ version: "3.11", architecture: "amd64" });
      const [only] = selectFromLock(read(one(rest)), target, { extras: [], groups: [] });
      return (only?.wheel ?? only?.sdist)?.fileName;
    };
    const tags = [
      "py3-none-any",
      "cp311-cp311-manylinux_2_17_x86_64",
      "cp311-cp311-manylinux_2_28_x86_64",
      "cp311-cp311-manylinux_2_39_x86_64",
      "cp312-cp312-manylinux_2_28_x86_64",
    ];
    expect(select(`wheels = [${tags.map(wheel).join(", ")}]\n`)).toBe("a_a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl");
    expect(select(`${sdist}wheels = [${wheel("cp311-cp311-win_amd64")}]\n`)).toBe("a_a-1.0.tar.gz");
    expect(() =>
      select(`wheels = [${wheel("cp311-cp311-win_amd64")}, ${wheel("cp311-cp311-musllinux_1_2_x86_64")}]\n`),
    ).toThrow(
      "installing `a-a 1.0`: no file fits Python 3.11.0 on glibc 2.36, amd64; it has cp311-cp311-win_amd64, cp311-cp311-musllinux_1_2_x86_64",
    );
  });

  it.each<[string, string, string, RegExp]>([
    ["no TOML", "lock-version = ", "E_LOCK", /reading `pylock\.toml`/],
    ["an unknown version", 'lock-version = "2.0"\n', "E_LOCK_VERSION", /its lock-version is 2\.0, this knows 1\.x/],
    ["no version", "[[packages]]\n", "E_LOCK", /lock-version/],
    [
      "a file without a hash",
      one('wheels = [{ url = "https://h/a-1.0-py3-none-any.whl" }]\n'),
      "E_LOCK_HASH",
      /`a-1\.0-py3-none-any\.whl` has no sha256/,
    ],
    [
      "a file that is nowhere",
      one(`wheels = [{ name = "a.whl", hashes = { sha256 = "${HASH}" } }]\n`),
      "E_LOCK",
      /neither `url` nor `path`/,
    ],
    ["a package without a name", packages('[[packages]]\nversion = "1"\n'), "E_LOCK", /name/],
    ["wheels that are no list", one("wheels = 3\n"), "E_LOCK", /wheels/],
    ["a broken marker", one('marker = "python_version <"\n'), "E_REQUIREMENTS", /marker/],
  ])("is refused with %s", (_what, text, code, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it.each<[string, string, RegExp]>([
    ["another Python", 'requires-python = ">=3.12"\n', /it is for Python >=3\.12, the image has 3\.11\.0/],
    [
      "another platform",
      "environments = [\"sys_platform == 'win32'\"]\n",
      /it was made for other platforms than Python 3\.11\.0 on glibc 2\.36, amd64/,
    ],
    [
      "two packages of one name",
      '[[packages]]\nname = "a"\nversion = "1"\ndirectory = { path = "a" }\n[[packages]]\nname = "a"\nversion = "2"\ndirectory = { path = "a" }\n',
      /two packages `a` for one target/,
    ],
  ])("is refused for %s", (_what, body, message) => {
    expect(() => chosen(read(packages(body)), "3.11")).toThrow(message);
  });
});
