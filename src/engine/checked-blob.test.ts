// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { readCheckedBlob } from "./checked-blob.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-checked-"));
  store = openStore({ root, runRoot: join(root, "run"), sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true });
});

describe("a checked blob", () => {
  it("is hashed once, then again when the file changes", () => {
    const { digest } = store.blobs.writeBytes("content");
    for (const _ of [1, 2]) expect(readCheckedBlob(store, digest).toString()).toBe("content");
    expect(fs.readdirSync(join(root, "run/checked"))).toEqual([digest.slice(7)]);
    fs.writeFileSync(store.blobs.path(digest), "damaged");
    expect(() => readCheckedBlob(store, digest)).toThrow(expect.objectContaining({ code: "E_STORE_DAMAGED" }));
  });

  it("must be there", () => {
    expect(() => readCheckedBlob(store, digestOf("none"))).toThrow(expect.objectContaining({ code: "E_BLOB_MISSING" }));
  });
});
