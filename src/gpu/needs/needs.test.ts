// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../../archive/index.ts";
import type { DiffId } from "../../base/index.ts";
import { noteWheelLayer } from "../../python/index.ts";
import { openStore } from "../../store/index.ts";
import type { LayerFacts, Store } from "../../store/index.ts";
import { temporaryRoot } from "../../store/fixture.ts";
import { elfObject } from "../../../test/support/elf-object.ts";
import { fatbinRegion } from "../../../test/support/gpu-code.ts";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import type { ImageNeeds } from "../types.ts";
import { needsOfImage } from "./image.ts";
import type { GpuWheel, ReadFile } from "./types.ts";
import { needsOfWheelFile } from "./wheel-file.ts";
import { needsOnThread } from "./wheel-thread.ts";
import { needsOfWheels } from "./wheels.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = temporaryRoot();
  store = openStore({ root, sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string | Buffer>>;

/** A layer; `opaque` are folders of it that hide those below. */
async function addLayer(files: Files, opaque: readonly string[] = []): Promise<DiffId> {
  const staging = store.layers.stage();
  for (const [path, content] of Object.entries(files)) {
    const place = join(staging.tree, path);
    fs.mkdirSync(dirname(place), { recursive: true });
    fs.writeFileSync(place, content);
  }
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 0 } });
  return staging.commit({ ...packed, opaque }).diffId;
}

function needs(diffIds: readonly DiffId[], env: readonly string[] = []): Promise<ImageNeeds> {
  return needsOfImage(store, { image: "app", env, diffIds });
}

const SITE = "usr/lib/python3.11/site-packages";

/** An installed distribution without shared objects. */
function installed(name: string, version: string, requires: readonly string[] = [], site: string = SITE): Files {
  const info = `${site}/${name.replaceAll("-", "_")}-${version}.dist-info`;
  const lines = requires.map((one) => `Requires-Dist: ${one}\n`).join("");
  return {
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${lines}\nRequires-Dist: prose\n`,
    [`${info}/RECORD`]: `${name}/__init__.py,,\n`,
  };
}

const TORCH = installed("torch", "2.7.0", [
  'nvidia-cuda-nvrtc-cu12==12.6.77; platform_system == "Linux"',
  'nvidia-cuda-runtime-cu12==12.6.80; platform_system == "Linux"',
  'nvidia-cudnn-cu12==9.5.1.17; platform_system == "Linux"',
  "filelock",
]);

describe("what an image needs of GPUs", () => {
  it("is told by its variables, its toolkit and its C library", async () => {
    const layer = await addLayer({
      "usr/local/cuda-12.8/version.json": '{"cuda":{"name":"CUDA SDK","version":"12.8.1"}}',
      "usr/local/cuda-12.9/version.json": "{",
      "usr/lib/x86_64-linux-gnu/libc.so.6": "",
    });
    const env = ["PATH=/usr/bin", "CUDA_VERSION=12.8.0", "NVIDIA_REQUIRE_CUDA=cuda>=12.8 brand=tesla,driver>=535"];
    const found = await needs([layer], env);
    expect(found).toEqual({
      image: "app",
      env: { CUDA_VERSION: "12.8.0", NVIDIA_REQUIRE_CUDA: "cuda>=12.8 brand=tesla,driver>=535" },
      packages: [],
      toolkit: "12.8.1",
      libc: "glibc",
    });
    expect((await needs([await addLayer({ "lib/ld-musl-x86_64.so.1": "" })], env)).libc).toBe("musl");
    expect((await needs([await addLayer({ a: "" })], env)).toolkit).toBe("12.8.0");
  });

  it.each([
    ["exact requirements", TORCH, { cuda: "12.6", source: "wheel" }],
    [
      "the toolkit as one requirement",
      installed("torch", "2.15.0", ["cuda-toolkit[cudart,nvtx]==13.2.2"]),
      { cuda: "13.2" },
    ],
    ["a local version", installed("torch", "2.7.0+cu128"), { cuda: "12.8", source: "wheel" }],
    ["its own version", installed("nvidia-cuda-runtime-cu12", "12.8.57"), { cuda: "12.8", source: "wheel" }],
    [
      "an eggs's metadata",
      { [`${SITE}/torch-2.5.1+cu118.egg-info/PKG-INFO`]: "Name: torch\nVersion: 2.5.1+cu118\n" },
      { cuda: "11.8" },
    ],
  ])("names CUDA of a package by %s", async (_how, files, expected) => {
    const { packages } = await needs([await addLayer(files)]);
    expect(packages).toEqual([expect.objectContaining(expected)]);
  });

  it("leaves out what uses no GPU, and says of what the versions are not asked for exactly that nobody knows", async () => {
    const jax = installed("jax-cuda12-plugin", "0.7.0", ["nvidia-cuda-runtime-cu12>=12.1.105"]);
    const { packages } = await needs([await addLayer({ ...installed("numpy", "2.3.5"), ...jax, ...TORCH })]);
    expect(packages.map(({ name }) => name)).toEqual(["jax-cuda12-plugin", "torch"]);
    expect(packages[0]).not.toHaveProperty("cuda");
    expect(packages[1]?.requires).toEqual({
      "nvidia-cuda-nvrtc-cu12": "12.6.77",
      "nvidia-cuda-runtime-cu12": "12.6.80",
      "nvidia-cudnn-cu12": "9.5.1.17",
    });
  });

  it("is what a container sees of its layers", async () => {
    const lower = await addLayer(TORCH);
    const upper = await addLayer(installed("torch", "2.8.0+cu129"));
    expect((await needs([lower, upper])).packages.map(({ version }) => version)).toEqual(["2.7.0", "2.8.0+cu129"]);
    const opaque = await addLayer({ ...installed("torch", "2.9.0+cu130"), "usr/x": "" }, ["usr/lib/python3.11"]);
    expect((await needs([lower, opaque])).packages.map(({ version }) => version)).toEqual(["2.9.0+cu130"]);
    const file = await addLayer({ "usr/lib": "" });
    expect((await needs([lower, file])).packages).toEqual([]);
  });

  it("does not fail for names that are not UTF-8, and takes copies in caches for what they are", async () => {
    const layer = await addLayer({ ...TORCH, ...installed("torch", "2.6.0", [], "root/.cache/uv/x"), "opt/a": "" });
    const [{ tree } = { tree: "" }] = store.layers.getAll([layer]);
    fs.mkdirSync(Buffer.concat([Buffer.from(`${tree}/opt/`), Buffer.from([0xff, 0xfe])]));
    expect((await needs([layer])).packages.map(({ version }) => version)).toEqual(["2.7.0"]);
  });

  it("is read once a layer", async () => {
    const layer = await addLayer(TORCH);
    const first = await needs([layer]);
    const { tree } = store.layers.getAll([layer])[0] ?? { tree: "" };
    fs.rmSync(join(tree, "usr"), { recursive: true });
    expect(await needs([layer])).toEqual(first);
  });
});

/** A shared object with code for GPUs. */
function code(...architectures: readonly string[]): Buffer {
  const region = fatbinRegion(architectures.map((architecture) => ({ architecture })));
  return elfObject({ sections: { ".nv_fatbin": region } });
}

describe("kernels", () => {
  const OBJECTS = {
    "torch/lib/libtorch_cuda.so": code("7.5", "8.0", "9.0"),
    "torch/lib/libtorch_cpu.so": Buffer.from("never read"),
    "torch/lib/libc10.so": elfObject({}),
  };
  const KERNELS = { cubins: ["7.5", "8.0", "9.0"], ptx: [] };

  /** The same distribution installed, with the rows of RECORD. */
  function installedObjects(): Files {
    const info = `${SITE}/torch-2.7.0.dist-info`;
    const rows = Object.keys(OBJECTS).map((path) => `${path},sha256=x,1\n`);
    const files = Object.entries(OBJECTS).map(([path, bytes]): [string, Buffer] => [`${SITE}/${path}`, bytes]);
    return { ...TORCH, ...Object.fromEntries(files), [`${info}/RECORD`]: rows.join("") };
  }

  it("of an installed distribution are those of the files of its RECORD, and those of its wheel", async () => {
    const { packages } = await needs([await addLayer(installedObjects())]);
    expect(packages).toMatchObject([{ name: "torch", cuda: "12.6", kernels: KERNELS, source: "wheel" }]);
    for (const method of [0, 8]) {
      const lies = Object.fromEntries(Object.keys(OBJECTS).map((path) => [path, { method }]));
      const made = makeWheel({ name: "torch", version: "2.7.0", files: OBJECTS, lies, requires: ["numpy"] });
      const { digest } = store.blobs.writeBytes(made.bytes);
      const wheel = { name: "torch", version: "2.7.0", fileName: made.fileName, digest };
      const read: string[] = [];
      const options = { onFile: ({ of, path }: ReadFile) => read.push(`${of}: ${path}`) };
      const first = await needsOfWheels(store, [wheel], options);
      expect(first).toMatchObject([{ name: "torch", cuda: "12.8", kernels: KERNELS, source: "wheel" }]);
      expect(await needsOfWheels(store, [wheel], options)).toEqual(first);
      expect(read).toEqual(["torch 2.7.0: torch/lib/libtorch_cuda.so", "torch 2.7.0: torch/lib/libc10.so"]);
    }
  });

  it("are none in a build for CPUs, and unknown when a file is elsewhere or broken", async () => {
    const site = `${SITE}/torch-2.7.0+cpu.dist-info`;
    const cpu = {
      [`${site}/METADATA`]: "Name: torch\nVersion: 2.7.0+cpu\n",
      [`${SITE}/torch/lib/libc10.so`]: elfObject({}),
    };
    const record = { [`${site}/RECORD`]: "torch/lib/libc10.so,,\n" };
    expect((await needs([await addLayer({ ...cpu, ...record })])).packages).toEqual([
      { name: "torch", version: "2.7.0+cpu", source: "wheel", kernels: { cubins: [], ptx: [] } },
    ]);
    const more = {
      [`${site}/RECORD`]: "torch/lib/libc10.so,,\ntorch/lib/libgone.so,,\n../../../../../../etc/x.so,,\n",
    };
    const [unknown] = (await needs([await addLayer({ ...cpu, ...more })])).packages;
    expect(unknown).toEqual({ name: "torch", version: "2.7.0+cpu", source: "unknown" });
    const made = makeWheel({
      name: "torch",
      version: "2.7.0",
      files: OBJECTS,
      lies: { "torch/lib/libtorch_cuda.so": { central: { crc32: 1 } } },
    });
    const { digest } = store.blobs.writeBytes(made.bytes);
    const [broken] = await needsOfWheels(store, [{ name: "torch", version: "2.7.0", fileName: made.fileName, digest }]);
    expect(broken).not.toHaveProperty("kernels");
  });

  it("without RECORD are those of the folders that are the distribution's own", async () => {
    const info = `${SITE}/flash_attn-2.8.0-py3.11.egg-info`;
    const files = {
      [`${info}/PKG-INFO`]: "Name: flash_attn\nVersion: 2.8.0\n",
      [`${info}/top_level.txt`]: "flash_kernels\n",
      [`${SITE}/flash_kernels/deep/a.so`]: code("8.0"),
      [`${SITE}/flash_attn/b.so`]: code("9.0a"),
      [`${SITE}/other/c.so`]: code("5.0"),
    };
    const { packages } = await needs([await addLayer(files)]);
    expect(packages).toMatchObject([{ name: "flash-attn", kernels: { cubins: ["8.0", "9.0a"], ptx: [] } }]);
  });

  it("of a link out of a layer are not read", async () => {
    const layer = await addLayer(TORCH);
    const [{ tree } = { tree: "" }] = store.layers.getAll([layer]);
    fs.symlinkSync("/proc/self", join(tree, SITE, "torch"));
    fs.writeFileSync(join(tree, SITE, "torch-2.7.0.dist-info/RECORD"), "torch/fd/0.so,,\n");
    expect((await needs([layer])).packages[0]).not.toHaveProperty("kernels");
  });
});

describe("the driver library for older drivers", () => {
  const path = "usr/local/cuda-12.9/compat/libcuda.so.575.57.08";
  const note = '{"format":1,"CUDA version":"12.9","driver":[535,550,560],"device":[1]}';

  it("says by its note which drivers it goes with; one without goes with all", async () => {
    const notes = {
      ".note.cuda.fwd_compatibility": { name: "NVIDIA Corporation", type: 1, description: Buffer.from(note) },
    };
    const { compat } = await needs([await addLayer({ [path]: elfObject({ soname: "libcuda.so.1", notes }) })]);
    expect(compat).toEqual({ cuda: "12.9", version: "575.57.08", drivers: [535, 550, 560] });
    const older = await needs([await addLayer({ [path]: elfObject({ soname: "libcuda.so.1" }) })]);
    expect(older.compat).toEqual({ cuda: "12.9", version: "575.57.08", drivers: [] });
    expect((await needs([await addLayer({ [path]: "broken" })])).compat?.drivers).toEqual([]);
  });
});

describe("wheels", () => {
  const FACTS: Omit<LayerFacts, "diffId"> = {
    size: 1,
    contentSize: 1,
    entries: 1,
    opaque: [],
    whiteouts: 0,
    hasXattrs: false,
  };
  const SCHEME = { purelib: `/${SITE}`, platlib: `/${SITE}`, scripts: "/usr/bin", headers: "/i", data: "/usr" };
  const SETTINGS = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: [] };

  it("of layers that are not unpacked are read themselves, those that are gone by their names", async () => {
    const made = makeWheel({ name: "torch", version: "2.7.0", requires: ["nvidia-cuda-runtime-cu12==12.6.77"] });
    const { digest } = store.blobs.writeBytes(made.bytes);
    const layer = await addLayer({ a: "" });
    const gone = store.blobs.writeBytes("gone").digest;
    const wheels = [
      { name: "torch", version: "2.7.0", fileName: made.fileName, digest, isRequested: true },
      { name: "torchvision", version: "0.22.0+cu126", fileName: "x.whl", digest: gone, isRequested: false },
      { name: "numpy", version: "2.0", fileName: "y.whl", digest: gone, isRequested: false },
    ];
    fs.rmSync(store.blobs.path(gone));
    const [{ tree } = { tree: "" }] = store.layers.getAll([layer]);
    fs.rmSync(dirname(tree), { recursive: true });
    store.layers.defer({ ...FACTS, diffId: layer });
    noteWheelLayer(store, layer, { wheels, settings: SETTINGS, bytecode: "none" });
    const { packages } = await needs([layer]);
    expect(packages).toMatchObject([
      { name: "torch", cuda: "12.6", source: "wheel", requires: { "nvidia-cuda-runtime-cu12": "12.6.77" } },
      { name: "torchvision", cuda: "12.6", source: "wheel" },
    ]);
  });

  it("are read on threads as here; a stopped one and a broken one end with their errors", async () => {
    const made = makeWheel({
      name: "torch",
      version: "2.7.0+cu128",
      files: { "torch/a.so": code("8.0"), "torch/b.so": "" },
    });
    const path = join(root, made.fileName);
    fs.writeFileSync(path, made.bytes);
    const files: string[] = [];
    const onFile = (file: ReadFile): number => files.push(file.path);
    const needs = await needsOnThread(path, { onFile });
    expect(needs).toEqual(await needsOfWheelFile(path));
    expect(needs?.kernels?.cubins).toEqual(["8.0"]);
    expect(files).toEqual(["torch/a.so", "torch/b.so"]);
    fs.truncateSync(path, 100);
    await expect(needsOnThread(path, {})).rejects.toMatchObject({ code: "E_ZIP" });
    const stopping = new AbortController();
    const stopped = needsOnThread(path, { signal: stopping.signal });
    stopping.abort();
    await expect(stopped).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("that are only locked are known by their names; torch by the runtime that it is locked with", async () => {
    const locked = (name: string, version: string): GpuWheel => ({ name, version, fileName: `${name}-${version}.whl` });
    const wheels = [locked("torch", "2.7.0"), locked("numpy", "2.0"), locked("nvidia-cuda-runtime-cu12", "12.6.77")];
    expect(await needsOfWheels(store, wheels)).toEqual([
      { name: "torch", version: "2.7.0", cuda: "12.6", source: "wheel" },
      { name: "nvidia-cuda-runtime-cu12", version: "12.6.77", cuda: "12.6", source: "wheel" },
    ]);
  });

  it("that are no archives are known by their names alone, and are looked at again", async () => {
    const { digest } = store.blobs.writeBytes("no zip");
    const wheel = { name: "torch", version: "2.7.0", fileName: "torch-2.7.0-py3-none-any.whl", digest };
    expect(await needsOfWheels(store, [wheel])).toEqual([{ name: "torch", version: "2.7.0", source: "unknown" }]);
    expect(store.documents("gpu-wheel").entries()).toEqual([]);
  });
});
