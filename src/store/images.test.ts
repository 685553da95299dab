// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, hexOf } from "../base/index.ts";
import { MANIFEST, putImage, putLayer, temporaryRoot } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { ImageRecord, Store } from "./types.ts";

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

const PYTHON = "docker.io/library/python:3.11-slim";
const image = (name: string): ImageRecord => putImage(store, [name], [putLayer(store, { name }).diffId]);

describe("images", () => {
  it("are found by name, digest, id and prefix", () => {
    const python = image(PYTHON);
    const hex = hexOf(python.id);
    const ways: Readonly<Record<string, string>> = {
      "full name": PYTHON,
      target: python.target,
      id: python.id,
      "name@target": `docker.io/library/python@${python.target}`,
      "name:tag@target": `${PYTHON}@${python.target}`,
      "name@id": `docker.io/library/python@${python.id}`,
      "12 digits": hex.slice(0, 12),
      "1 digit": hex.slice(0, 1),
      "64 digits": hex,
      "prefix with algorithm": `sha256:${hex.slice(0, 8)}`,
    };
    for (const [way, text] of Object.entries(ways)) expect(store.images.find(text), way).toEqual(python);
    for (const text of ["python", "", "sha256:", "zz", `docker.io/library/ruby@${python.target}`, `${PYTHON}@x`]) {
      expect(store.images.find(text), text).toBeUndefined();
    }
  });

  it("are not found by a prefix that fits two ids", () => {
    const images = Array.from({ length: 17 }, (_, index) => image(`docker.io/library/i:${index}`));
    const firsts = images.map(({ id }) => hexOf(id).slice(0, 1));
    const twice = firsts.find((digit, index) => firsts.indexOf(digit) !== index) ?? "";
    expect(store.images.find(twice)).toBeUndefined();
    expect(store.images.find(hexOf(images[3]?.id ?? digestOf("")))).toEqual(images[3]);
  });

  it("give a name to the newest and stay dangling without one", () => {
    const first = image(PYTHON);
    const second = putImage(store, [PYTHON, "docker.io/library/python:3"], [putLayer(store, { other: "x" }).diffId]);
    expect(store.images.find(PYTHON)?.target).toBe(second.target);
    expect(store.images.find(first.target)?.names).toEqual([]);
    expect(second.names).toEqual(["docker.io/library/python:3", PYTHON]);
    expect(store.images.untag(PYTHON)).toBe(true);
    expect(store.images.untag(PYTHON)).toBe(false);
    store.images.remove(second.target);
    store.images.remove(second.target);
    expect(store.images.list().map(({ target }) => target)).toEqual([first.target]);
  });

  it("keep the time they came and can get more names later", () => {
    const first = image(PYTHON);
    const again = store.images.put(first, ["docker.io/library/python:latest"]);
    expect(again).toEqual({ ...first, names: [PYTHON, "docker.io/library/python:latest"].sort() });
  });

  it("are refused when something they need is missing", () => {
    const absent = digestOf("absent");
    expect(() => store.images.put({ target: absent, mediaType: MANIFEST, id: absent }, [PYTHON])).toThrow(
      expect.objectContaining({ code: "E_BLOB_MISSING" }),
    );
    expect(() => putImage(store, [PYTHON], [absent])).toThrow(expect.objectContaining({ code: "E_LAYER_MISSING" }));
    expect(store.images.list()).toEqual([]);
  });

  it("of an index need only this host's manifest", () => {
    const mine = image(PYTHON);
    const manifests = [{ digest: digestOf("other platform") }, { digest: mine.target }];
    const index = store.blobs.writeBytes(JSON.stringify({ schemaVersion: 2, manifests }));
    const record = store.images.put({ target: index.digest, mediaType: "index", id: mine.id }, [
      "docker.io/library/x:1",
    ]);
    expect(store.contentOf(record).missing).toEqual([]);
    expect(store.contentOf(record).diffIds).toHaveLength(1);
  });

  it("can be read while a writer holds the lock", () => {
    image(PYTHON);
    const reader = openStore({ root, readonly: true });
    store.documents("x").insert("a", undefined, {});
    store.documents("x").update("a", (value) => {
      expect(reader.images.find(PYTHON)?.names).toEqual([PYTHON]);
      expect(openStore({ root }).images.list()).toHaveLength(1);
      return value;
    });
  });
});
