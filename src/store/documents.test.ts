// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { DocumentStore, Store } from "./types.ts";

interface Thing {
  readonly count: number;
}

let root = "";
let store: Store;
let things: DocumentStore<Thing>;
beforeEach(() => {
  root = temporaryRoot();
  store = openStore({ root });
  things = store.documents<Thing>("thing");
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

describe("documents", () => {
  it("are found by id, name and unique prefix, an exact one first", () => {
    things.insert("abc1", "one", { count: 1 });
    things.insert("abd2", "ab", { count: 2 });
    things.insert("x%_", undefined, { count: 3 });
    const found = (text: string): number | undefined => things.find(text)?.count;
    expect(["abc1", "one", "abc", "ab", "abd", "x%", "%", "", "q"].map(found)).toEqual([
      1,
      1,
      1,
      2,
      2,
      3,
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => things.find("a")).toThrow(expect.objectContaining({ code: "E_AMBIGUOUS" }));
    expect(store.documents("other").list()).toEqual([]);
  });

  it("own their name until they are removed or renamed", () => {
    things.insert("1", "web", { count: 1 });
    const taken = expect.objectContaining({ code: "E_NAME_TAKEN", details: { id: "1", name: "web" } });
    expect(() => things.insert("2", "web", { count: 2 })).toThrow(taken);
    store.documents<Thing>("other").insert("2", "web", { count: 2 });
    things.insert("2", "db", { count: 2 });
    expect(() => things.rename("2", "web")).toThrow(taken);
    expect(things.rename("1", "old")).toBe(true);
    expect(things.rename("2", "web")).toBe(true);
    expect(things.rename("3", "none")).toBe(false);
    things.remove("2");
    things.insert("4", "web", { count: 4 });
    expect(things.list()).toEqual([{ count: 1 }, { count: 4 }]);
  });

  it("are made or replaced by put, and keep their name", () => {
    things.put("1", { count: 1 });
    things.insert("2", "web", { count: 2 });
    things.put("1", { count: 3 });
    things.put("2", { count: 4 });
    expect([things.get("1"), things.find("web")]).toEqual([{ count: 3 }, { count: 4 }]);
  });

  it("are made or changed by change, in one transaction", () => {
    const add = (before: { count: number } | undefined): { count: number } => ({ count: (before?.count ?? 0) + 1 });
    things.change("1", add);
    things.change("1", add);
    expect(things.get("1")).toEqual({ count: 2 });
  });

  it("change in a transaction: a failure changes nothing", () => {
    things.insert("1", undefined, { count: 1 });
    expect(things.update("1", ({ count }) => ({ count: count + 1 }))).toEqual({ count: 2 });
    expect(things.update("2", (value) => value)).toBeUndefined();
    const fail = (): never => {
      throw new Error("no");
    };
    expect(() => things.update("1", fail)).toThrow("no");
    expect(things.get("1")).toEqual({ count: 2 });
  });
});

describe("the build cache", () => {
  it("gives back what was put while its layers are there", () => {
    const layer = putLayer(store, { a: "1" });
    const key = digestOf("key");
    expect(store.cache.get(key)).toBeUndefined();
    store.cache.put(key, { b: [1], a: "x" }, [layer.diffId, layer.diffId]);
    store.cache.put(key, { b: [2], a: "x" }, [layer.diffId]);
    expect(store.cache.get(key)).toEqual({ a: "x", b: [2] });
    fs.rmSync(join(layer.tree, ".."), { recursive: true });
    expect(store.cache.get(key)).toBeUndefined();
    expect(() => store.cache.put(key, 1, [layer.diffId])).toThrow(expect.objectContaining({ code: "E_LAYER_MISSING" }));
  });
});

describe("state.db", () => {
  it("of a newer version is refused", () => {
    things.list();
    store.close();
    const raw = new DatabaseSync(join(root, "v1", "state.db"));
    raw.exec("PRAGMA user_version=99");
    raw.close();
    const next = openStore({ root });
    expect(() => next.images.list()).toThrow(expect.objectContaining({ code: "E_STORE_VERSION" }));
    expect(next.blobs.writeBytes("still works").size).toBe(11);
    next.close();
  });

  it("that is no database is reported as damaged", async () => {
    fs.writeFileSync(join(root, "v1", "state.db"), "x".repeat(5000));
    expect(() => store.images.list()).toThrow(expect.objectContaining({ code: "E_STORE_DAMAGED" }));
    expect(await store.fsck()).toEqual([expect.objectContaining({ kind: "database", repaired: false })]);
  });

  it("is private to its owner", () => {
    things.insert("1", undefined, { count: 1 });
    for (const name of fs.readdirSync(join(root, "v1")).filter((file) => file.startsWith("state.db"))) {
      expect(fs.statSync(join(root, "v1", name)).mode & 0o077, name).toBe(0);
    }
  });

  it("that does not exist reads as empty", () => {
    const reader = openStore({ root: join(root, "nothing"), readonly: true });
    expect([reader.images.list(), reader.documents("x").list(), reader.recover(), reader.layers.list()]).toEqual([
      [],
      [],
      [],
      [],
    ]);
    expect(reader.usage().every(({ size }) => size === 0)).toBe(true);
    reader.close();
    expect(fs.existsSync(join(root, "nothing"))).toBe(false);
  });
});
