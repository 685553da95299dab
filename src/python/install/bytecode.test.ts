// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import { COMPILE_PY } from "./bytecode.ts";
import { openZip } from "../../archive/index.ts";
import { compileJob } from "./bytecode-pack.ts";
import type { CompileJob } from "./bytecode-pack.ts";
import { installWheels } from "./install-wheels.ts";

const LIBRARY = "/usr/lib/py";
const SCHEME = { purelib: LIBRARY, platlib: LIBRARY, scripts: "/usr/bin", headers: "/usr/include", data: "/usr" };
const SETTINGS = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: [] };
const missing = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status !== 0;
if (missing) console.log("skipped: bytecode: no python3");

let base = "";
let count = 0;
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-bytecode-"));
  fs.writeFileSync(join(base, "compile.py"), COMPILE_PY);
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

const MODULES: Readonly<Record<string, string>> = {
  "demo/__init__.py": "from . import used\nfrom .deep.er import thing\nKEYS = {'a', 'b', 'c'}\n",
  "demo/used.py": "import demo.lazy_target as x\nNAMES = frozenset({'x', 'y', 'z', 'w'})\ndef f(a=('shared', 'text')):\n    return 'shared'\n",
  "demo/lazy_target.py": "value = 1.5\n",
  "demo/deep/__init__.py": "",
  "demo/deep/er.py": "thing = 'ünï'\n",
  "demo/function_only.py": "x = 1\n",
  "demo/caller.py": "def later():\n    import demo.function_only\n",
  "demo/_hidden.py": "y = 2\n",
  "demo/tests/test_x.py": "assert True\n",
  "demo/broken.py": "def (:\n",
  "single.py": "print('module')\n",
}; // prettier-ignore

interface How {
  readonly policy?: "all" | "imported";
  readonly workers?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly python?: string;
}

/** Interpreters of other versions that are here; until 3.10 the order of sets depends on the hash seed. */
const OTHERS = ["python3.8", "python3.9", "python3.10", "python3.12", "python3.13"].filter(
  (name) => spawnSync(name, ["-c", ""]).status === 0,
);

/** Wheels in a new folder, as jobs for the script. */
function prepare(files: How["files"] = MODULES): { readonly folder: string; readonly jobs: readonly CompileJob[] } {
  count += 1;
  const folder = join(base, `run-${count}`);
  fs.mkdirSync(folder);
  const jobs = ["demo", "other"].map((name) => {
    const { fileName, bytes } = makeWheel({ name, ...(name === "demo" ? { files } : {}) });
    const file = join(folder, fileName);
    fs.writeFileSync(file, bytes);
    return compileJob({ file, fileName, isRequested: false }, SETTINGS, {
      wheel: file,
      out: join(folder, `${name}.zip`),
    });
  });
  fs.mkdirSync(join(folder, "jobs"));
  for (const [number, job] of jobs.entries())
    fs.writeFileSync(join(folder, `jobs/${number}.json`), JSON.stringify(job));
  fs.writeFileSync(join(folder, "end"), "");
  return { folder, jobs };
}

/** What the script says. */
function run(folder: string, { policy = "all", workers = 1, cwd = base, env = {}, python = "python3" }: How): string[] {
  const args = ["-I", "-S", "-B", join(base, "compile.py"), policy, String(workers), folder];
  const child = spawnSync(python, args, { cwd, env: { PATH: process.env["PATH"], ...env }, encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr);
  return child.stdout.trim().split("\n").sort();
}

/** Compiles wheels and gives the digest of each `.pyc`. */
async function compile(how: How): Promise<ReadonlyMap<string, string>> {
  const { folder, jobs } = prepare(how.files);
  expect(run(folder, how)).toEqual(["done 0", "done 1"]);
  return new Map(jobs.flatMap(({ out }) => packedDigests(out)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Digests of a pack's files, by module without the library's folder. */
function packedDigests(path: string): [string, string][] {
  const zip = openZip(path);
  const short = (name: string): string =>
    name.slice(LIBRARY.length).replace(/__pycache__\/(.*)\.cpython-\d+\.pyc/, "$1");
  const found = zip.entries.map((entry): [string, string] => [
    short(entry.name),
    createHash("sha256").update(zip.readEntry(entry)).digest("hex"),
  ]);
  zip.close();
  return found;
}

/** The last compilation's first wheel with its pack, installed. */
async function installed(): Promise<string> {
  const folder = join(base, `run-${count}`);
  const fileName = "demo-1.0-py3-none-any.whl";
  const wheel = { file: join(folder, fileName), fileName, isRequested: false, bytecode: join(folder, "demo.zip") };
  const tree = join(folder, "tree");
  fs.mkdirSync(tree);
  await installWheels([wheel], tree, SETTINGS);
  return join(tree, LIBRARY);
}

describe.skipIf(missing)("the compiler", () => {
  it("compiles every module that it can, or what importing loads", async () => {
    const all = await compile({});
    expect([...all.keys()].sort()).toEqual(
      ["demo/__init__", "demo/_hidden", "demo/caller", "demo/deep/__init__", "demo/deep/er", "demo/function_only"]
        .concat(["demo/lazy_target", "demo/tests/test_x", "demo/used", "other/__init__", "single"])
        .sort(),
    );
    const imported = await compile({ policy: "imported" });
    const missed = [...all.keys()].filter((name) => !imported.has(name));
    expect(missed).toEqual(["demo/_hidden", "demo/caller", "demo/function_only", "demo/tests/test_x"]);
    for (const [name, digest] of imported) expect(digest).toBe(all.get(name));
  });

  const ways: readonly (readonly [string, How])[] = [
    ["a second run", {}],
    ["several workers", { workers: 4 }],
    ["another working directory", { cwd: tmpdir() }],
    ["another hash seed", { env: { PYTHONHASHSEED: "12345" } }],
    ["the user's settings", { env: { PYTHONOPTIMIZE: "2", PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: "/tmp", LANG: "C" } }],
    ["another time", { env: { SOURCE_DATE_EPOCH: "7", TZ: "Asia/Tokyo" } }],
  ]; // prettier-ignore
  it.each(ways)("gives the same bytes with %s", async (_title, how) => {
    expect(await compile(how)).toEqual(await compile({}));
  });

  it.each(OTHERS)("gives the same bytes in two runs with %s", async (python) => {
    expect(await compile({ python })).toEqual(await compile({ python }));
  });

  it("says which wheel can't be compiled, and goes on", () => {
    const { folder, jobs } = prepare();
    fs.writeFileSync(jobs[0]?.wheel ?? "", "damaged");
    expect(run(folder, {})).toEqual(["done 1", "error 0 BadZipFile: File is not a zip file", "failed 0"]);
  });

  it("gives a module the same bytes whatever stands beside it", async () => {
    const alone = await compile({ files: { "demo/__init__.py": "", "demo/used.py": MODULES["demo/used.py"] ?? "" } });
    expect(alone.get("demo/used")).toBe((await compile({})).get("demo/used"));
  });

  it("gives what Python itself takes as unchecked, with its own hash of the source", async () => {
    await compile({});
    const library = await installed();
    const script = [
      "import importlib.util, pathlib, sys, _imp",
      "import importlib._bootstrap_external as e",
      "path = sys.argv[1] + '/demo/used.py'",
      "data = pathlib.Path(importlib.util.cache_from_source(path)).read_bytes()",
      "flags = e._classify_pyc(data, 'used', {})",
      "source = pathlib.Path(path).read_bytes()",
      "print(flags, data[8:16] == _imp.source_hash(e._RAW_MAGIC_NUMBER, source))",
      "sys.path.insert(0, sys.argv[1]); import demo; print(demo.thing, demo.__spec__.cached.count('__pycache__'))",
    ].join("\n");
    const child = spawnSync("python3", ["-c", script, library], { encoding: "utf8", env: { PATH: process.env["PATH"], PYTHONUTF8: "1" } }); // prettier-ignore
    expect(child.stdout).toBe("1 True\nünï 1\n");
  });

  it("runs nothing of what it compiles", async () => {
    const mark = join(base, "ran");
    await compile({
      files: { "demo/__init__.py": `open(${JSON.stringify(mark)}, "w")\n`, "demo.pth": `import demo\n` },
    });
    expect(fs.existsSync(mark)).toBe(false);
  });
});
