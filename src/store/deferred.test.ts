// SPDX-License-Identifier: Apache-2.0
/* Layers whose tree is still to be made. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { diffIdOfTexts, putImage, putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { LayerFacts, Store } from "./types.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = temporaryRoot();
  store = openStore({ root });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const TEXTS = { "a.txt": "A" };
const FACTS: LayerFacts = {
  diffId: diffIdOfTexts(TEXTS),
  size: 1024,
  contentSize: 1,
  entries: 1,
  opaque: [],
  whiteouts: 0,
  hasXattrs: false,
};
const { diffId } = FACTS;

function folder(): string {
  return join(store.root, "layers", hexOf(diffId));
}

describe("a deferred layer", () => {
  it("has facts and no tree, also for who opens the store anew", () => {
    store.layers.defer(FACTS);
    store.layers.defer(FACTS);
    const again = openStore({ root, readonly: true });
    for (const { layers } of [store, again]) {
      expect(layers.facts(diffId)).toEqual({ ...FACTS, isDeferred: true });
      expect(layers.get(diffId)).toBeUndefined();
      expect(layers.list()).toEqual([]);
      expect(() => layers.getAll([diffId])).toThrow(expect.objectContaining({ code: "E_LAYER_MISSING" }));
    }
    again.close();
  });

  it("gets its tree by a rename, and is a layer like others then", () => {
    store.layers.defer(FACTS);
    const layer = putLayer(store, TEXTS);
    expect(fs.readFileSync(join(store.root, layer.link, "a.txt"), "utf8")).toBe("A");
    expect(store.layers.get(diffId)).toMatchObject({ diffId, tree: layer.tree });
    const { ino } = fs.statSync(layer.tree);
    putLayer(store, TEXTS);
    expect(fs.statSync(layer.tree).ino).toBe(ino);
    const left = fs.readdirSync(join(root, "v1/tmp")).flatMap((name) => fs.readdirSync(join(root, "v1/tmp", name)));
    expect(left.filter((name) => name.startsWith("layer-"))).toEqual([]);
  });

  it("stays what it is when its tree is there already", () => {
    putLayer(store, TEXTS);
    store.layers.defer(FACTS);
    expect(store.layers.get(diffId)?.isDeferred).toBeUndefined();
  });

  it("takes the place of a damaged one", () => {
    fs.mkdirSync(folder(), { recursive: true });
    fs.writeFileSync(join(folder(), "layer.json"), "{");
    store.layers.defer(FACTS);
    expect(store.layers.facts(diffId)).toMatchObject({ isDeferred: true });
  });

  it("completes an image and a record of the build cache, and is no damage", async () => {
    store.layers.defer(FACTS);
    putImage(store, ["docker.io/library/app:latest"], [diffId]);
    const key = digestOf("key");
    store.cache.put(key, { layers: [diffId] }, [diffId]);
    expect(store.cache.get(key)).toEqual({ layers: [diffId] });
    expect(await store.fsck()).toEqual([]);
    putLayer(store, TEXTS);
    expect(await store.fsck()).toEqual([]);
    fs.rmSync(join(folder(), "tree"), { recursive: true });
    // Its tree can be made again.
    expect(await store.fsck()).toEqual([]);
  });

  it("goes with a prune when nothing needs it, and its wheels stay as long as it does", () => {
    const wheel = store.blobs.writeBytes("a wheel");
    store.documents("wheel").insert(wheel.digest, undefined, { fileName: "a.whl", size: 7 });
    store.documents("wheel-layer").insert(diffId, undefined, { wheels: [{ digest: wheel.digest }] });
    store.layers.defer(FACTS);
    putImage(store, ["docker.io/library/app:latest"], [diffId]);
    store.close();
    store = openStore({ root });
    store.prune({ images: "dangling", cache: "all" });
    expect(store.layers.facts(diffId)).toBeDefined();
    expect(store.blobs.has(wheel.digest)).toBe(true);
    store.images.untag("docker.io/library/app:latest");
    store.prune({ images: "dangling", cache: "all" });
    expect(store.layers.facts(diffId)).toBeUndefined();
    expect(store.blobs.has(wheel.digest)).toBe(false);
    expect(fs.existsSync(folder())).toBe(false);
  });
});
