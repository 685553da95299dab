// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asDiffId, digestOf } from "../../base/index.ts";
import { openStore } from "../../store/index.ts";
import { temporaryRoot } from "../../store/fixture.ts";
import { readLock } from "../locks/read-lock.ts";
import { knownLayer, noteClaim, proveLayer, readLayerFacts, writeLayerFacts } from "./layer-facts.ts";
import type { Store } from "../../store/index.ts";
import type { WheelLayerFacts } from "./layer-facts.ts";

let root = "";
let store: Store;
beforeAll(() => {
  root = temporaryRoot();
  store = openStore({ root, sync: "none" });
});
afterAll(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

function factOf(name: string): WheelLayerFacts {
  const blob = { digest: digestOf(`blob ${name}`), size: 10 };
  return { key: digestOf(`key ${name}`), diffId: asDiffId(digestOf(name)), size: 2048, blob };
}

const LOCK = `lock-version = "1.0"
created-by = "test"

[[packages]]
name = "demo"
version = "1.0"

[tool.tare]
accelerator = "cpu"
`;

function factsIn(text: string): readonly WheelLayerFacts[] {
  return [...readLayerFacts(readLock(text, "/app/pylock.toml").tare).values()];
}

describe("facts in a lock", () => {
  it("come back, and leave the rest as it was", () => {
    const facts = [factOf("one"), factOf("two")];
    const text = writeLayerFacts(LOCK, facts);
    expect(text.startsWith(LOCK)).toBe(true);
    expect(new Set(factsIn(text))).toEqual(new Set(facts));
    expect(readLock(text, "/app/pylock.toml").tare?.["accelerator"]).toBe("cpu");
    expect(writeLayerFacts(text, facts.toReversed())).toBe(text);
  });

  it("are replaced by newer ones, wherever they stand", () => {
    const text = writeLayerFacts(LOCK, [factOf("old")]);
    const moved = `${text}\n[tool.other]\nx = 1\n`;
    const next = writeLayerFacts(moved, [factOf("new")]);
    expect(factsIn(next)).toEqual([factOf("new")]);
    expect(next).toContain("[tool.other]\nx = 1\n");
    expect(writeLayerFacts(next, []).includes("tool.tare.layers")).toBe(false);
  });

  it("are left out when they are not whole", () => {
    const whole = writeLayerFacts(LOCK, [factOf("one")]);
    const bad: readonly (readonly [RegExp, string])[] = [
      [/^key = .*/m, 'key = "sha256:short"'],
      [/^diff-id = .*/m, "diff-id = 3"],
      [/^size = .*/m, "size = -1"],
      [/^blob-size = .*/m, 'blob-size = "10"'],
      [/^blob = .*/m, ""],
    ];
    for (const [pattern, text] of bad) expect(factsIn(whole.replace(pattern, text))).toEqual([]);
    const values = fc.dictionary(fc.string(), fc.anything());
    fc.assert(fc.property(values, (tare) => readLayerFacts({ layers: [tare], ...tare }).size === 0));
  });
});

describe("what a store knows of a layer", () => {
  it("is a claim until the layer is made, which proves it", () => {
    const fact = factOf("right");
    noteClaim(store, fact);
    expect(knownLayer(store, fact.key)).toMatchObject({ diffId: fact.diffId, isClaim: true });
    proveLayer(store, fact.key, fact);
    expect(knownLayer(store, fact.key)).toEqual({ diffId: fact.diffId, size: fact.size, isClaim: false });
  });

  it("is told once when a claim was wrong, and then what was made counts", () => {
    const [claim, made] = [factOf("claimed"), factOf("made")];
    noteClaim(store, claim);
    expect(() => proveLayer(store, claim.key, made)).toThrow(expect.objectContaining({ code: "E_LAYER_CLAIM" }));
    proveLayer(store, claim.key, made);
    noteClaim(store, claim);
    expect(knownLayer(store, claim.key)).toMatchObject({ diffId: made.diffId, isClaim: false });
  });
});
