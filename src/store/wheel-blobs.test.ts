// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { putImage, putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { PruneOptions, Store } from "./types.ts";

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

function wheel(name: string): Digest {
  const { digest, size } = store.blobs.writeBytes(`wheel ${name}`);
  store.documents("wheel").insert(digest, undefined, { fileName: `${name}.whl`, size });
  return digest;
}

/** A layer made of wheels. */
function layerOf(name: string, ...wheels: readonly Digest[]): Digest {
  const { diffId } = putLayer(store, { name });
  store.documents("wheel-layer").insert(diffId, undefined, { wheels: wheels.map((digest) => ({ digest })) });
  return diffId;
}

/** The wheels of every kind of need. */
function fill(): Readonly<Record<"ofImage" | "ofCache" | "ofContainer" | "ofNobody" | "built", Digest>> {
  const made = {
    ofImage: wheel("a"),
    ofCache: wheel("b"),
    ofContainer: wheel("c"),
    ofNobody: wheel("d"),
    built: wheel("e"),
  };
  putImage(store, ["docker.io/library/app:1"], [layerOf("image", made.ofImage)]);
  store.cache.put(digestOf("key"), 1, [layerOf("cache", made.ofCache)]);
  store.documents("container").insert("c", undefined, { layers: [layerOf("container", made.ofContainer)] });
  store.documents("built-wheel").insert("source", undefined, { fileName: "e.whl", digest: made.built });
  // Ends this process's claims, as the end of a command does.
  store.close();
  store = openStore({ root });
  return made;
}

describe("pruning wheels", () => {
  const cases: readonly (readonly [string, PruneOptions, readonly ("ofCache" | "ofNobody" | "built")[]])[] = [
    ["nothing without asking for cache", { images: "dangling" }, []],
    ["those of no layer with unused cache", { cache: "unused" }, ["ofNobody", "ofCache"]],
    ["those made here and those of cached layers with all cache", { cache: "all" }, ["ofCache", "ofNobody", "built"]],
    ["nothing that is younger than `until`", { cache: "all", until: 1 }, []],
  ];
  it.each(cases)("removes %s", (_name, options, gone) => {
    const made = fill();
    const wanted = gone.map((name) => made[name]).toSorted();
    for (const dryRun of [true, false]) {
      const report = store.prune({ ...options, dryRun });
      expect(report.rows.find(({ kind }) => kind === "wheels")?.items.toSorted()).toEqual(wanted);
    }
    const left = Object.values(made).filter((digest) => store.blobs.has(digest));
    expect(left.toSorted()).toEqual(
      Object.values(made)
        .filter((digest) => !wanted.includes(digest))
        .toSorted(),
    );
  });

  it("keeps what a running command has fetched and not used yet", () => {
    const { ofNobody } = fill();
    store.lease().keep([ofNobody]);
    store.prune({ cache: "all" });
    expect(store.blobs.has(ofNobody)).toBe(true);
  });

  it("goes on with damaged documents", () => {
    const loose = wheel("x");
    store.documents("wheel-layer").insert("no digest", undefined, { wheels: 5 });
    store.documents("wheel-layer").insert(digestOf("l"), undefined, { wheels: [{ digest: "sha256:1" }, null] });
    store.documents("built-wheel").insert("k", undefined, ["no object"]);
    store.close();
    store = openStore({ root });
    expect(store.prune({ cache: "unused" }).freed).toBeGreaterThan(0);
    expect(store.blobs.has(loose)).toBe(false);
  });
});

describe("the usage of wheels", () => {
  it("is a row of its own, and says what images and containers do not need", () => {
    fill();
    const rows = store.usage();
    const size = "wheel a".length;
    expect(rows.find(({ kind }) => kind === "wheels")).toEqual({
      kind: "wheels",
      count: 5,
      active: 2,
      size: 5 * size,
      reclaimable: 3 * size,
    });
    expect(rows.find(({ kind }) => kind === "blobs")).toMatchObject({ count: 0 });
  });
});
