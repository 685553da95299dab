// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { decodePart, encodePart } from "./fingerprint-codec.ts";
import { temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { FileStamp, FingerprintRoot, Store } from "./types.ts";

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

const stamp = (number: number): FileStamp => ({ device: 1, inode: 2, size: number, mtime: 3n, ctime: 4n });
const fill = (memo: FingerprintRoot, from: number, to: number): void => {
  for (let index = from; index < to; index += 1) memo.set(`file ${index}`, stamp(index), digestOf(`${index}`));
};

describe("fingerprints", () => {
  it("are remembered for the same stamp only", () => {
    const memo = store.fingerprints.open("/context");
    fill(memo, 1, 3);
    memo.save();
    const next = openStore({ root, readonly: true }).fingerprints.open("/context");
    expect(next.get("file 1", stamp(1))).toBe(digestOf("1"));
    for (const changed of [{ device: 9 }, { inode: 9 }, { size: 9 }, { mtime: 9n }, { ctime: 9n }]) {
      expect(next.get("file 1", { ...stamp(1), ...changed })).toBeUndefined();
    }
    expect(store.fingerprints.open("/other").get("file 1", stamp(1))).toBeUndefined();
  });

  it("are not taken of files changed in the last two seconds", () => {
    const memo = store.fingerprints.open("/context");
    const now = BigInt(Date.now()) * 1_000_000n;
    memo.set("young", { ...stamp(1), ctime: now - 1_500_000_000n }, digestOf("y"));
    memo.set("future", { ...stamp(1), ctime: now + 9_000_000_000n }, digestOf("f"));
    memo.set("old", { ...stamp(1), ctime: now - 2_500_000_000n }, digestOf("o"));
    memo.save();
    const next = store.fingerprints.open("/context");
    expect(next.get("young", { ...stamp(1), ctime: now - 1_500_000_000n })).toBeUndefined();
    expect(next.get("future", { ...stamp(1), ctime: now + 9_000_000_000n })).toBeUndefined();
    expect(next.get("old", { ...stamp(1), ctime: now - 2_500_000_000n })).toBe(digestOf("o"));
  });

  it("are appended in parts and packed again after some saves; the latest wins", () => {
    fill(store.fingerprints.open("/context"), 0, 1);
    for (let round = 0; round < 12; round += 1) {
      const memo = store.fingerprints.open("/context");
      if (round === 0) fill(memo, 0, 100);
      memo.set("changing", stamp(round), digestOf(`round ${round}`));
      memo.save();
      memo.save();
    }
    const raw = new DatabaseSync(join(root, "v1", "fingerprints.db"));
    const parts = raw.prepare("SELECT count(*) AS count FROM parts").get()?.["count"];
    raw.close();
    expect(parts).toBeLessThan(9);
    const memo = store.fingerprints.open("/context");
    expect(memo.get("changing", stamp(11))).toBe(digestOf("round 11"));
    expect(memo.get("changing", stamp(10))).toBeUndefined();
    expect(memo.get("file 99", stamp(99))).toBe(digestOf("99"));
  });

  it("load 20,000 in under 60 ms", () => {
    const memo = store.fingerprints.open("/context");
    fill(memo, 0, 20_000);
    memo.save();
    const next = openStore({ root });
    let took = Number.POSITIVE_INFINITY;
    let loaded = memo;
    for (let round = 0; round < 5; round += 1) {
      const start = performance.now();
      loaded = next.fingerprints.open("/context");
      took = Math.min(took, performance.now() - start);
    }
    next.close();
    expect(loaded.get("file 19999", stamp(19_999))).toBe(digestOf("19999"));
    console.log(`20,000 fingerprints loaded in ${took.toFixed(1)} ms`);
    expect(took).toBeLessThan(60);
  });
});

describe("packed fingerprints", () => {
  it("unpack to what was packed", () => {
    const stamps = fc.record({
      device: fc.nat(),
      inode: fc.maxSafeNat(),
      size: fc.maxSafeNat(),
      mtime: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      ctime: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    });
    const path = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
    const entries = fc.array(fc.record({ path, stamp: stamps, digest: fc.string().map(digestOf) }), { maxLength: 20 });
    fc.assert(
      fc.property(entries, (list) => {
        const part = decodePart(encodePart(list));
        expect(part?.paths.map((_path, index) => part.entry(index))).toEqual(list);
      }),
    );
  });

  it("of damaged bytes are ignored", () => {
    const good = encodePart([{ path: "a", stamp: stamp(1), digest: digestOf("a") }]);
    expect(decodePart(good.slice(0, 20))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodePart(bytes)).toBeUndefined();
      }),
    );
    const shifted = new Uint8Array(good.length + 3).subarray(3);
    shifted.set(good);
    expect(decodePart(shifted)?.entry(0).digest).toBe(digestOf("a"));
  });
});
