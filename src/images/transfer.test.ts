// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../archive/index.ts";
import { digestOf } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { MEDIA_TYPES, parseManifest, serializeIndex } from "../oci/index.ts";
import { RegistryClient } from "../registry/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { openStore } from "../store/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { pullImage } from "./pull.ts";
import { NO_WHEELS } from "./compress-layer.ts";
import { pushImage } from "./push.ts";
import type { PushOptions } from "./push.ts";
import { writeImage } from "./write-image.ts";
import type { TransferEvent } from "./transfer.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };
let folder = "";
let registry: FakeRegistry;
let client: RegistryClient;
let store: Store;
let count = 0;
const stores: Store[] = [];

beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-transfer-"));
  registry = await FakeRegistry.open();
  client = new RegistryClient(registry.host, { transport: new HttpClient({ env: {}, retries: 1 }) });
  store = newStore();
});
afterEach(async () => {
  for (const opened of stores.splice(0)) opened.close();
  await registry.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(): Store {
  count += 1;
  const opened = openStore({ root: join(folder, `store-${count}`), sync: "none" });
  stores.push(opened);
  return opened;
}

async function makeLayer(name: string, text: string): Promise<DiffId> {
  const staging = store.layers.stage();
  fs.writeFileSync(join(staging.tree, name), text);
  const clamp = { after: 0, to: 0 };
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = await packTree(staging.tree, undefined, {
    clamp,
  });
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

async function makeImage(texts: readonly string[], platform = AMD64): Promise<ImageRecord> {
  const layers: DiffId[] = [];
  for (const [index, text] of texts.entries()) layers.push(await makeLayer(`file-${index}`, text));
  const written = writeImage(store, { config: { ...platform, config: { Cmd: ["sh"] } }, layers });
  const image = { target: written.manifest, mediaType: written.mediaType, id: written.config };
  return store.images.put(image, []);
}

function push(record: ImageRecord, repository: string, options: PushOptions = {}): ReturnType<typeof pushImage> {
  return pushImage(store, record, { client, repository, tag: "1" }, options);
}

function pull(into: Store, repository: string, platform = AMD64): ReturnType<typeof pullImage> {
  const names = [`${registry.host}/${repository}:1`];
  return pullImage(into, { client, repository, tag: "1" }, { platform, names });
}

const verbs = (): readonly string[] => registry.log().map((line) => line.split(" ")[0] ?? "");

describe("push", () => {
  it("sends layers compressed, with the same config and diffIDs", async () => {
    const record = await makeImage(["one", "two"]);
    const pushed = await push(record, "a");
    const stored = registry.manifests.get(`a@${pushed.digest}`);
    const manifest = parseManifest(stored?.bytes.toString() ?? "");
    expect(pushed.wasThere).toBe(false);
    expect(manifest.config.digest).toBe(record.id);
    expect(manifest.layers.map((layer) => layer.mediaType)).toEqual([
      MEDIA_TYPES.ociLayerGzip,
      MEDIA_TYPES.ociLayerGzip,
    ]);
    const diffIds = store.contentOf(record).diffIds;
    const unpacked = manifest.layers.map(({ digest }) => zlib.gunzipSync(registry.blobs.get(digest) ?? ""));
    expect(unpacked.map((tar) => digestOf(tar))).toEqual(diffIds);
  });

  it("asks one question the second time, and only for what changed after a change", async () => {
    const record = await makeImage(["one", "two"]);
    await push(record, "a");
    registry.seen.splice(0);
    expect((await push(record, "a")).wasThere).toBe(true);
    expect(verbs()).toEqual(["HEAD"]);
    registry.seen.splice(0);
    const events: TransferEvent[] = [];
    await push(await makeImage(["one", "three"]), "a", { listener: (event) => void events.push(event) });
    // HEADs of both layers and the config; POST, PUT of the second; POST and PUT of the config; the manifest.
    expect(verbs().toSorted()).toEqual(["HEAD", "HEAD", "HEAD", "POST", "POST", "PUT", "PUT", "PUT"]);
    const ends = events.flatMap((event) => (event.kind === "end" ? [event.outcome] : []));
    expect(ends.toSorted()).toEqual(["exists", "pushed", "pushed"]);
  });

  it("mounts layers from other repositories, and sends what is gone from there", async () => {
    const record = await makeImage(["one"]);
    const { digest } = await push(record, "a");
    registry.seen.splice(0);
    expect((await push(record, "b")).digest).toBe(digest);
    expect(registry.log().some((line) => line.includes("mount=") && line.includes("from=a"))).toBe(true);
    expect(verbs()).not.toContain("PATCH");
    registry.blobs.clear();
    registry.owners.clear();
    expect((await push(record, "c")).digest).toBe(digest);
  });

  it.each([
    ["zstd", MEDIA_TYPES.ociLayerZstd],
    ["none", MEDIA_TYPES.ociLayer],
  ] as const)("compresses with %s where that is asked for", async (compression, mediaType) => {
    const record = await makeImage(["one"]);
    await push(record, "a", { compression });
    const manifest = parseManifest(registry.manifests.get("a:1")?.bytes.toString() ?? "");
    expect(manifest.layers[0]?.mediaType).toBe(mediaType);
    const other = newStore();
    expect((await pull(other, "a")).record.id).toBe(record.id);
  });

  it("makes the same bytes of the same layer, and knows those of wheels before it asks", async () => {
    const record = await makeImage(["one"]);
    let opened = 0;
    const files = async (): Promise<undefined> => {
      opened += 1;
    };
    const { digest } = await push(record, "a", { wheels: { ...NO_WHEELS, has: async () => true, open: files, files } });
    expect(opened).toBe(2);
    const manifest = parseManifest(registry.manifests.get("a:1")?.bytes.toString() ?? "");
    expect(registry.log()).toContain(`HEAD /v2/a/blobs/${manifest.layers[0]?.digest}`);
    registry.blobs.clear();
    registry.owners.clear();
    expect((await push(await makeImage(["one"]), "b")).digest).toBe(digest);
  });

  it("sends an index for several platforms, and one of them alone", async () => {
    const [amd, arm] = [await makeImage(["one"]), await makeImage(["two"], ARM64)];
    const children = [
      { image: amd, platform: AMD64 },
      { image: arm, platform: ARM64 },
    ].map(({ image, platform }) => {
      const { digest, size } = store.blobs.stat(image.target) ?? { digest: image.target, size: 0 };
      return { mediaType: MEDIA_TYPES.ociManifest, digest, size, platform };
    });
    const index = store.blobs.writeBytes(
      serializeIndex({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: children }),
    );
    const record = store.images.put({ target: index.digest, mediaType: MEDIA_TYPES.ociIndex, id: amd.id }, []);
    await push(record, "a");
    expect(registry.manifests.get("a:1")?.mediaType).toBe(MEDIA_TYPES.ociIndex);
    const other = newStore();
    expect((await pull(other, "a")).record.id).toBe(amd.id);
    expect(other.layers.list()).toHaveLength(1);
    expect((await pull(other, "a", ARM64)).record.id).toBe(arm.id);
    expect(other.layers.list()).toHaveLength(2);
    await push(record, "b", { platforms: [ARM64] });
    expect(parseManifest(registry.manifests.get("b:1")?.bytes.toString() ?? "").config.digest).toBe(arm.id);
    const missing = push(record, "c", { platforms: [{ os: "linux", architecture: "s390x" }] });
    await expect(missing).rejects.toMatchObject({ code: "E_PLATFORM" });
  });

  it("sends a layer that several platforms share once", async () => {
    const images = [];
    for (const platform of [AMD64, ARM64]) {
      const { target } = await makeImage(["shared", platform.architecture], platform);
      const { size } = store.blobs.stat(target) ?? expect.unreachable();
      images.push({ mediaType: MEDIA_TYPES.ociManifest, digest: target, size, platform });
    }
    const text = serializeIndex({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: images });
    const index = store.blobs.writeBytes(text);
    const record = { target: index.digest, mediaType: MEDIA_TYPES.ociIndex };
    const { layers } = await pushImage(store, record, { client, repository: "a", tag: "1" });
    expect(layers.map(({ diffId }) => diffId).toSorted()).toEqual(
      [...new Set(layers.map(({ diffId }) => diffId))].toSorted(),
    );
    expect(layers).toHaveLength(3);
  });

  it("stops everything when one layer fails, with that layer's error", async () => {
    const record = await makeImage(["one", "two", "three"]);
    registry.intercept = ({ method }, response) => {
      if (method !== "POST") return false;
      response.writeHead(403).end();
      return true;
    };
    await expect(push(record, "a")).rejects.toMatchObject({ code: "E_REGISTRY_DENIED" });
    expect(registry.manifests.size).toBe(0);
  });

  it("sends a large layer while it is compressed", async () => {
    const text = Array.from({ length: 80_000 }, (_, line) => `line ${line} ${line * 7919}\n`).join("");
    const record = await makeImage([text.repeat(4)]);
    const { digest } = await push(record, "a");
    expect(verbs()).toContain("PATCH");
    registry.seen.splice(0);
    registry.manifests.clear();
    expect((await push(record, "a")).digest).toBe(digest);
    expect(verbs()).not.toContain("PATCH");
  });

  it("sends nothing of a tree that was changed", async () => {
    const record = await makeImage(["one"]);
    const [layer] = store.layers.list();
    fs.writeFileSync(join(layer?.tree ?? "", "file-0"), "two");
    await expect(push(record, "a")).rejects.toMatchObject({ code: "E_STORE_DAMAGED" });
    expect(registry.manifests.size).toBe(0);
  });

  it("ends with an abort", async () => {
    const record = await makeImage(["one"]);
    const control = new AbortController();
    registry.intercept = ({ method }) => {
      if (method === "PUT") control.abort();
      return method === "PUT";
    };
    await expect(push(record, "a", { signal: control.signal })).rejects.toThrow();
    expect(registry.manifests.size).toBe(0);
  });
});

describe("pull", () => {
  it("brings what push sent, with equal digest, and asks one question the second time", async () => {
    const record = await makeImage(["one", "two"]);
    const { digest } = await push(record, "a");
    const other = newStore();
    const first = await pull(other, "a");
    expect(first).toMatchObject({ wasThere: false, record: { target: digest, id: record.id } });
    expect(other.contentOf(first.record).missing).toEqual([]);
    registry.seen.splice(0);
    expect((await pull(other, "a")).wasThere).toBe(true);
    expect(verbs()).toEqual(["HEAD"]);
  });

  it("is pushed again byte for byte, plain layers too", async () => {
    const record = await makeImage(["one"]);
    const { digest } = await push(record, "a", { compression: "none" });
    const other = newStore();
    const { record: pulled } = await pull(other, "a");
    const again = await pushImage(other, pulled, { client, repository: "b", tag: "1" });
    expect(again.digest).toBe(digest);
  });

  it("refuses a layer with other bytes than announced, and names nothing", async () => {
    const record = await makeImage(["one"]);
    await push(record, "a");
    for (const [digest, bytes] of registry.blobs) {
      if (digest !== record.id) registry.blobs.set(digest, Buffer.from(bytes).fill(0, 12, 14));
    }
    const other = newStore();
    await expect(pull(other, "a")).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    expect(other.images.list()).toEqual([]);
  });

  it("goes on where a transfer broke", async () => {
    const record = await makeImage([Buffer.alloc(600_000, "abcdefg").toString("base64")]);
    await push(record, "a", { compression: "none" });
    let breaks = 1;
    registry.intercept = ({ method, path }, response) => {
      const bytes = registry.blobs.get(path.split("/").at(-1) ?? "");
      if (method !== "GET" || !bytes || bytes.length < 500_000 || breaks === 0) return false;
      breaks -= 1;
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 400_000), () => response.destroy());
      return true;
    };
    const other = newStore();
    expect((await pull(other, "a")).record.id).toBe(record.id);
    expect(registry.seen.flatMap(({ headers }) => headers.range ?? [])).toHaveLength(1);
  });

  it("of a name that is not there says so", async () => {
    await expect(pull(store, "none")).rejects.toMatchObject({ code: "E_REGISTRY_NOTFOUND" });
  });
});
