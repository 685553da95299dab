// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { parseFaultPlan } from "./faults.ts";
import { diffIdOfTexts, putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { Store } from "./types.ts";

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

const files = { "a.txt": "A" };
const diffId = diffIdOfTexts(files);

describe("layers", () => {
  it("are published with their facts, tree and short link", () => {
    const blob = { digest: digestOf("blob"), size: 3, mediaType: "x/y" };
    const layer = putLayer(store, files, blob);
    expect(layer).toMatchObject({ diffId, entries: 1, contentSize: 1, blob });
    expect(fs.readFileSync(join(store.root, layer.link, "a.txt"), "utf8")).toBe("A");
    expect(layer.link).toMatch(/^l\/[\w-]{22}$/);
    expect(fs.statSync(layer.tree).mode & 0o777).toBe(0o755);
    const again = openStore({ root, readonly: true });
    expect(again.layers.get(diffId)).toEqual(layer);
    expect(again.layers.list()).toEqual([layer]);
    again.close();
  });

  it("keep the modes of their tree whatever the umask", () => {
    const before = process.umask(0o077);
    const staging = store.layers.stage();
    process.umask(before);
    expect(fs.statSync(staging.tree).mode & 0o777).toBe(0o755);
    staging.discard();
    expect(fs.existsSync(staging.tree)).toBe(false);
  });

  it("of equal content are published once", () => {
    const first = putLayer(store, files);
    const inode = fs.statSync(first.tree).ino;
    expect(putLayer(store, files)).toEqual(first);
    expect(fs.statSync(first.tree).ino).toBe(inode);
  });

  it("drop overlayfs's work directory, even with mode 0", () => {
    const staging = store.layers.stage();
    fs.mkdirSync(join(staging.work, "work"), { mode: 0 });
    const empty = { size: 1024, contentSize: 0, entries: 0, opaque: [], whiteouts: 0, hasXattrs: false };
    const layer = staging.commit({ diffId, ...empty });
    expect(fs.readdirSync(join(layer.tree, "..")).sort()).toEqual(["layer.json", "tree"]);
  });

  it("are all found or the first missing one is named", () => {
    putLayer(store, files);
    expect(store.layers.getAll([diffId, diffId])).toHaveLength(2);
    const absent = digestOf("absent");
    expect(() => store.layers.getAll([diffId, absent])).toThrow(
      expect.objectContaining({ code: "E_LAYER_MISSING", details: { diffId: absent } }),
    );
  });

  it("with a damaged layer.json are absent, and replaced by the next commit", () => {
    putLayer(store, files);
    store.close();
    fs.writeFileSync(join(root, "v1", "layers", hexOf(diffId), "layer.json"), "{");
    const next = openStore({ root });
    expect(next.layers.get(diffId)).toBeUndefined();
    expect(putLayer(next, files).diffId).toBe(diffId);
    expect(next.layers.get(diffId)).toBeDefined();
    next.close();
  });

  it("get their link back when it was lost", () => {
    const layer = putLayer(store, files);
    fs.rmSync(join(store.root, layer.link));
    const next = openStore({ root });
    expect(next.layers.get(diffId)?.link).toBe(layer.link);
    expect(fs.existsSync(join(store.root, layer.link, "a.txt"))).toBe(true);
  });

  it("that vanish are not remembered", () => {
    const layer = putLayer(store, files);
    fs.rmSync(join(layer.tree, ".."), { recursive: true });
    expect(store.layers.get(diffId)).toBeUndefined();
  });

  it.each(["enospc:layer.facts", "enospc:layer.sync", "enospc:layer.link", "enospc:layer.rename"])(
    "are not published after %s",
    (plan) => {
      const faulty = openStore({ root, fault: parseFaultPlan(plan) });
      expect(() => putLayer(faulty, files)).toThrow(expect.objectContaining({ code: "E_NOSPACE" }));
      expect(faulty.layers.list()).toEqual([]);
      faulty.close();
      expect(fs.readdirSync(join(root, "v1", "tmp"))).toEqual([]);
    },
  );
});
