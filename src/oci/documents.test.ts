// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Ajv4 from "ajv-draft-04";
import { describe, expect, it } from "vitest";
import { digestOf, isTareError } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import {
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from "./index.ts";
import type { Descriptor, ImageConfig, ImageIndex, Manifest } from "./index.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = join(process.env["TARE_CONFORMANCE"] ?? resolve(root, "../shared/conformance"), "image-spec");
const present = existsSync(folder);
if (!present) console.log(`skipped: ${folder} is absent`);

interface Case {
  readonly schema: string;
  readonly doc: string;
  readonly fail: boolean;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

/** A check of one value against an image-spec schema; the schemas refer to each other by file name. */
function schemaCheck(name: string): (value: unknown) => boolean {
  const ajv = new Ajv4.default({ strict: false, validateFormats: false });
  for (const file of ["defs.json", "defs-descriptor.json", "content-descriptor.json"]) {
    const schema = withoutIds(read(file));
    for (const id of [file, `https://opencontainers.org/schema/image/${file}`]) ajv.addSchema(schema, id);
  }
  return ajv.compile(withoutIds(read(name)));
}

/** The nested `id`s repeat and would move the base of relative references. */
function withoutIds(schema: unknown): object {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => (key === "id" && typeof value === "string" ? undefined : value)),
  ) as object;
}

const descriptor = (mediaType: string, content: string): Descriptor => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
});
const layer = descriptor(MEDIA_TYPES.ociLayerGzip, "layer");
const manifest: Manifest = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: descriptor(MEDIA_TYPES.ociConfig, "config"),
  layers: [layer, { ...layer, annotations: { b: "2", a: "1" }, urls: ["https://example.com/a"] }],
  annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
};
const index: ImageIndex = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociIndex,
  manifests: [
    { ...descriptor(MEDIA_TYPES.ociManifest, "m"), platform: { os: "linux", architecture: "arm", variant: "v7" } },
  ],
};
const config: ImageConfig = {
  created: "2026-01-01T00:00:00.123Z",
  architecture: "amd64",
  os: "linux",
  config: {
    User: "1000:1000",
    Env: ["PATH=/bin"],
    Cmd: ["python", "app.py"],
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/data": {} },
    Labels: { b: "2", a: "1" },
    Healthcheck: { Test: ["CMD", "true"], Interval: 30e9, StartInterval: 5e9, Retries: 3 },
    Shell: ["/bin/bash", "-c"],
    OnBuild: ["RUN true"],
    StopSignal: "SIGTERM",
  },
  rootfs: { type: "layers", diff_ids: [digestOf("tar") as DiffId] },
  history: [{ created: "2026-01-01T00:00:00Z", created_by: "CMD", empty_layer: true }],
};

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isTareError(error, "E_MANIFEST")) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe.skipIf(!present)("image-spec", () => {
  it.each([
    ["image-manifest-schema.json", serializeManifest(manifest)],
    ["image-index-schema.json", serializeIndex(index)],
    ["config-schema.json", serializeImageConfig(config)],
    ["content-descriptor.json", JSON.stringify(layer)],
  ])("what is written is valid by %s", (name, text) => {
    expect(schemaCheck(name)(JSON.parse(text))).toBe(true);
  });

  it("accepts and refuses the specification's own examples", () => {
    const cases = read("cases.json") as readonly Case[];
    const inManifest = (text: string): string => `{"schemaVersion":2,"config":${text},"layers":[${text}]}`;
    const parsers: Readonly<Record<string, (text: string) => unknown>> = {
      "config-schema.json": parseImageConfig,
      "image-index-schema.json": parseIndex,
      "image-manifest-schema.json": (text) => parseManifest(text),
      "content-descriptor.json": (text) => parseManifest(inManifest(text)),
    };
    let equal = 0;
    const differences: string[] = [];
    const unsupported: string[] = [];
    for (const { schema, doc, fail } of cases) {
      const parse = parsers[schema];
      if (parse === undefined) continue;
      let why = "";
      try {
        parse(doc);
      } catch (error) {
        why = isTareError(error, "E_MANIFEST") ? error.message : `not an E_MANIFEST: ${String(error)}`;
      }
      if (!fail && why.includes("is not supported")) unsupported.push(why);
      else if ((why !== "") === fail && !why.startsWith("not an")) equal++;
      else differences.push(`${schema}: ${why} ${doc}`);
    }
    console.log(`image-spec cases: ${equal} equal, ${unsupported.length} with another digest algorithm refused`);
    expect(differences).toEqual([]);
  });
});

describe("documents", () => {
  it("survive parsing and writing unchanged", () => {
    expect(parseManifest(serializeManifest(manifest))).toEqual(manifest);
    expect(parseIndex(serializeIndex(index))).toEqual(index);
    expect(parseImageConfig(serializeImageConfig(config))).toEqual(config);
  });

  it("give the same bytes whatever the order of fields", () => {
    const turned = Object.fromEntries(Object.entries(manifest).toReversed());
    expect(serializeManifest(parseManifest(JSON.stringify(turned)))).toBe(serializeManifest(manifest));
    expect(serializeManifest(manifest)).toMatch(/^\{"schemaVersion":2,"mediaType":/);
  });

  it("keep fields they do not know", () => {
    const text = `{"zeta":{"b":1,"a":[2]},"architecture":"amd64","os":"linux","container_config":{"Image":"x"},"rootfs":{"type":"layers","diff_ids":[]},"config":{"Future":true,"Volumes":null}}`;
    expect(serializeImageConfig(parseImageConfig(text))).toBe(
      `{"architecture":"amd64","os":"linux","config":{"Future":true},"rootfs":{"type":"layers","diff_ids":[]},"container_config":{"Image":"x"},"zeta":{"a":[2],"b":1}}`,
    );
  });

  it.each([
    ["not JSON", "{", "not JSON"],
    ["null", "null", "expected an object"],
    ["a duplicate key", `{"schemaVersion":2,"a":{"x":1,"\\u0078":2}}`, "`x` stands twice"],
    ["schema 1", `{"schemaVersion":1,"fsLayers":[]}`, "schema 1"],
    ["an index", serializeIndex(index), "this is an image index"],
    ["both kinds", `{"schemaVersion":2,"manifests":[],"layers":[]}`, "both a manifest and an index"],
    ["a wrong size", JSON.stringify({ ...manifest, layers: [{ ...layer, size: -1 }] }), "layers[0].size"],
    ["a huge size", serializeManifest(manifest).replace(`"size":5`, `"size":9007199254740993`), "below 2^53"],
    ["a fraction", JSON.stringify({ ...manifest, config: { ...layer, size: 1.5 } }), "config.size"],
    ["a bad digest", JSON.stringify({ ...manifest, config: { ...layer, digest: "sha256:../../x" } }), "config.digest"],
    ["no layers", JSON.stringify({ ...manifest, layers: [] }), "at least one layer"],
    ["a foreign type", JSON.stringify({ ...manifest, mediaType: MEDIA_TYPES.ociIndex }), "mediaType"],
    ["deep nesting", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`, "64 levels"],
    ["five MiB", `{"a":"${"x".repeat(5 << 20)}"}`, "larger than"],
  ])("a manifest that is %s is refused", (_name, text, why) => {
    expect(messageOf(() => parseManifest(text))).toContain(why);
  });

  it("are told apart by their fields", () => {
    expect(parseManifestOrIndex(serializeIndex(index)).kind).toBe("index");
    expect(parseManifestOrIndex(serializeManifest(manifest)).kind).toBe("manifest");
    expect(parseManifest(JSON.stringify({ ...manifest, layers: [] }), { allowNoLayers: true }).layers).toEqual([]);
  });

  it("a key named __proto__ is only a key", () => {
    const text = `{"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]},"config":{"Labels":{"__proto__":"x"}}}`;
    expect(serializeImageConfig(parseImageConfig(text))).toContain(`{"__proto__":"x"}`);
  });
});
