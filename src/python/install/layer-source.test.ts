// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packTree, spliceTree } from "../../archive/index.ts";
import { DEFAULT_EPOCH, digestOf } from "../../base/index.ts";
import { openStore } from "../../store/index.ts";
import { makeZip } from "../../archive/zip/fixture.ts";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import { openWheelStore } from "../wheels/wheel-store.ts";
import { installWheels } from "./install-wheels.ts";
import { noteWheelLayer, openLayerSource, wheelLayer } from "./layer-source.ts";
import type { DiffId } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelFixture } from "../../../test/support/wheel-fixture.ts";
import type { WheelStore } from "../types.ts";

const LIBRARY = "/usr/lib/py";
const SCHEME = { purelib: LIBRARY, platlib: LIBRARY, scripts: "/usr/bin", headers: "/usr/include", data: "/usr" };
const SETTINGS = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: [] };

let base = "";
let store: Store;
let wheels: WheelStore;
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-source-"));
  store = openStore({ root: join(base, "store"), sync: "none" });
  wheels = openWheelStore({ store, env: {}, cwd: base });
});
afterAll(() => {
  store.close();
  fs.rmSync(base, { recursive: true, force: true });
});

/** Installs wheels as a layer, the first with a pack of these compiled modules. */
async function layerOf(
  fixtures: readonly WheelFixture[],
  bytecode: "all" | "none",
  compiled: Readonly<Record<string, string>> = {},
): Promise<DiffId> {
  const made = fixtures.map(makeWheel);
  const files = made.map(({ fileName, bytes }) => {
    const path = join(base, fileName);
    fs.writeFileSync(path, bytes);
    return { fileName, path };
  });
  const stored = await wheels.fetch(files);
  const staging = store.layers.stage();
  const refs = stored.map(({ fileName, digest, path }) => ({ fileName, digest, file: path, isRequested: false }));
  const entries = Object.entries(compiled).map(([name, content]) => ({
    name: `${LIBRARY.slice(1)}/${name}`,
    content,
    method: 0,
  }));
  const pack = store.blobs.writeBytes(makeZip(entries)).digest;
  const packed = (index: number): boolean => bytecode !== "none" && index === 0;
  const toInstall = refs.map((ref, index) => ({
    ...ref,
    ...(packed(index) ? { bytecode: store.blobs.path(pack) } : {}),
  }));
  await installWheels(toInstall, staging.tree, SETTINGS);
  const clamp = { after: DEFAULT_EPOCH, to: DEFAULT_EPOCH };
  const { files: _files, ...facts } = await packTree(staging.tree, undefined, { clamp });
  staging.commit(facts);
  const { diffId } = facts;
  const named = refs.map(({ file: _file, ...ref }, index) => ({
    ...ref,
    name: "demo",
    version: "1.0",
    ...(packed(index) ? { bytecode: pack } : {}),
  }));
  noteWheelLayer(store, diffId, { wheels: named, settings: SETTINGS, bytecode });
  return diffId;
}

/** The layer as it travels: how many of its files come from a wheel, and the digest of its tar. */
async function spliced(diffId: DiffId): Promise<{ readonly spliced: number; readonly inside: string }> {
  const source = await openLayerSource(store, wheels, diffId);
  if (!source) throw new Error("no layer of wheels");
  const chunks: Buffer[] = [];
  try {
    const [layer] = store.layers.getAll([diffId]);
    const write = (chunk: Uint8Array): void => void chunks.push(Buffer.from(chunk));
    const result = await spliceTree(layer?.tree ?? "", source.sourceOf, { write });
    return { spliced: result.spliced, inside: digestOf(gunzipSync(Buffer.concat(chunks))) };
  } finally {
    source.close();
  }
}

const CACHED = "demo/__pycache__/x.cpython-311.pyc";
const BRINGS_CACHE: WheelFixture = { files: { "demo/x.py": "x = 1\n", [CACHED]: "from the wheel" } };

describe("a layer made of wheels", () => {
  it("is spliced to its own tar", async () => {
    const diffId = await layerOf([{ files: { "demo/a.py": "a = 1\n".repeat(99), "demo/b": "b" } }], "none");
    expect(await spliced(diffId)).toEqual({ spliced: 4, inside: diffId });
    expect(wheelLayer(store, diffId)?.wheels).toHaveLength(1);
    expect(await openLayerSource(store, wheels, `sha256:${"0".repeat(64)}` as DiffId)).toBeUndefined();
  });

  it("has the later wheel's file where two bring one", async () => {
    const first = { name: "first", files: { "shared/x.py": "first one\n" } };
    const diffId = await layerOf([first, { name: "second", files: { "shared/x.py": "second two\n" } }], "none");
    expect((await spliced(diffId)).inside).toBe(diffId);
  });

  it.each(["other bytes, another size", "From the wheel"])("has what was compiled anew: %s", async (text) => {
    const diffId = await layerOf([BRINGS_CACHE], "all", { [CACHED]: text });
    expect((await spliced(diffId)).inside).toBe(diffId);
  });

  it("has no compiled module of a file that a later wheel replaces", async () => {
    const later = { name: "later", files: { "demo/x.py": "x = 2\n" } };
    const first = { files: { "demo/x.py": "x = 1\n" } };
    const diffId = await layerOf([first, later], "all", { [CACHED]: "of the first" });
    const [layer] = store.layers.getAll([diffId]);
    expect(fs.existsSync(join(layer?.tree ?? "", LIBRARY, CACHED))).toBe(false);
    expect((await spliced(diffId)).inside).toBe(diffId);
  });

  it.each(["demo/__pycache__/gone.cpython-311.pyc", "demo/x.pyc", "../../bin/x"])(
    "refuses a pack with %s",
    async (name) => {
      await expect(layerOf([BRINGS_CACHE], "all", { [name]: "" })).rejects.toMatchObject({
        code: expect.stringMatching(/E_BYTECODE|E_ZIP_NAME/),
      });
    },
  );

  it("takes a cache that the wheel brings when nothing is compiled", async () => {
    const diffId = await layerOf([BRINGS_CACHE], "none");
    expect(await spliced(diffId)).toEqual({ spliced: 4, inside: diffId });
  });
});
