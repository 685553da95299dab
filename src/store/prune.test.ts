// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Digest } from "../base/index.ts";
import { digestOf } from "../base/index.ts";
import { putImage, putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { PruneReport, PruneRow, Store } from "./types.ts";

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

/** Ends this process's claims, as the end of a command does. */
function reopen(): void {
  store.close();
  store = openStore({ root });
}

const items = (report: PruneReport, kind: PruneRow["kind"]): readonly string[] =>
  report.rows.find((row) => row.kind === kind)?.items ?? [];
const present = (...digests: readonly Digest[]): boolean[] =>
  digests.map((digest) => store.layers.get(digest) !== undefined);

describe("prune", () => {
  it("keeps what images, records, containers and leases reach, and removes the rest", () => {
    const make = (name: string): Digest => putLayer(store, { name }).diffId;
    const [image, cached, running] = [make("image"), make("cached"), make("running")];
    const [claimed, loose] = [make("claimed"), make("loose")];
    putImage(store, ["docker.io/library/a:1"], [image]);
    store.cache.put(digestOf("key"), 1, [cached]);
    store.documents("container").insert("c", undefined, { layers: [running] });
    const looseBlob = store.blobs.writeBytes("nobody needs this");
    reopen();
    const lease = store.lease();
    lease.keep([claimed]);
    const report = store.prune();
    expect(items(report, "layers")).toEqual([loose]);
    expect(items(report, "blobs")).toEqual([looseBlob.digest]);
    expect(report.freed).toBe("loose".length + looseBlob.size);
    expect(present(image, cached, running, claimed, loose)).toEqual([true, true, true, true, false]);
    expect(fs.readdirSync(join(root, "v1", "l"))).toHaveLength(4);
    lease.release();
    store.documents("container").remove("c");
    expect(items(store.prune(), "layers")).toEqual([claimed, running].sort());
  });

  it("removes dangling images, or all that no container uses", () => {
    const dangling = putImage(store, [], [putLayer(store, { a: "1" }).diffId]);
    const named = putImage(store, ["docker.io/library/a:1"], [putLayer(store, { a: "2" }).diffId]);
    const used = putImage(store, ["docker.io/library/a:2"], [putLayer(store, { a: "3" }).diffId]);
    const usedLayers = store.contentOf(used).diffIds;
    store.documents("container").insert("c", undefined, { imageId: used.id, layers: usedLayers });
    reopen();
    expect(items(store.prune(), "images")).toEqual([]);
    expect(items(store.prune({ images: "dangling" }), "images")).toEqual([dangling.target]);
    const report = store.prune({ images: "unused" });
    expect(items(report, "images")).toEqual(["docker.io/library/a:1"]);
    expect(items(report, "layers")).toHaveLength(1);
    expect(items(report, "blobs").toSorted()).toEqual([named.target, named.id].sort());
    expect(store.images.list().map(({ target }) => target)).toEqual([used.target]);
    expect(store.contentOf(used).missing).toEqual([]);
  });

  it("keeps a dangling image that a container stands on by its layers alone", () => {
    const image = putImage(store, [], [putLayer(store, { a: "1" }).diffId]);
    store.documents("container").insert("c", undefined, { layers: store.contentOf(image).diffIds });
    reopen();
    expect(items(store.prune({ images: "unused" }), "images")).toEqual([]);
  });

  it("removes cache records that no image shares layers with, or all", () => {
    const shared = putLayer(store, { a: "shared" }).diffId;
    const own = putLayer(store, { a: "own" }).diffId;
    putImage(store, ["docker.io/library/a:1"], [shared]);
    store.cache.put(digestOf("shared"), 1, [shared]);
    store.cache.put(digestOf("own"), 1, [own]);
    reopen();
    expect(items(store.prune({ cache: "unused" }), "cache")).toEqual([digestOf("own")]);
    expect(present(shared, own)).toEqual([true, false]);
    expect(items(store.prune({ cache: "all" }), "cache")).toEqual([digestOf("shared")]);
    expect(present(shared)).toEqual([true]);
  });

  it("drops the least recently used records down to a limit", async () => {
    for (const name of ["first", "second", "third"]) {
      store.cache.put(digestOf(name), 1, [putLayer(store, { [name]: "x".repeat(1000) }).diffId]);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    reopen();
    expect(items(store.prune({ cacheLimit: 3000 }), "cache")).toEqual([]);
    expect(items(store.prune({ cacheLimit: 2500 }), "cache")).toEqual([digestOf("first")]);
    expect(items(store.prune({ cacheLimit: 0 }), "cache").toSorted()).toEqual(
      [digestOf("second"), digestOf("third")].sort(),
    );
  });

  it("leaves what is younger than `until`", () => {
    putImage(store, [], [putLayer(store, { a: "1" }).diffId]);
    store.cache.put(digestOf("key"), 1, []);
    reopen();
    const old = store.prune({ images: "unused", cache: "all", until: Date.now() - 60_000 });
    expect([...items(old, "images"), ...items(old, "cache")]).toEqual([]);
    const now = store.prune({ images: "unused", cache: "all", until: Date.now() + 1 });
    expect([items(now, "images").length, items(now, "cache").length]).toEqual([1, 1]);
  });

  it("says what a real run would do, without doing it", () => {
    putImage(store, [], [putLayer(store, { a: "1" }).diffId]);
    store.cacheMounts.path("pip");
    reopen();
    const options = { images: "dangling", cache: "all", mounts: true } as const;
    const planned = store.prune({ ...options, dryRun: true });
    expect(planned.dryRun).toBe(true);
    expect(store.images.list()).toHaveLength(1);
    const done = store.prune(options);
    for (const kind of ["images", "layers", "blobs", "mounts-cache"] as const) {
      expect(items(planned, kind)).toEqual(items(done, kind));
      expect(items(done, kind), kind).not.toEqual([]);
    }
    expect(planned.freed).toBe(done.freed);
  });

  it("keeps the bytes of a layer that came from outside as long as the layer", () => {
    const blob = { ...store.blobs.writeBytes("compressed"), mediaType: "x" };
    const layer = putLayer(store, { a: "1" }, blob);
    store.cache.put(digestOf("key"), 1, [layer.diffId]);
    reopen();
    expect(items(store.prune(), "blobs")).toEqual([]);
    expect(items(store.prune({ cache: "all" }), "blobs")).toEqual([blob.digest]);
  });

  it("leaves cache mounts that somebody uses or claims", () => {
    const free = store.cacheMounts.path("free");
    const release = store.cacheMounts.claim("locked");
    const locked = store.cacheMounts.path("locked");
    expect(store.cacheMounts.claim("locked")).toBeUndefined();
    expect(items(store.prune({ mounts: true }), "mounts-cache")).toEqual([]);
    release?.();
    store.cacheMounts.claim("locked")?.();
    reopen();
    store.cacheMounts.claim("locked");
    expect(items(store.prune({ mounts: true }), "mounts-cache")).toEqual(["free"]);
    expect([free, locked].map((path) => fs.existsSync(path))).toEqual([false, true]);
  });
});

describe("usage", () => {
  it("counts every object in one row", () => {
    const shared = putLayer(store, { a: "shared" }).diffId;
    const own = putLayer(store, { b: "own layer" }).diffId;
    putLayer(store, { c: "loose" });
    const images = [putImage(store, ["docker.io/library/a:1"], [shared]), putImage(store, [], [shared, own])];
    store.cache.put(digestOf("key"), 1, [shared]);
    const rows = Object.fromEntries(store.usage().map((row) => [row.kind, row]));
    const json = images.reduce((sum, { target, id }) => {
      return sum + (store.blobs.stat(target)?.size ?? 0) + (store.blobs.stat(id)?.size ?? 0);
    }, 0);
    expect(rows["images"]).toMatchObject({ count: 2, active: 0, size: json + "sharedown layer".length });
    expect(rows["cache"]).toMatchObject({ count: 1, active: 1, size: 1 });
    expect(rows["layers"]).toMatchObject({ count: 1, size: "loose".length });
    expect(rows["blobs"]).toMatchObject({ count: 0, size: 0 });
    expect(rows["temporary"]).toMatchObject({ count: 1, active: 1, reclaimable: 0 });
  });

  it("calls images active that a container stands on", () => {
    const image = putImage(store, ["docker.io/library/a:1"], [putLayer(store, { a: "1" }).diffId]);
    const before = store.usage()[0];
    store.documents("container").insert("c", undefined, { image: image.target, state: "running", layers: [] });
    expect(before?.reclaimable).toBe(before?.size);
    expect(store.usage()[0]).toEqual({ ...before, active: 1, reclaimable: 0 });
    expect(store.usage().find(({ kind }) => kind === "containers")).toMatchObject({ count: 1, active: 1 });
  });
});
