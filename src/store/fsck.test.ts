// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../archive/index.ts";
import type { DiffId } from "../base/index.ts";
import { digestOf, hexOf } from "../base/index.ts";
import { putImage, putLayer, temporaryRoot, verifyTexts } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { FsckFinding, ImageRecord, Layer, Store } from "./types.ts";

let root = "";
let store: Store;
let layer: Layer;
let image: ImageRecord;
beforeEach(() => {
  root = temporaryRoot();
  store = openStore({ root });
  layer = putLayer(store, { file: "text" });
  image = putImage(store, ["docker.io/library/a:1"], [layer.diffId]);
  store.cache.put(digestOf("key"), 1, [layer.diffId]);
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const check = (repair: boolean): Promise<readonly FsckFinding[]> => store.fsck({ repair, verifyLayer: verifyTexts });
const kinds = (found: readonly FsckFinding[]): string[] =>
  found.map(({ kind, repaired }) => `${kind} ${repaired ? "mended" : "told"}`);

/** What is done to a sound store, and what fsck says, first without and then with repair. */
const DAMAGES: Readonly<
  Record<string, readonly [damage: () => void, told: readonly string[], left: readonly string[]]>
> = {
  nothing: [() => {}, [], []],
  "a config with other bytes": [
    () => fs.writeFileSync(store.blobs.path(image.id), "{}"),
    ["blob told"],
    ["image told"],
  ],
  "a manifest that is gone": [() => fs.rmSync(store.blobs.path(image.target)), ["image told"], ["image told"]],
  "a file that is no blob": [
    () => fs.writeFileSync(join(root, "v1", "blobs", "sha256", "stray"), ""),
    ["blob told"],
    [],
  ],
  "a layer whose file changed": [
    () => fs.writeFileSync(join(layer.tree, "file"), "other"),
    ["layer told"],
    ["image told"],
  ],
  "a layer without facts": [
    () => fs.rmSync(join(layer.tree, "..", "layer.json")),
    ["layer told", "cache told", "image told"],
    ["image told"],
  ],
  "a layer with the facts of another": [
    () =>
      fs.copyFileSync(join(putLayer(store, { b: "2" }).tree, "..", "layer.json"), join(layer.tree, "..", "layer.json")),
    ["layer told"],
    ["image told"],
  ],
  "a layer without a tree": [
    () => fs.rmSync(layer.tree, { recursive: true }),
    ["layer told", "cache told"],
    ["image told"],
  ],
  "a layer that is gone": [
    () => fs.rmSync(join(layer.tree, ".."), { recursive: true }),
    ["temporary told", "cache told", "image told"],
    ["image told"],
  ],
  "a lost link": [() => fs.rmSync(join(store.root, layer.link)), ["link told"], []],
  "a link that leads elsewhere": [
    () => {
      fs.rmSync(join(store.root, layer.link));
      fs.symlinkSync("/etc", join(store.root, layer.link));
    },
    ["link told"],
    [],
  ],
  "a dead lease": [
    () =>
      fs.mkdirSync(join(root, "v1", "tmp", "1-1-00000000000000000000000000000000-1-00000000", "x"), {
        recursive: true,
      }),
    ["temporary told"],
    [],
  ],
};

describe("fsck", () => {
  it.each(Object.entries(DAMAGES))("finds and repairs %s", async (_name, [damage, told, left]) => {
    damage();
    store.close();
    store = openStore({ root });
    const before = await check(false);
    for (const kind of told) expect(kinds(before)).toContain(kind);
    if (told.length === 0) expect(before).toEqual([]);
    await check(true);
    expect(kinds(await check(false))).toEqual(left);
    expect(fs.readdirSync(join(root, "v1", "tmp"))).toEqual([]);
  });

  it("repairs so that the same build works again", async () => {
    fs.writeFileSync(join(layer.tree, "file"), "other");
    await check(true);
    expect(store.cache.get(digestOf("key"))).toBeUndefined();
    expect(putLayer(store, { file: "text" }).diffId).toBe(layer.diffId);
    expect(await check(false)).toEqual([]);
  });

  it("compares only sizes when it is quick", async () => {
    const blob = { ...store.blobs.writeBytes("compressed"), mediaType: "x" };
    putLayer(store, { b: "2" }, blob);
    fs.writeFileSync(store.blobs.path(blob.digest), "comprexxed");
    expect(await store.fsck({ quick: true })).toEqual([]);
    fs.writeFileSync(store.blobs.path(blob.digest), "");
    expect(kinds(await store.fsck({ quick: true }))).toEqual(["blob told"]);
    expect(kinds(await store.fsck())).toEqual(["blob told"]);
  });

  it("packs layers made here again", async () => {
    const staging = store.layers.stage();
    fs.mkdirSync(join(staging.tree, "folder"));
    fs.writeFileSync(join(staging.tree, "folder", "file"), "text");
    const packed = await packTree(staging.tree, undefined);
    const real = staging.commit(packed);
    const pack = async (one: Layer): Promise<DiffId> =>
      one.diffId === real.diffId ? (await packTree(one.tree, undefined)).diffId : verifyTexts(one);
    expect(await store.fsck({ verifyLayer: pack })).toEqual([]);
    fs.chmodSync(join(real.tree, "folder", "file"), 0o600);
    expect(await store.fsck({ verifyLayer: pack })).toEqual([
      expect.objectContaining({ kind: "layer", subject: real.diffId, problem: expect.stringContaining("packs to") }),
    ]);
  });

  it("names a container whose layer is gone", async () => {
    const gone = digestOf("gone");
    store.documents("container").insert("c1", "web", { layers: [gone] });
    expect(await store.fsck()).toEqual([
      expect.objectContaining({ subject: "container c1", problem: `its layer ${gone} is missing` }),
    ]);
  });

  it("stops when asked", async () => {
    await expect(store.fsck({ signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });

  it("leaves leases of living processes alone", async () => {
    const lease = store.lease();
    fs.writeFileSync(join(lease.folder, "work"), hexOf(layer.diffId));
    expect(await check(true)).toEqual([]);
    expect(fs.existsSync(join(lease.folder, "work"))).toBe(true);
  });
});
