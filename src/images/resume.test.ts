// SPDX-License-Identifier: Apache-2.0
/* Transfers that somebody ended, and several of the same blob at once. */
import { randomFillSync } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tarOf } from "../../test/support/hostile-case.ts";
import { digestOf, hexOf } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { RegistryClient } from "../registry/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { pullImage } from "./pull.ts";

const PLATFORM = { os: "linux", architecture: "amd64" };
let folder = "";
let registry: FakeRegistry;
const stores: Store[] = [];

beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-resume-"));
  registry = await FakeRegistry.open();
});
afterEach(async () => {
  for (const opened of stores.splice(0)) opened.close();
  await registry.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(): Store {
  const opened = openStore({ root: join(folder, "store"), sync: "none" });
  stores.push(opened);
  return opened;
}

function pull(into: Store, signal?: AbortSignal): ReturnType<typeof pullImage> {
  const client = new RegistryClient(registry.host, { transport: new HttpClient({ env: {}, retries: 1 }) });
  const source = { client, repository: "a", tag: "1" };
  return pullImage(into, source, { platform: PLATFORM, names: ["a:1"], ...(signal && { signal }) });
}

/** An image of one layer of some 8 MB in the registry; the layer. */
async function publish({ isPlain = false, times = 1 } = {}): Promise<Buffer> {
  const tar = await tarOf({ data: randomFillSync(Buffer.alloc(6_000_000)).toString("base64") });
  const layer = isPlain ? tar : gzipSync(tar, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      ...PLATFORM,
      config: {},
      rootfs: { type: "layers", diff_ids: Array.from({ length: times }, () => digestOf(tar)) },
    }),
  );
  const describeBlob = (mediaType: string, bytes: Buffer): object => {
    return { mediaType, digest: registry.addBlob("a", bytes), size: bytes.length };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: describeBlob(MEDIA_TYPES.ociConfig, config),
    layers: Array.from({ length: times }, () =>
      describeBlob(isPlain ? MEDIA_TYPES.ociLayer : MEDIA_TYPES.ociLayerGzip, layer),
    ),
  };
  registry.addManifest("a", "1", { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA_TYPES.ociManifest });
  return layer;
}

/** Sends the first bytes of a layer and then nothing more, once. */
function stallAt(layer: Buffer, sent: number, onStall: () => void): void {
  let isFirst = true;
  registry.intercept = ({ method, path }, response) => {
    if (method !== "GET" || !path.endsWith(digestOf(layer)) || !isFirst) return false;
    isFirst = false;
    response.writeHead(200, { "content-length": layer.length });
    response.write(layer.subarray(0, sent), () => setTimeout(onStall, 100));
    return true;
  };
}

const asked = (layer: Buffer): readonly (string | undefined)[] =>
  registry.seen.filter(({ path }) => path.endsWith(digestOf(layer))).map(({ headers }) => headers.range);
const ingest = (): readonly string[] => fs.readdirSync(join(folder, "store/v1/ingest"));

describe("a pull that was interrupted", () => {
  it("goes on where it was", async () => {
    const layer = await publish();
    const control = new AbortController();
    stallAt(layer, 5_000_000, () => control.abort());
    const store = newStore();
    await expect(pull(store, control.signal)).rejects.toThrow();
    expect(ingest()).toEqual([hexOf(digestOf(layer))]);
    const { record } = await pull(store);
    expect(store.contentOf(record).missing).toEqual([]);
    expect(asked(layer)).toEqual([undefined, "bytes=5000000-"]);
    expect(ingest()).toEqual([]);
  });

  it("asks for the space of what is still to come", async () => {
    const layer = await publish();
    const control = new AbortController();
    stallAt(layer, 5_000_000, () => control.abort());
    const store = newStore();
    const asks = vi.spyOn(store, "requireSpace");
    await expect(pull(store, control.signal)).rejects.toThrow();
    await pull(store);
    await pull(store);
    expect(asks.mock.calls.map(([size]) => size)).toEqual([layer.length, layer.length - 5_000_000, 0]);
  });

  it("fetches again what the disk has spoiled meanwhile", async () => {
    const layer = await publish();
    const control = new AbortController();
    stallAt(layer, 5_000_000, () => control.abort());
    const store = newStore();
    await expect(pull(store, control.signal)).rejects.toThrow();
    const file = fs.openSync(join(folder, "store/v1/ingest", hexOf(digestOf(layer)), "data"), "r+");
    fs.writeSync(file, Buffer.alloc(1000), 0, 1000, 3_000_000);
    fs.closeSync(file);
    const { record } = await pull(store);
    expect(store.contentOf(record).missing).toEqual([]);
    expect(asked(layer)).toEqual([undefined, "bytes=5000000-", undefined]);
  });

  it("leaves nothing of a layer that lied", async () => {
    const layer = await publish();
    registry.blobs.set(digestOf(layer), Buffer.from(layer).fill(0, 4_000_000, 4_000_100));
    await expect(pull(newStore())).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    expect(ingest()).toEqual([]);
  });
});

describe("a pull", () => {
  it.each([
    ["a layer that is listed twice", { times: 2 }],
    ["a plain tar, of which the store keeps the tree alone", { isPlain: true }],
  ])("needs space once for %s", async (_, form) => {
    const layer = await publish(form);
    const store = newStore();
    const asks = vi.spyOn(store, "requireSpace");
    await pull(store);
    await pull(store);
    expect(asks.mock.calls.map(([size]) => size)).toEqual([layer.length, 0]);
  });
});

describe("two pulls of the same image", () => {
  it("fetch each blob once", async () => {
    const layer = await publish();
    registry.intercept = async ({ method, path }) => {
      if (method === "GET" && path.endsWith(digestOf(layer))) await new Promise((done) => setTimeout(done, 200));
      return false;
    };
    const [one, two] = [newStore(), newStore()];
    const [first, second] = await Promise.all([pull(one), pull(two)]);
    expect(first.record.target).toBe(second.record.target);
    expect(asked(layer)).toEqual([undefined]);
  });
});
