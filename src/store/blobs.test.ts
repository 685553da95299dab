// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { parseFaultPlan } from "./faults.ts";
import { temporaryRoot } from "./fixture.ts";
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

const bytes = Buffer.from("some bytes");
const digest = digestOf(bytes);
const stored = (): string[] => fs.readdirSync(join(root, "v1", "blobs", "sha256"));
const unfinished = (): string[] =>
  fs
    .readdirSync(join(root, "v1", "tmp"))
    .flatMap((lease) => fs.readdirSync(join(root, "v1", "tmp", lease)))
    .filter((name) => name !== "keep");

describe("blobs", () => {
  it("are written, found and read back", async () => {
    expect(store.blobs.has(digest)).toBe(false);
    expect(await store.blobs.write(Readable.from([bytes.subarray(0, 4), bytes.subarray(4)]))).toEqual({
      digest,
      size: 10,
    });
    expect(store.blobs.stat(digest)).toEqual({ digest, size: 10 });
    expect(store.blobs.read(digest)).toEqual(bytes);
    expect(fs.readFileSync(store.blobs.path(digest))).toEqual(bytes);
    expect(store.blobs.writeBytes(bytes)).toEqual({ digest, size: 10 });
    expect(fs.statSync(store.blobs.path(digest)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["another digest", { digest: digestOf("x") }],
    ["fewer bytes", { size: 11 }],
    ["more bytes", { size: 9 }],
  ])("announced with %s are refused and leave nothing", async (_name, expected) => {
    await expect(store.blobs.write(Readable.from([bytes]), expected)).rejects.toMatchObject({
      code: "E_DIGEST_MISMATCH",
    });
    expect(stored()).toEqual([]);
    expect(unfinished()).toEqual(["lease.json"]);
  });

  it("whose source fails leave nothing and keep the source's error", async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes);
      throw Object.assign(new Error("connection lost"), { code: "ECONNRESET" });
    };
    await expect(store.blobs.write(source())).rejects.toThrow("connection lost");
    expect(stored()).toEqual([]);
    expect(unfinished()).toEqual(["lease.json"]);
  });

  it("that are known end their source unread", async () => {
    store.blobs.writeBytes(bytes);
    const source = new Readable({ read: () => expect.fail("was read") });
    expect(await store.blobs.write(source, { digest, size: 10 })).toEqual({ digest, size: 10 });
    expect(source.destroyed).toBe(true);
  });

  it("that are missing or damaged say so", () => {
    expect(() => store.blobs.path(digest)).toThrow(expect.objectContaining({ code: "E_BLOB_MISSING" }));
    expect(() => store.blobs.read(digest)).toThrow(expect.objectContaining({ code: "E_BLOB_MISSING" }));
    store.blobs.writeBytes(bytes);
    fs.writeFileSync(store.blobs.path(digest), "some bytez");
    expect(() => store.blobs.read(digest)).toThrow(expect.objectContaining({ code: "E_STORE_DAMAGED" }));
  });

  it("too large for the disk are refused before a byte is read", async () => {
    const source = new Readable({ read: () => expect.fail("was read") });
    const huge = { size: Number.MAX_SAFE_INTEGER };
    await expect(store.blobs.write(source, huge)).rejects.toMatchObject({
      code: "E_NOSPACE",
      details: { free: expect.any(Number) },
    });
  });

  it.each(["enospc:blob.write", "enospc:blob.sync", "enospc:blob.rename", "eio:blob.sync"])(
    "leave nothing behind after %s",
    async (plan) => {
      const faulty = openStore({ root, fault: parseFaultPlan(plan) });
      const code = plan.startsWith("eio") ? "E_IO" : "E_NOSPACE";
      await expect(faulty.blobs.write(Readable.from([bytes]))).rejects.toMatchObject({ code });
      expect(stored()).toEqual([]);
      expect(unfinished()).toEqual(["lease.json"]);
      faulty.close();
      expect(store.blobs.writeBytes(bytes).digest).toBe(digest);
    },
  );

  it("live in a store that only its owner can enter", () => {
    expect(fs.statSync(join(root, "v1")).mode & 0o777).toBe(0o700);
    expect(store.blobs.writeBytes("x").digest).toBe(digestOf("x"));
    expect(stored()).toEqual([hexOf(digestOf("x"))]);
  });

  it("can't be written to a store opened for reading", () => {
    const reader = openStore({ root, readonly: true });
    expect(() => reader.blobs.writeBytes("x")).toThrow(expect.objectContaining({ code: "E_PERMISSION" }));
  });
});
