// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asDiffId, digestOf } from "../../base/index.ts";
import type { DiffId, Digest } from "../../base/index.ts";
import { MEDIA_TYPES, serializeManifest } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import {
  BUILD_CACHE_TYPE,
  cacheManifest,
  formatCacheDocument,
  layersOfCache,
  parseCacheDocument,
  parseCacheManifest,
} from "./document.ts";

const key = (name: string): Digest => digestOf(`key ${name}`);
const layer = (name: string): DiffId => asDiffId(digestOf(`layer ${name}`));
const blob = (name: string): Descriptor => {
  return { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf(`blob ${name}`), size: 5 };
};
const BUILDKIT = "application/vnd.buildkit.cacheconfig.v0";
const [A, B] = [layer("a"), layer("b")];
const RECORD = { key: key("1"), layers: [A] };

describe("the document of a build cache", () => {
  it("comes back as it was written", () => {
    const name = fc.stringMatching(/^[a-d]$/);
    const record = fc.record({ key: name.map(key), layers: fc.array(name.map(layer), { maxLength: 3 }) });
    const records = fc.uniqueArray(record, { selector: (each) => each.key });
    const sized = fc.record({ diffId: name.map(layer), size: fc.integer({ min: 1 }) });
    const layers = fc.uniqueArray(sized, { selector: (each) => each.diffId });
    fc.assert(
      fc.property(fc.record({ layers, records }), (document) => {
        expect(parseCacheDocument(formatCacheDocument(document), "x")).toEqual(document);
      }),
    );
  });

  it("is an error or a document, whatever it is", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          expect(parseCacheDocument(text, "x").records).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toMatchObject({ code: "E_MANIFEST" });
        }
      }),
    );
  });

  it.each<readonly [string, unknown, readonly unknown[]]>([
    ["a record that is whole", [RECORD], [RECORD]],
    ["a record without layers", [{ ...RECORD, layers: [] }], [{ ...RECORD, layers: [] }]],
    ["no record", ["x", null, {}, { key: "x", layers: [A] }, { key: RECORD.key, layers: ["x"] }], []],
    [
      "two answers for a key",
      [RECORD, { ...RECORD, layers: [B] }, { key: key("2"), layers: [B] }],
      [{ key: key("2"), layers: [B] }],
    ],
    ["too many layers", [{ ...RECORD, layers: Array.from({ length: 513 }, () => A) }], []],
  ])("has %s", (_, records, expected) => {
    expect(parseCacheDocument(JSON.stringify({ version: 1, layers: [], records }), "x").records).toEqual(expected);
  });

  it.each<readonly [string, unknown, RegExp]>([
    ["another version", { version: 2, layers: [], records: [] }, /another version/],
    ["no layers", { version: 1, records: [] }, /not whole/],
    ["a layer that is none", { version: 1, layers: [{ diffId: "x" }], records: [] }, /not whole/],
    ["a layer twice", { version: 1, layers: [{ diffId: A }, { diffId: A }], records: [] }, /twice/],
  ])("is refused with %s", (_, value, message) => {
    expect(() => parseCacheDocument(JSON.stringify(value), "x")).toThrow(message);
  });
});

describe("the manifest of a build cache", () => {
  const config = { digest: digestOf("config"), size: 7 };
  const manifest = cacheManifest(config, [blob("a")]);

  it("names the layers of its document, but for a blob that stands for two", () => {
    const one = parseCacheManifest(serializeManifest(manifest), "x");
    expect([...layersOfCache(one, { layers: [{ diffId: A }], records: [] }, "x").keys()]).toEqual([A]);
    const two = cacheManifest(config, [blob("a"), blob("a"), blob("b")]);
    const layers = [{ diffId: A }, { diffId: B }, { diffId: layer("c") }];
    expect([...layersOfCache(two, { layers, records: [] }, "x").keys()]).toEqual([layer("c")]);
    expect(() => layersOfCache(two, { layers: layers.slice(1), records: [] }, "x")).toThrow(/different numbers/);
  });

  it.each<readonly [string, unknown, RegExp]>([
    [
      "an image",
      { ...manifest, artifactType: undefined, config: { ...config, mediaType: MEDIA_TYPES.ociConfig } },
      /no build cache/,
    ],
    ["an index", { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] }, /no build cache/],
    ["BuildKit's manifest", { ...manifest, config: { ...config, mediaType: BUILDKIT } }, /BuildKit/],
    ["BuildKit's index", { schemaVersion: 2, manifests: [{ ...blob("x"), mediaType: BUILDKIT }] }, /BuildKit/],
    ["a huge document", { ...manifest, config: { ...config, mediaType: BUILD_CACHE_TYPE, size: 5e6 } }, /at most/],
  ])("is not %s", (_, value, message) => {
    expect(() => parseCacheManifest(JSON.stringify(value), "x")).toThrow(message);
  });
});
