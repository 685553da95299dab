// SPDX-License-Identifier: Apache-2.0
/* The parts that work on a lock's text and on what it was made from; whole runs are in test/e2e/lock*.test.ts. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestFromHex } from "../../base/index.ts";
import { readLock } from "../locks/read-lock.ts";
import { statedTarget } from "../target/stated-target.ts";
import { chooseAccelerator, gpuPackagesError, isGpuPackage } from "./accelerator.ts";
import { cleaned } from "./clean-lock.ts";
import { withWantedHashes } from "./hashes.ts";
import { directRequirements, inputsDigest } from "./inputs-digest.ts";
import { lockChanges } from "./lock-changes.ts";
import { stampLock, stampOf } from "./lock-stamp.ts";
import type { Lock } from "../locks/types.ts";
import type { LockInputs } from "./inputs-digest.ts";
import type { LockStamp } from "./lock-stamp.ts";

let folder = "";
beforeEach(() => (folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "tare-lock-")))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  fs.writeFileSync(path, text);
  return path;
}

const hash = (digit: string): string => digit.repeat(64);
const HEAD = 'lock-version = "1.0"\ncreated-by = "uv"\nrequires-python = ">=3.11.2"\n\n';
const file = (name: string, digit: string): string =>
  `{ url = "https://h/${name}", size = 1, hashes = { sha256 = "${hash(digit)}" } }`;
const block = (name: string, version: string, rest: string): string =>
  `[[packages]]\nname = "${name}"\nversion = "${version}"\n${rest}`;

describe("accelerators", () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ["cpu", "cpu"],
    ["cu126", "cu126"],
    ["rocm6.2.4", "rocm6.2.4"],
    ["auto", "cu130"],
  ])("%s is %s where `auto` is decided to be cu130", (wanted, expected) => {
    expect(chooseAccelerator(wanted, () => "cu130")).toBe(expected);
  });

  it.each(["gpu", "cu", "cuda", "CPU", "cu12.6", "rocm6", ""])("`%s` is none", (wanted) => {
    expect(() => chooseAccelerator(wanted, () => "cpu")).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });

  it.each([
    ["nvidia-cublas-cu12", true],
    ["nvidia-ml-py", true],
    ["triton", true],
    ["pytorch-triton-rocm", true],
    ["cuda-bindings", true],
    ["torch", false],
    ["cuda-python-tools", false],
    ["tritonclient", false],
  ])("%s is for GPUs: %s", (name, expected) => expect(isGpuPackage(name)).toBe(expected));

  it("names who wants them", () => {
    const wanted = new Map([
      ["nvidia-a", ["torch", "nvidia-b"]],
      ["triton", ["torch"]],
    ]);
    expect(gpuPackagesError(["nvidia-a", "triton"], wanted)).toMatchObject({
      message: "choosing packages for the CPU: `nvidia-a` and 1 more would be among them: `torch` needs them",
      hint: "lock again with `tare lock --accelerator cpu`, so that torch is its CPU build",
    });
  });
});

describe("a cleaned lock", () => {
  it.each([
    ['url = "https://me:pass@h/a.whl"', 'url = "https://h/a.whl"'],
    ['url = "https://token@h/a.whl"', 'url = "https://h/a.whl"'],
    ['url = "ssh://git@h/a.git"', 'url = "ssh://git@h/a.git"'],
    ['path = "../../project/libs/a"', 'path = "libs/a"'],
    ['path = "../../project"', 'path = "."'],
    ['path = "/project/wheels/a.whl"', 'path = "wheels/a.whl"'],
    ['url = "file:///project/wheels/a%20b.whl"', 'path = "wheels/a b.whl"'],
    ['url = "file:///opt/wheels/a.whl"', 'path = "/opt/wheels/a.whl"'],
    ['path = "../../projects/a"', 'path = "/projects/a"'],
  ])("%s is %s", (text, expected) => {
    expect(cleaned(text, "/store/tmp", "/project")).toBe(expected);
  });
});

describe("hashes of requirements", () => {
  const lock = `${HEAD}${block("a", "1", `sdist = ${file("a-1.tar.gz", "1")}\nwheels = [\n    ${file("a-1-cp311-cp311-linux_x86_64.whl", "2")},\n    ${file("a-1-py3-none-any.whl", "3")},\n]\n`)}\n${block("b", "2", `wheels = [${file("b-2-py3-none-any.whl", "4")}]\n`)}`;
  const held = (requirements: string): string =>
    withWantedHashes(lock, { files: [write("requirements.txt", requirements)], folder }, {});
  const sha = (digit: string): string => ` --hash=sha256:${hash(digit)}`;

  it("leave a lock as it is when there are none", () => {
    expect(held("a\nb\n")).toBe(lock);
  });

  it("keep only the files that they name", () => {
    const text = held(`a==1${sha("3")}\nb==2${sha("4")}${sha("5")}\n`);
    const [a, b] = readLock(text, join(folder, "pylock.toml")).packages;
    expect(a?.wheels.map(({ fileName }) => fileName)).toEqual(["a-1-py3-none-any.whl"]);
    expect([a?.sdist, b?.wheels.length]).toEqual([undefined, 1]);
    const sources = readLock(held(`a==1${sha("1")}\nb==2${sha("4")}\n`), join(folder, "pylock.toml")).packages[0];
    expect([sources?.sdist?.fileName, sources?.wheels]).toEqual(["a-1.tar.gz", []]);
  });

  it.each([
    [`a==1${sha("9")}\nb==2${sha("4")}\n`, /no file of `a 1` on the index/],
    [`a==1${sha("3")}\nb==2\n`, /`b` is needed, and the requirements give no hash/],
    ["--require-hashes\na\nb\n", /`a` is needed/],
    [`a==1 --hash=sha512:${"3".repeat(128)}\nb==2${sha("4")}\n`, /no file of `a 1`/],
  ])("refuse: %j", (requirements, message) => {
    expect(() => held(requirements)).toThrow(
      expect.objectContaining({ code: "E_LOCK_HASH", message: expect.stringMatching(message) }),
    );
  });
});

describe("the digest of what a lock is made from", () => {
  const digest = (name: string, text: string, more: Partial<LockInputs> = {}): string =>
    inputsDigest({ folder, files: [write(name, text)], extras: [], groups: [], env: {}, ...more });
  const requirements = (text: string): string => digest("requirements.txt", text);
  const pyproject = (text: string, more: Partial<LockInputs> = {}): string => digest("pyproject.toml", text, more);
  const PROJECT = '[project]\nname = "a"\nversion = "1"\ndependencies = ["b"]\n';

  it("is the same for another writing of the same", () => {
    expect(requirements("# a remark\n\na\nb\n")).toBe(requirements("a\nb\n"));
    expect(pyproject(`${PROJECT}[tool.ruff]\nline-length = 1\n`)).toBe(pyproject(PROJECT));
    expect(pyproject(PROJECT.replace('version = "1"', 'version = "2"'))).toBe(pyproject(PROJECT));
    const url = (user: string): string => requirements(`--index-url https://${user}@h/simple\na\n`);
    expect(url("me:one")).toBe(url("you:two"));
  });

  it.each([
    ["a version", "a\n", "a<2\n"],
    ["an index", "a\n", "--index-url https://h/simple\na\n"],
    ["a hash", "a==1\n", `a==1 --hash=sha256:${hash("1")}\n`],
    ["pre-releases", "a\n", "--pre\na\n"],
    ["a marker", "a\n", 'a ; os_name == "nt"\n'],
  ])("is another for %s", (_what, before, after) => {
    expect(requirements(after)).not.toBe(requirements(before));
  });

  it("has extras, groups, requires-python and uv's table of pyproject.toml", () => {
    const more = '[project.optional-dependencies]\nviz = ["c"]\n[dependency-groups]\ndev = ["d"]\n';
    expect(pyproject(`${PROJECT}${more}`)).toBe(pyproject(PROJECT));
    const viz = pyproject(`${PROJECT}${more}`, { extras: ["viz"] });
    expect(viz).not.toBe(pyproject(`${PROJECT}${more}`, { groups: ["dev"] }));
    expect(pyproject(`${PROJECT}${more.replace('"c"', '"c<2"')}`, { extras: ["viz"] })).not.toBe(viz);
    expect(pyproject(`${PROJECT}requires-python = ">=3.9"\n`)).not.toBe(pyproject(PROJECT));
    expect(pyproject(`${PROJECT}[tool.uv]\nexclude-newer = 2025-01-01T00:00:00Z\n`)).not.toBe(pyproject(PROJECT));
  });

  it("has the project files of folders that are required", () => {
    fs.mkdirSync(join(folder, "lib"));
    write("lib/pyproject.toml", PROJECT);
    const before = requirements("./lib\n");
    write("lib/pyproject.toml", PROJECT.replace('"b"', '"b<2"'));
    expect(requirements("./lib\n")).not.toBe(before);
  });

  it("stands beside the names that the user wrote", () => {
    const files = [write("pyproject.toml", `${PROJECT}[dependency-groups]\ndev = ["d"]\n`)];
    const names = directRequirements({ folder, files, extras: [], groups: ["dev"], env: {} }).map(({ name }) => name);
    expect(names).toEqual(["b", "d"]);
  });
});

describe("the stamp of a lock", () => {
  const stamp: LockStamp = {
    inputs: digestFromHex(hash("a")),
    files: ["requirements.txt"],
    extras: [],
    groups: [],
    python: "3.11.2",
    platform: "linux/amd64",
    libc: { kind: "glibc", version: "2.36" },
    isUniversal: false,
    resolver: "uv 1",
  };
  const target = statedTarget({ version: "3.11.2", architecture: "amd64" });
  const read = (text: string): Lock => readLock(text, "/project/pylock.toml");

  it.each<[string, LockStamp]>([
    ["usual", stamp],
    [
      "full",
      {
        ...stamp,
        extras: ["viz"],
        groups: ["dev"],
        accelerator: "cpu",
        isUniversal: true,
        libc: { kind: "musl", version: "1.2" },
      },
    ],
  ])("is read as it was written: %s", (_what, full) => {
    const text = stampLock(
      `# uv\n${HEAD}${block("a", "1", `wheels = [${file("a-1-py3-none-any.whl", "1")}]\n`)}`,
      full,
      target,
    );
    expect(stampOf(read(text))).toEqual(full);
    expect(read(text).environments).toHaveLength(full.isUniversal ? 0 : 1);
    expect(read(text).requiresPython).toBe(full.isUniversal ? ">=3.11.2" : ">=3.11");
    expect(stampLock(text, full, target).split("[tool.tare]")[0]).toContain('created-by = "tare"');
  });

  it.each(["", "[tool.tare]\n", '[tool.tare]\ninputs = "no digest"\npython = "3.11"\nlibc = "glibc 2.36"\n'])(
    "is none: %j",
    (table) => {
      expect(stampOf(read(`${HEAD}${table}`))).toBeUndefined();
    },
  );
});

describe("changes between locks", () => {
  const lock = (packages: Readonly<Record<string, readonly string[]>>): Lock =>
    readLock(
      `${HEAD}${Object.entries(packages)
        .flatMap(([name, versions]) => versions.map((version) => block(name, version, 'directory = { path = "x" }\n')))
        .join("\n")}`,
      "/project/pylock.toml",
    );

  it("are new, gone and other versions, by name", () => {
    const before = lock({ a: ["1.0"], b: ["1.0"], c: ["1.0", "2.0"] });
    const after = lock({ b: ["1.1"], c: ["2.0", "1.0"], d: ["3"] });
    expect(lockChanges(before, after)).toEqual([
      { name: "a", from: "1.0" },
      { name: "b", from: "1.0", to: "1.1" },
      { name: "d", to: "3" },
    ]);
    expect(lockChanges(undefined, lock({ a: ["1"] }))).toEqual([{ name: "a", to: "1" }]);
  });

  it("are none between a lock and itself, and turn round", () => {
    const versions = fc.uniqueArray(fc.constantFrom("1.0", "1.10", "2.0rc1", "2.0"), { minLength: 1, maxLength: 2 });
    const locks = fc.dictionary(fc.constantFrom("a", "b", "c"), versions).map(lock);
    fc.assert(
      fc.property(locks, locks, (one, other) => {
        expect(lockChanges(one, one)).toEqual([]);
        const turned = lockChanges(other, one).map(({ name, from, to }) => ({
          name,
          ...(to === undefined ? {} : { from: to }),
          ...(from === undefined ? {} : { to: from }),
        }));
        expect(lockChanges(one, other)).toEqual(turned);
      }),
    );
  });
});
