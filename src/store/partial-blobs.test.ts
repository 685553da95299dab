// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { ByteRanges } from "./byte-ranges.ts";
import { temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { PartialBlob, Store } from "./types.ts";

const BYTES = Buffer.from("0123456789".repeat(400_000));
const BLOB = { digest: digestOf(BYTES), size: BYTES.length };
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

function claim(from: Store = store): PartialBlob {
  const partial = from.partials.claim(BLOB);
  if (!partial) throw new Error("somebody has it");
  return partial;
}

const folder = (): string => join(root, "v1/ingest", hexOf(BLOB.digest));

describe("a blob on its way in", () => {
  it("becomes a blob when all of it is there, in any order", async () => {
    const partial = claim();
    partial.write(2_000_000, BYTES.subarray(2_000_000));
    expect(partial.frontier).toBe(0);
    partial.write(0, BYTES.subarray(0, 2_000_000));
    expect(partial.frontier).toBe(BLOB.size);
    expect(await partial.publish(BLOB.digest)).toEqual(BLOB);
    expect(store.blobs.read(BLOB.digest).equals(BYTES)).toBe(true);
    expect(fs.readdirSync(join(root, "v1/ingest"))).toEqual([]);
    expect(store.partials.claim(BLOB)).toBeDefined();
  });

  it("is one caller's alone until that one ends it", () => {
    const partial = claim();
    const other = openStore({ root });
    expect(other.partials.claim(BLOB)).toBeUndefined();
    partial.close();
    expect(other.partials.claim(BLOB)).toBeDefined();
    other.close();
  });

  it("keeps its bytes for the next one", () => {
    const first = claim();
    first.write(100, BYTES.subarray(100, 2_000_000));
    first.close();
    expect(store.partials.received(BLOB)).toBe(1_999_900);
    expect(store.partials.received({ digest: digestOf("another"), size: 7 })).toBe(0);
    const second = claim();
    expect(second.kept).toBe(1_999_900);
    expect(second.missing()).toEqual([
      { start: 0, end: 100 },
      { start: 2_000_000, end: BLOB.size },
    ]);
  });

  it("believes no line that a kill cut off, and none beyond the file's end", () => {
    const first = claim();
    first.write(0, BYTES.subarray(0, 1000));
    first.close();
    fs.appendFileSync(join(folder(), "have"), "900 2000\n3000 40");
    expect(claim().missing()).toEqual([{ start: 1000, end: BLOB.size }]);
  });

  it("takes no more bytes than were announced", () => {
    const partial = claim();
    expect(() => partial.write(BLOB.size - 1, Buffer.from("9x"))).toThrow(/4000001 bytes came, 4000000 were announced/);
  });

  it("is no blob with another digest", async () => {
    const partial = claim();
    partial.write(0, BYTES);
    await expect(partial.publish(digestOf("other"))).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    expect(store.blobs.has(BLOB.digest)).toBe(false);
    partial.reset();
    expect(partial.missing()).toEqual([{ start: 0, end: BLOB.size }]);
  });

  it("goes with a prune when nobody has it, and counts as temporary", () => {
    const partial = claim();
    partial.write(0, BYTES.subarray(0, 8192));
    expect(store.prune().freed).toBe(0);
    expect(fs.existsSync(folder())).toBe(true);
    partial.close();
    const temporary = (): unknown => store.usage().find(({ kind }) => kind === "temporary")?.reclaimable;
    expect(temporary()).toBeGreaterThanOrEqual(8192);
    expect(store.prune({ dryRun: true }).rows.find(({ kind }) => kind === "temporary")?.items).toHaveLength(1);
    expect(store.prune().freed).toBeGreaterThanOrEqual(8192);
    expect(fs.readdirSync(join(root, "v1/ingest"))).toEqual([]);
    expect(temporary()).toBe(0);
  });

  it("goes with the next download of another when nobody asked for it in a week", () => {
    claim().close();
    const old = claim();
    old.write(0, BYTES.subarray(0, 10));
    old.close();
    const past = Date.now() / 1000 - 8 * 24 * 3600;
    fs.utimesSync(join(folder(), "data"), past, past);
    store.partials.claim({ digest: digestOf("x"), size: 1 })?.close();
    expect(fs.existsSync(folder())).toBe(false);
  });
});

describe("ranges of bytes", () => {
  it("are what a set of bytes says", () => {
    const range = fc.tuple(fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (added) => {
        const ranges = new ByteRanges();
        const set = new Set<number>();
        for (const [start, end] of added) {
          ranges.add(start, end);
          for (let at = start; at < end; at += 1) set.add(at);
        }
        const missing = ranges
          .missing(40)
          .flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
        expect(missing).toEqual(Array.from({ length: 40 }, (_, at) => at).filter((at) => !set.has(at)));
        expect(ranges.total).toBe(set.size);
        let frontier = 0;
        while (set.has(frontier)) frontier += 1;
        expect(ranges.frontier).toBe(frontier);
      }),
    );
  });
});
