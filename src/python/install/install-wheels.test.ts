// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gunzipSync } from "node:zlib";
import { packTree } from "../../archive/index.ts";
import type { PackResult } from "../../archive/index.ts";
import { DEFAULT_EPOCH, digestOf, isTareError } from "../../base/index.ts";
import { HOSTILE_WHEELS } from "../../../test/support/hostile-wheels.ts";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import type { MadeWheel, WheelFixture } from "../../../test/support/wheel-fixture.ts";
import { installWheels, measureWheelLayer, spliceWheelLayer } from "./install-wheels.ts";
import { unpack } from "./unpack.ts";
import type { Installed } from "./install-wheels.ts";
import type { InstallSettings } from "./layer-files.ts";

let base = "";
let count = 0;
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-install-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

const SETTINGS: InstallSettings = {
  scheme: {
    purelib: "/usr/lib/py",
    platlib: "/usr/lib/py",
    scripts: "/usr/bin",
    headers: "/usr/include",
    data: "/usr",
  },
  executable: "/usr/bin/python3",
  python: "3.11.2",
  slim: [],
};

interface Place {
  readonly wheels: readonly { readonly file: string; readonly fileName: string; readonly isRequested: boolean }[];
  readonly tree: string;
}

function place(made: readonly MadeWheel[]): Place {
  count += 1;
  const tree = join(base, `${count}`, "tree");
  fs.mkdirSync(tree, { recursive: true });
  const wheels = made.map(({ fileName, bytes }, index) => {
    const file = join(base, `${count}`, `${index}.whl`);
    fs.writeFileSync(file, bytes);
    return { file, fileName, isRequested: false };
  });
  return { wheels, tree };
}

async function install(
  ...fixtures: readonly WheelFixture[]
): Promise<{ result: Installed; tree: string; diffId: string }> {
  const { wheels, tree } = place(fixtures.map(makeWheel));
  const result = await installWheels(wheels, tree, SETTINGS);
  const packed = await packTree(tree, undefined);
  await checkUnwritten(wheels, packed);
  return { result, tree, diffId: packed.diffId };
}

/** What is said of a layer that is not written, and its blob, are those of the tree. */
async function checkUnwritten(wheels: Place["wheels"], packed: PackResult): Promise<void> {
  const { diffId, size, contentSize, entries } = await measureWheelLayer(wheels, SETTINGS);
  expect({ diffId, size, contentSize, entries }).toEqual({
    diffId: packed.diffId,
    size: packed.size,
    contentSize: packed.contentSize,
    entries: packed.entries,
  });
  const path = join(base, `${count}`, "blob");
  const blob = await spliceWheelLayer(wheels, SETTINGS, { path });
  const bytes = fs.readFileSync(path);
  expect([digestOf(bytes), digestOf(gunzipSync(bytes))]).toEqual([blob.digest, diffId]);
}

const MIXED: WheelFixture = {
  files: {
    "demo/__init__.py": "import sys\n".repeat(50),
    "demo/data.bin": Buffer.alloc(300_000, "0123456789"),
    "demo/native.so": Buffer.alloc(5 << 20, "shared object "),
    "demo-1.0.data/scripts/run": "#!python\n",
    "demo-1.0.data/data/share/demo.txt": "text",
  },
  modes: { "demo/native.so": 0o100755 },
  entryPoints: "[console_scripts]\ndemo = demo:main\n",
};

describe("installWheels", () => {
  it("writes what is planned, with modes and times of its own", async () => {
    const { result, tree } = await install(MIXED);
    const stat = (path: string): unknown[] => {
      const { mode, mtimeMs } = fs.statSync(join(tree, path));
      return [(mode & 0o7777).toString(8), mtimeMs / 1000];
    };
    expect(stat("usr/lib/py/demo/native.so")).toEqual(["755", DEFAULT_EPOCH]);
    expect(stat("usr/lib/py/demo/__init__.py")[0]).toBe("644");
    expect(stat("usr/lib/py")).toEqual(stat("usr/lib/py/demo"));
    expect(fs.readFileSync(join(tree, "usr/lib/py/demo/native.so")).equals(Buffer.alloc(5 << 20, "shared object "))).toBe(true);
    expect(result).toMatchObject({ replaced: [] });
    expect(result.files).toBe(11);
  }); // prettier-ignore

  it("the later of two wheels keeps a path, and says so", async () => {
    const { result, tree } = await install(
      { name: "first", files: { "shared/x.py": "first" } },
      { name: "second", files: { "shared/x.py": "second" } },
    );
    expect(result.replaced).toEqual([{ path: "usr/lib/py/shared/x.py", by: "second-1.0-py3-none-any.whl" }]);
    expect(fs.readFileSync(join(tree, "usr/lib/py/shared/x.py"), "utf8")).toBe("second");
  });

  it("one wheel's folder in place of another's file is refused, either way", async () => {
    const file = { name: "first", files: { shared: "file" } };
    const folder = { name: "second", files: { "shared/x.py": "x" } };
    await expect(install(file, folder)).rejects.toMatchObject({ code: "E_WHEEL" });
    await expect(install(folder, file)).rejects.toMatchObject({ code: "E_WHEEL" });
  });

  it("names that differ in case only are two files, as with pip", async () => {
    const { tree } = await install({ files: { "demo/A.py": "A", "demo/a.py": "a" } });
    expect(fs.readdirSync(join(tree, "usr/lib/py/demo")).sort()).toEqual(["A.py", "a.py"]);
  });

  it(".pth files are installed, as with pip", async () => {
    const { tree } = await install({ files: { "demo.pth": "import os\n" } });
    expect(fs.existsSync(join(tree, "usr/lib/py/demo.pth"))).toBe(true);
  });

  it("stored, deflated and zstd entries give the same tree", async () => {
    const methods = [0, 8, 93].map((method) => ({
      ...MIXED,
      lies: Object.fromEntries(Object.keys(MIXED.files ?? {}).map((path) => [path, { method }])),
    }));
    const digests = [];
    for (const fixture of methods) digests.push((await install(fixture)).diffId);
    expect(new Set(digests).size).toBe(1);
  });

  it("gives one digest, whatever the parts, the folder and the mask of new files", async () => {
    const { diffId } = await install(MIXED);
    const mask = process.umask(0o077);
    try {
      expect((await install(MIXED)).diffId).toBe(diffId);
    } finally {
      process.umask(mask);
    }
    for (const parts of [2, 3, 7]) {
      const { wheels, tree } = place([makeWheel(MIXED)]);
      const jobs = Array.from(
        { length: parts },
        (_, part) => ({ kind: "unpack", wheels, settings: SETTINGS, tree, part, parts }) as const,
      );
      const folders = new Set<string>();
      for (const job of jobs.toReversed()) for (const folder of (await unpack(job)).folders) folders.add(folder);
      for (const folder of [...folders].sort().toReversed()) fs.utimesSync(folder, DEFAULT_EPOCH, DEFAULT_EPOCH);
      expect((await packTree(tree, undefined)).diffId).toBe(diffId);
    }
  });

  it("stops when it is told to", async () => {
    const { wheels, tree } = place([makeWheel(MIXED)]);
    await expect(installWheels(wheels, tree, SETTINGS, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });
});

describe("threads", () => {
  const noise = (size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    for (let at = 0, state = 7; at < size; at += 4) bytes.writeInt32LE((state = Math.imul(state, 48271) ^ (state >>> 5)), at);
    return bytes;
  }; // prettier-ignore
  const LARGE: WheelFixture = {
    files: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`demo/${index}.bin`, noise((3 + index) << 20)])),
    lies: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`demo/${index}.bin`, { method: index % 2 === 0 ? 0 : 8 }])),
  }; // prettier-ignore

  it("unpack one large wheel as this thread does", async () => {
    const { diffId, result } = await install(LARGE);
    expect(result.files).toBe(13);
    const { wheels, tree } = place([makeWheel(LARGE)]);
    const { folders } = await unpack({ kind: "unpack", wheels, settings: SETTINGS, tree, part: 0, parts: 1 });
    for (const folder of [...folders].sort().toReversed()) fs.utimesSync(folder, DEFAULT_EPOCH, DEFAULT_EPOCH);
    expect((await packTree(tree, undefined)).diffId).toBe(diffId);
  });

  it("hand on the error of a wheel, and work after it", async () => {
    const bad = { ...LARGE, lies: { "demo/8.bin": { central: { crc32: 1 }, local: { crc32: 1 } } } };
    await expect(install(bad)).rejects.toMatchObject({ code: "E_ZIP_CONTENT", hint: expect.any(String) as string });
    expect((await install(LARGE)).result.files).toBe(13);
  });
});

describe("hostile wheels", () => {
  it.each(HOSTILE_WHEELS)("$title", async ({ code, message, make }) => {
    const { wheels, tree } = place([make()]);
    const error = await (async () => {
      await installWheels(wheels, tree, SETTINGS);
      await packTree(tree, undefined);
    })().catch((thrown: unknown) => thrown);
    if (!isTareError(error)) throw error ?? new Error("nothing was refused");
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(error.hint).toBeDefined();
    expect(error.message).not.toMatch(/\p{Cc}/u);
    await expect(measureWheelLayer(wheels, SETTINGS)).rejects.toMatchObject({ code });
  });

  it("with any bytes changed are refused, or give the right tree", async () => {
    const { bytes, fileName } = makeWheel({ ...MIXED, files: { "demo/a.py": "import sys\n".repeat(9), "demo/b": "\0\x01" } });
    const { wheels, tree } = place([{ bytes, fileName }]);
    await installWheels(wheels, tree, SETTINGS);
    const right = contentsOf(tree);
    let same = 0;
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const other = Buffer.from(bytes);
        for (const { at, value } of changes) other[at] = (other[at] ?? 0) ^ value;
        const found = await contentsAfter({ bytes: other, fileName });
        if (found === undefined) return;
        same += 1;
        expect(found).toEqual(right);
      }),
      { numRuns: 2000 },
    );
    expect(same).toBeGreaterThan(0);
  }, 300_000); // prettier-ignore
});

/** Paths and contents: whether a file may be executed is told by the directory alone, which nothing checks. */
function contentsOf(tree: string): readonly string[] {
  const names = fs.readdirSync(tree, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return names
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => `${path.slice(tree.length)}: ${fs.readFileSync(path, "base64")}`)
    .sort();
}

/** What a wheel becomes, unpacked, measured and spliced alike; undefined when it is refused. */
async function contentsAfter(made: MadeWheel): Promise<readonly string[] | undefined> {
  const { wheels, tree } = place([made]);
  try {
    await installWheels(wheels, tree, SETTINGS);
    const { diffId } = await packTree(tree, undefined);
    expect((await measureWheelLayer(wheels, SETTINGS)).diffId).toBe(diffId);
    const path = join(tree, "../blob");
    await spliceWheelLayer(wheels, SETTINGS, { path });
    expect(digestOf(gunzipSync(fs.readFileSync(path)))).toBe(diffId);
    return contentsOf(tree);
  } catch (error) {
    if (!isTareError(error)) throw error;
    await expect(measureWheelLayer(wheels, SETTINGS)).rejects.toMatchObject({ code: error.code });
    return undefined;
  } finally {
    fs.rmSync(join(tree, ".."), { recursive: true });
  }
}

it("a program of the wheel runs", async () => {
  if (spawnSync("python3", ["-c", ""]).status !== 0) return console.log("skipped: a program runs: no python3");
  const executable = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout.trim();
  const { wheels, tree } = place([
    makeWheel({
      files: { "demo/__init__.py": "def main():\n    print('it runs')\n" },
      entryPoints: "[console_scripts]\ndemo = demo:main\n",
    }),
  ]);
  await installWheels(wheels, tree, { ...SETTINGS, executable });
  const child = spawnSync(join(tree, "usr/bin/demo"), [], {
    env: { PYTHONPATH: join(tree, "usr/lib/py") },
    encoding: "utf8",
  });
  expect(child.stdout).toBe("it runs\n");
}); // prettier-ignore
