// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { openStore } from "../store/index.ts";
import type { Engine } from "./facade.ts";
import { openEngine } from "./open.ts";

const TYPE = "application/vnd.tare.gpu-data.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

let root: string;
let engine: Engine;
let registry: FakeRegistry;

beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-gpu-data-"));
  registry = await FakeRegistry.open();
  engine = openEngine({ env: { TARE_SYNC: "none", HOME: root }, cwd: root, root });
});

afterEach(async () => {
  engine.close();
  await registry.close();
  fs.rmSync(root, { recursive: true, force: true });
});

/** The shipped data with another version, and a driver that nobody else knows. */
async function dataOf(version: string): Promise<Buffer> {
  const document = JSON.parse(await engine.gpuData.document()) as { version: string; drivers: object[] };
  document.version = version;
  document.drivers.push({ branch: 9000, cuda: "99.0", source: ["driver-branches"] });
  return Buffer.from(JSON.stringify(document));
}

function update(bytes: Buffer, force = false): ReturnType<Engine["gpuData"]["update"]> {
  return engine.gpuData.update({ source: { kind: "bytes", bytes, name: "new.json" }, force });
}

async function driver9000(): Promise<string> {
  return (await engine.gpuData.lookUp("driver", "9000")).kind;
}

describe("compatibility data in the store", () => {
  it("is what came with the program until somebody brings newer data, and after a reset", async () => {
    const shipped = await engine.gpuData.show();
    expect(shipped.origin).toBe("shipped");
    expect(fs.existsSync(join(root, "v1"))).toBe(false);
    const bytes = await dataOf("9999.1");
    const { before, after } = await update(bytes);
    expect(before).toEqual(shipped);
    expect(after).toMatchObject({ origin: "updated", version: "9999.1", from: "new.json", digest: digestOf(bytes) });
    expect(after.counts["drivers"]).toBe((shipped.counts["drivers"] ?? 0) + 1);
    expect(await engine.gpuData.show()).toEqual(after);
    expect(await engine.gpuData.lookUp("driver", "9000")).toMatchObject({ kind: "driver", cuda: "99.0" });
    expect((await engine.gpuData.reset()).after).toEqual(shipped);
    expect(await engine.gpuData.show()).toEqual(shipped);
  });

  it("refuses older data unless it is forced, and then keeps to it", async () => {
    const old = await dataOf("1.0");
    await expect(update(old)).rejects.toMatchObject({
      code: "E_GPU_DATA",
      message: expect.stringContaining("it is version 1.0") as string,
      hint: expect.stringContaining("--force") as string,
    });
    expect((await engine.gpuData.show()).origin).toBe("shipped");
    await update(old, true);
    expect(await engine.gpuData.show()).toMatchObject({ origin: "updated", version: "1.0" });
  });

  it("is the newest of updates at the same time", async () => {
    const both = await Promise.all(["9999.1", "9999.2", "9999.3"].map(dataOf));
    const ends = await Promise.allSettled(both.toReversed().map((bytes) => update(bytes)));
    expect((await engine.gpuData.show()).version).toBe("9999.3");
    expect(ends[0]?.status).toBe("fulfilled");
  });

  it.each([
    ["half a document", (text: string) => text.slice(0, text.length / 2)],
    ["another schema", (text: string) => text.replace('"schema":1', '"schema":2')],
    ["an unknown member", (text: string) => text.replace('{"schema"', '{"extra":1,"schema"')],
    ["nothing", () => ""],
  ])("changes nothing for %s", async (_name, damage) => {
    await update(await dataOf("9999.1"));
    const bytes = Buffer.from(damage((await dataOf("9999.2")).toString()));
    await expect(update(bytes, true)).rejects.toMatchObject({ code: "E_GPU_DATA" });
    expect((await engine.gpuData.show()).version).toBe("9999.1");
  });

  it("gives way to a newer program's data, and can be replaced when it is of a schema of the future", async () => {
    await update(await dataOf("9999.1"));
    const write = (change: (kept: Record<string, unknown>) => Record<string, unknown>): void => {
      engine.close();
      const store = openStore({ root, sync: "none" });
      store.documents<Record<string, unknown>>("gpu-data").update("current", change);
      store.close();
      engine = openEngine({ env: { TARE_SYNC: "none", HOME: root }, cwd: root, root });
    };
    write((kept) => ({ ...kept, data: { ...(kept["data"] as object), version: "1.0" } }));
    expect((await engine.gpuData.show()).origin).toBe("shipped");
    write((kept) => ({ ...kept, data: { schema: 2 } }));
    await expect(engine.gpuData.show()).rejects.toMatchObject({ code: "E_GPU_DATA" });
    expect((await engine.gpuData.reset()).after.origin).toBe("shipped");
  });
});

describe("compatibility data at a registry", () => {
  it("is pushed as an artifact and taken from it with its digests", async () => {
    const reference = `${registry.host}/team/gpu-data:1`;
    const bytes = await dataOf("9999.1");
    const pushed = await engine.gpuData.push({ reference, bytes });
    const manifest = JSON.parse(String(registry.manifests.get("team/gpu-data:1")?.bytes)) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      artifactType: TYPE,
      config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2 },
      layers: [
        {
          mediaType: TYPE,
          digest: digestOf(bytes),
          annotations: { "org.opencontainers.image.title": "gpu-data.json" },
        },
      ],
    });
    await engine.gpuData.update({ source: { kind: "reference", reference }, force: false });
    expect(await engine.gpuData.show()).toMatchObject({ version: "9999.1", from: reference, digest: digestOf(bytes) });
    expect(await driver9000()).toBe("driver");
    const pinned = `${registry.host}/team/gpu-data@${pushed.digest}`;
    await engine.gpuData.update({ source: { kind: "reference", reference: pinned }, force: false });
  });

  it("is what is in use when no file is given, and never data that can't be read", async () => {
    const reference = `${registry.host}/team/gpu-data:1`;
    await engine.gpuData.push({ reference });
    const { after } = await engine.gpuData.update({ source: { kind: "reference", reference }, force: false });
    expect(after.counts).toEqual((await engine.gpuData.reset()).after.counts);
    await expect(engine.gpuData.push({ reference, bytes: Buffer.from("{}") })).rejects.toMatchObject({
      code: "E_GPU_DATA",
    });
    await expect(engine.gpuData.push({ reference: `${registry.host}/a@${digestOf("x")}` })).rejects.toMatchObject({
      code: "E_REF",
    });
  });

  it("may be pushed by other tools: the layer's type says what it is", async () => {
    const bytes = await dataOf("9999.1");
    const layer = { mediaType: TYPE, digest: registry.addBlob("team/data", bytes), size: bytes.length };
    put("team/data", { layers: [layer] });
    await engine.gpuData.update({
      source: { kind: "reference", reference: `${registry.host}/team/data` },
      force: false,
    });
    expect(await driver9000()).toBe("driver");
  });

  it.each([
    ["an image", { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }, "E_GPU_DATA"],
    ["a wrong digest", { digest: digestOf("other") }, "E_REGISTRY_NOTFOUND"],
    ["a size that is too small", { size: 10 }, "E_DIGEST_MISMATCH"],
    ["a size beyond all measure", { size: 2 ** 40 }, "E_GPU_DATA"],
  ])("is refused as %s", async (_name, change, code) => {
    const bytes = await dataOf("9999.1");
    const layer = { mediaType: TYPE, digest: registry.addBlob("team/data", bytes), size: bytes.length };
    put("team/data", { layers: [{ ...layer, ...change }] });
    const source = { kind: "reference", reference: `${registry.host}/team/data` } as const;
    await expect(engine.gpuData.update({ source, force: false })).rejects.toMatchObject({ code });
    expect((await engine.gpuData.show()).origin).toBe("shipped");
  });

  it("is refused when the registry gives other bytes", async () => {
    const bytes = await dataOf("9999.1");
    const layer = { mediaType: TYPE, digest: registry.addBlob("team/data", bytes), size: bytes.length };
    registry.blobs.set(layer.digest, Buffer.from(bytes.toString().replace("9999.1", "9999.7")));
    put("team/data", { layers: [layer] });
    const source = { kind: "reference", reference: `${registry.host}/team/data` } as const;
    await expect(engine.gpuData.update({ source, force: false })).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
  });

  function put(repository: string, members: object): void {
    const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 };
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, ...members };
    registry.addManifest(repository, "latest", { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MANIFEST });
  }
});
