// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../archive/index.ts";
import { noteWheelLayer } from "../python/index.ts";
import { openStore } from "../store/index.ts";
import type { DiffId } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { imageDetails } from "./details.ts";
import { debugBytes } from "./size-elf.ts";
import { measureImage } from "./size.ts";
import type { ImageSize } from "./size-types.ts";
import { writeImage } from "./write-image.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-size-"));
  store = openStore({ root, sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: sizes of hidden files: whiteouts need root");

type Files = Readonly<Record<string, string | Buffer | { readonly link: string } | "whiteout">>;

async function addLayer(files: Files, opaque: readonly string[] = []): Promise<DiffId> {
  const staging = store.layers.stage();
  for (const [path, content] of Object.entries(files)) {
    const place = join(staging.tree, path);
    fs.mkdirSync(dirname(place), { recursive: true });
    if (content === "whiteout") spawnSync("mknod", [place, "c", "0", "0"]);
    else if (typeof content === "object" && "link" in content) fs.linkSync(join(staging.tree, content.link), place);
    else fs.writeFileSync(place, content);
  }
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 0 } });
  const { diffId, size, contentSize, entries, whiteouts, hasXattrs } = packed;
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

/** An image of these layers, measured; all that must hold for every image is checked. */
function measure(layers: readonly DiffId[], history: readonly string[] = []): ImageSize {
  const written = writeImage(store, {
    config: { architecture: "amd64", os: "linux", history: history.map((text) => ({ created_by: text })) },
    layers,
  });
  const image = { target: written.manifest, mediaType: written.mediaType, id: written.config };
  const record = store.images.put(image, ["docker.io/library/app:1"]);
  const size = measureImage(store, imageDetails(store, record));
  const sum = (rows: readonly { readonly size: number }[]): number => rows.reduce((total, row) => total + row.size, 0);
  expect(sum(size.layers)).toBe(size.size);
  expect(size.merged + size.hidden.size).toBe(size.size);
  for (const layer of size.layers) expect(sum(layer.parts) + layer.hidden).toBe(layer.size);
  const top = size.directories.filter(({ path }) => path.lastIndexOf("/") === 0);
  expect(sum(size.distributions) + sum(size.packages) + sum(top)).toBe(size.merged);
  return size;
}

const SITE = "usr/lib/python3.11/site-packages";

/** The files of an installed distribution. */
function distribution(name: string, files: Readonly<Record<string, string>>, unrecorded: Files = {}): Files {
  const info = `${name}-1.0.dist-info`;
  const record = [...Object.keys(files), `${info}/RECORD`, `${info}/METADATA`].map((path) => `${path},,\n`).join("");
  const all = {
    ...files,
    ...unrecorded,
    [`${info}/RECORD`]: record,
    [`${info}/METADATA`]: `Name: ${name}\nVersion: 1.0\n`,
  };
  return Object.fromEntries(Object.entries(all).map(([path, content]) => [`${SITE}/${path}`, content]));
}

describe("where the bytes of an image are", () => {
  it("counts by layer, distribution, package and folder, each byte once", async () => {
    const base = await addLayer({
      "bin/sh": "x".repeat(100),
      "etc/passwd": "root",
      "var/lib/dpkg/info/dash.list": "/.\n/bin\n/bin/sh\n",
      "var/lib/dpkg/status": "Package: dash\nVersion: 0.5\n\n",
    });
    const files = {
      "demo/__init__.py": "import demo.core\n",
      "demo/core.so": "y".repeat(50),
      "../../../bin/demo": "z",
    };
    const wheel = await addLayer(
      distribution("Demo_X", files, { "demo/__pycache__/__init__.cpython-311.pyc": "compiled" }),
    );
    const app = await addLayer({ "app/a/b/c/d/main.py": "12345", "top.txt": "6" });
    noteWheelLayer(store, wheel, {
      wheels: [
        { name: "demo-x", version: "1.0", fileName: "Demo_X-1.0-py3-none-any.whl", digest: wheel, isRequested: true },
      ],
      settings: {
        scheme: { purelib: "/a", platlib: "/a", scripts: "/b", headers: "/c", data: "/" },
        executable: "/usr/bin/python3",
        python: "3.11.2",
        slim: ["tests"],
      },
      bytecode: "imported",
      leftOut: [{ rule: "tests", files: 3, size: 30 }],
    });
    const size = measure([base, wheel, app], ["base", "tare: demo", "COPY . /app"]);
    expect(size).toMatchObject({ names: ["app:1"], files: 12, leftOut: [{ rule: "tests", files: 3, size: 30 }] });
    expect(size.layers.map(({ createdBy, wheels }) => [createdBy, wheels])).toEqual([
      ["base", []],
      ["tare: demo", ["demo-x 1.0"]],
      ["COPY . /app", []],
    ]);
    expect(size.distributions).toEqual([
      expect.objectContaining({ name: "demo-x", version: "1.0", files: 6, bytecode: 8, layers: [1] }),
    ]);
    expect(size.packages).toEqual([expect.objectContaining({ name: "dash", version: "0.5", files: 2 })]);
    expect(size.sharedObjects).toEqual([{ path: `/${SITE}/demo/core.so`, size: 50, layer: 1, owner: "demo-x" }]);
    const folders = new Map(size.directories.map(({ path, size: bytes }) => [path, bytes]));
    expect([folders.get("/app"), folders.get("/app/a/b"), folders.get("/app/a/b/c"), folders.get("/")]).toEqual([
      5,
      5,
      undefined,
      1,
    ]);
  });

  it("counts a hard link once, and finds equal files", async () => {
    const large = "a".repeat(70_000);
    const layer = await addLayer({
      "one.bin": large,
      "dir/hard.bin": { link: "one.bin" },
      "dir/copy.bin": large,
      "small/1": "same",
      "small/2": "same",
      "other.bin": `${large.slice(1)}b`,
    });
    const size = measure([layer]);
    expect(size.size).toBe(210_008);
    expect(size.duplicates).toHaveLength(1);
    expect(size.duplicates[0]).toMatchObject({ size: 70_000, wasted: 70_000 });
    expect(size.duplicates[0]?.paths).toHaveLength(2);
  });

  it.skipIf(!isRoot)("finds what upper layers replace, delete or cover", async () => {
    const low = await addLayer({
      "a/replaced": "12",
      "a/deleted": "345",
      "cover/below": "6789",
      "tree/x/deep": "abcde",
      stays: "s",
    });
    const middle = await addLayer(
      { "a/replaced": "new!", "a/deleted": "whiteout", "cover/new": "n", "tree/x": "file" },
      ["cover"],
    );
    const size = measure([low, middle]);
    expect(size.hidden).toEqual({
      size: 14,
      files: 4,
      largest: [
        { path: "/tree/x/deep", size: 5, layer: 0 },
        { path: "/cover/below", size: 4, layer: 0 },
        { path: "/a/deleted", size: 3, layer: 0 },
        { path: "/a/replaced", size: 2, layer: 0 },
      ],
    });
    expect(size.layers.map(({ hidden }) => hidden)).toEqual([14, 0]);
    expect(size.merged).toBe("new!".length + 1 + "file".length + 1);
  });

  it("says what nothing uses, and counts with it what a compiler reads only where there is none", async () => {
    const files = {
      "numpy/__init__.py": "",
      "numpy/tests/test_a.py": "t".repeat(10),
      "numpy/tests/helper.c": "c".repeat(5),
      "numpy/_core/include/numpy/a.h": "h".repeat(20),
      "numpy/lib/libnpy.a": "a".repeat(30),
      "openmm/app/data/protein.pdb": "ATOM",
    };
    const caches = { "root/.cache/pip/x": "p".repeat(7), "var/lib/apt/lists/y": "q".repeat(8) };
    const layer = await addLayer({ ...distribution("numpy", files), ...caches });
    const rules = (size: ImageSize): readonly unknown[] =>
      size.deadWeight.map(({ rule, size: bytes, files: count, isSlim }) => [rule, bytes, count, isSlim]);
    expect(rules(measure([layer]))).toEqual([
      ["static-libraries", 30, 1, true],
      ["headers", 20, 1, true],
      ["tests", 15, 2, true],
      ["apt-caches", 8, 1, false],
      ["user-caches", 7, 1, false],
    ]);
    const compiler = await addLayer({ "usr/bin/x86_64-linux-gnu-gcc-12": "gcc" });
    expect(rules(measure([layer, compiler])).map((row) => (row as unknown[])[0])).toEqual([
      "tests",
      "apt-caches",
      "user-caches",
    ]);
  });

  it("finds a second CUDA by the wheels' names and by the runtime library", async () => {
    const layer = await addLayer({
      ...distribution("nvidia-cublas-cu12", { "nvidia/cublas/lib/libcublas.so.12": "1".repeat(100) }),
      ...distribution("nvidia-cublas-cu11", { "nvidia/cublas11/libcublas.so.11": "1".repeat(40) }),
      "opt/libcudart.so.11.0": "2".repeat(5),
    });
    const [weight] = measure([layer]).deadWeight;
    expect(weight).toMatchObject({ rule: "second-cuda", isSlim: false });
    expect(weight?.summary).toContain("CUDA 11 beside CUDA 12");
    expect(weight?.largest.map(({ path }) => path)).toContain("/opt/libcudart.so.11.0");
  });

  it("goes on with damaged metadata", async () => {
    const layer = await addLayer({
      [`${SITE}/a-1.dist-info/RECORD`]: '"unclosed,\n',
      [`${SITE}/b.dist-info/METADATA`]: "no headers",
      "var/lib/dpkg/info/x.list": "\n\0\nbin/relative\n",
      "var/lib/dpkg/status": "Version: 1\n\nPackage:\n",
    });
    expect(measure([layer]).files).toBe(4);
  });
});

describe("sections for debuggers", () => {
  const at = (name: string, bytes: Uint8Array): string => {
    const path = join(root, name);
    fs.writeFileSync(path, bytes);
    return path;
  };

  /** A 64-bit little-endian file with these sections. */
  function elf(
    sections: Readonly<Record<string, number>>,
    lie?: { readonly count?: number; readonly size?: bigint },
  ): Buffer {
    const names = ["", ...Object.keys(sections), ".shstrtab"];
    const strings = Buffer.from(names.map((name) => `${name}\0`).join(""));
    const header = Buffer.alloc(64);
    header.writeUInt32BE(0x7f454c46, 0);
    header.set([2, 1], 4);
    const contents = Object.values(sections).map((size) => Buffer.alloc(size, 1));
    const body = Buffer.concat([header, ...contents, strings]);
    const table = Buffer.alloc(names.length * 64);
    let offset = 64;
    for (const [index, name] of names.entries()) {
      const size = index === 0 ? 0 : (contents[index - 1]?.length ?? strings.length);
      table.writeUInt32LE(strings.indexOf(name === "" ? "\0" : `${name}\0`), index * 64);
      table.writeUInt32LE(name === ".bss" ? 8 : 1, index * 64 + 4);
      table.writeBigUInt64LE(BigInt(index === 0 ? 0 : offset), index * 64 + 0x18);
      table.writeBigUInt64LE(lie?.size ?? BigInt(size), index * 64 + 0x20);
      if (index > 0) offset += size;
    }
    header.writeBigUInt64LE(BigInt(body.length), 0x28);
    header.writeUInt16LE(64, 0x3a);
    header.writeUInt16LE(lie?.count ?? names.length, 0x3c);
    header.writeUInt16LE(names.length - 1, 0x3e);
    return Buffer.concat([header, body.subarray(64), table]);
  }

  it.each([
    ["symbols and debug information", elf({ ".text": 100, ".debug_info": 30, ".symtab": 8, ".strtab": 5 }), 43],
    ["nothing of a stripped file", elf({ ".text": 100, ".dynsym": 30 }), 0],
    ["nothing of a text", Buffer.from("#!/bin/sh\n"), 0],
    ["nothing of an empty file", Buffer.alloc(0), 0],
    ["nothing of a cut file", elf({ ".debug_info": 30 }).subarray(0, 90), 0],
    ["nothing of a table that is too long", elf({ ".debug_info": 30 }, { count: 60_000 }), 0],
    ["nothing of sections larger than the file", elf({ ".debug_info": 30 }, { size: 1n << 62n }), 0],
  ])("counts %s", (name, bytes, expected) => {
    expect(debugBytes(at(name.replaceAll(" ", "-"), bytes))).toBe(expected);
  });

  it("never fails on forged headers, and never counts more than the file", () => {
    const good = elf({ ".text": 20, ".debug_info": 30, ".strtab": 4 });
    const change = fc.record({ place: fc.nat(good.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 24 }), fc.nat(good.length), (changes, length) => {
        const bytes = Buffer.from(good);
        for (const { place, value } of changes) if (place > 3) bytes[place] = value;
        const cut = bytes.subarray(0, length === 0 ? bytes.length : Math.max(length, 64));
        expect(debugBytes(at("forged", cut))).toBeLessThanOrEqual(cut.length);
      }),
      { numRuns: 400 },
    );
  });
});
