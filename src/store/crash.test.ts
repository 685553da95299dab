// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { putImage, putLayer, temporaryRoot, verifyTexts } from "./fixture.ts";
import { openStore } from "./store.ts";

const CHILD = fileURLToPath(new URL("./crash.child.ts", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

function child(...parameters: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [CHILD, ...parameters], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    started.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    started.on("error", reject);
    started.on("close", (code, signal) => resolve({ code, signal, stderr }));
  });
}

let root = "";
beforeEach(() => {
  root = temporaryRoot();
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

/** After any crash: recovery leaves nothing, fsck finds nothing, all images are whole. */
async function expectWhole(): Promise<void> {
  const store = openStore({ root });
  store.recover();
  expect(fs.readdirSync(join(root, "v1", "tmp"))).toEqual([]);
  expect(await store.fsck({ verifyLayer: verifyTexts })).toEqual([]);
  for (const image of store.images.list()) expect(store.contentOf(image).missing).toEqual([]);
  store.close();
}

/** Kills the task at its 1st, 2nd … step until it gets through; returns the number of kills. */
async function killEverywhere(task: string, prepare: (round: number) => void): Promise<number> {
  for (let round = 1; ; round += 1) {
    prepare(round);
    const ended = await child(task, root, `${round}`, `kill:*:${round}`);
    if (ended.signal === null) {
      expect(ended).toEqual({ code: 0, signal: null, stderr: "" });
      console.log(`${task}: killed at ${round - 1} steps`);
      return round - 1;
    }
    expect(ended.signal).toBe("SIGKILL");
    if (task !== "repair") await expectWhole();
  }
}

describe("kill -9 at every step", () => {
  it("of building, naming and documents leaves a whole store", async () => {
    const kills = await killEverywhere("life", () => {});
    expect(kills).toBeGreaterThan(40);
    expect(await child("life", root, "again")).toEqual({ code: 0, signal: null, stderr: "" });
    await expectWhole();
  }, 120_000);

  it("of prune leaves a whole store", async () => {
    const kills = await killEverywhere("prune", (round) => {
      const store = openStore({ root });
      const layer = putLayer(store, { kept: `${round}`, more: "x" });
      putImage(store, [], [layer.diffId]);
      store.cache.put(digestOf("key"), 1, [putLayer(store, { cached: `${round}` }).diffId]);
      store.cacheMounts.path("pip");
      store.close();
      fs.mkdirSync(join(root, "v1", "tmp", "1-1-00000000000000000000000000000000-1-00000000"), { recursive: true });
    });
    expect(kills).toBeGreaterThan(10);
    await expectWhole();
  }, 120_000);

  it("of a repair leaves it to the next one", async () => {
    const kills = await killEverywhere("repair", () => {
      fs.mkdirSync(join(root, "v1", "blobs", "sha256"), { recursive: true });
      fs.writeFileSync(join(root, "v1", "blobs", "sha256", hexOf(digestOf("a"))), "b");
      fs.mkdirSync(join(root, "v1", "layers", hexOf(digestOf("layer"))), { recursive: true });
    });
    expect(kills).toBeGreaterThan(3);
    await expectWhole();
  }, 120_000);
});

describe("many processes at once", () => {
  it("write the same blobs, layers, names and documents while others prune", async () => {
    const store = openStore({ root });
    store.documents<{ count: number }>("counter").insert("all", undefined, { count: 0 });
    store.close();
    const ended = await Promise.all([
      ...["1", "2", "3", "4"].map((number) => child("hammer", root, number)),
      child("pruner", root, "0"),
    ]);
    for (const one of ended) expect(one).toEqual({ code: 0, signal: null, stderr: "" });
    const after = openStore({ root });
    expect(after.documents<{ count: number }>("counter").get("all")).toEqual({ count: 100 });
    after.close();
    await expectWhole();
  }, 120_000);

  it("get back what prune moved away before they claimed it", async () => {
    const maker = openStore({ root });
    const layers = ["a", "b", "c"].map((name) => putLayer(maker, { [name]: name }));
    maker.close();
    const store = openStore({ root });
    const isGone = (): boolean => layers.some(({ tree }) => !fs.existsSync(tree));
    const pruning = child("prune", root, "0", "delay:prune.trash:3:700");
    while (!isGone()) await new Promise((resolve) => setTimeout(resolve, 5));
    store.lease().keep(layers.map(({ diffId }) => diffId));
    expect(isGone()).toBe(true);
    expect(await pruning).toEqual({ code: 0, signal: null, stderr: "" });
    expect(isGone()).toBe(false);
    expect(store.layers.getAll(layers.map(({ diffId }) => diffId))).toEqual(layers);
    store.close();
    await expectWhole();
  }, 60_000);

  it("make a new store at the same time", async () => {
    const ended = await Promise.all(["1", "2", "3", "4"].map((number) => child("life", root, number)));
    for (const one of ended) expect(one).toEqual({ code: 0, signal: null, stderr: "" });
    await expectWhole();
  }, 60_000);
});
