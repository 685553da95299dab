// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, isTareError, writeToPath } from "../../base/index.ts";
import { HttpClient } from "../../http/index.ts";
import { parsePlatform } from "../../oci/index.ts";
import { FakeRegistry } from "../../registry/fixture.ts";
import type { FakeOptions } from "../../registry/fixture.ts";
import { RegistryClient } from "../../registry/index.ts";
import { openStore } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { openSource } from "../load.ts";
import { intoArchive } from "./archive-target.ts";
import { copyImage } from "./copy-image.ts";
import type { CopiedImage, CopyOptions } from "./copy-image.ts";
import { dockerSource } from "./docker-source.ts";
import { Maker, putImage } from "../../../test/support/copied-image.ts";
import { layoutSource } from "./layout-source.ts";
import { intoLayoutFolder } from "./layout-target.ts";
import { registrySource, registryTarget } from "./registry-places.ts";
import { storeSource, storeTarget } from "./store-places.ts";
import type { ImageSource, ImageTarget } from "./types.ts";

const AMD64 = parsePlatform("linux/amd64", { os: "linux", architecture: "amd64" });
const ARM64 = parsePlatform("linux/arm64", { os: "linux", architecture: "amd64" });
const ALL: CopyOptions = { platforms: { kind: "all" }, referrers: false };
const HOST: CopyOptions = { platforms: { kind: "host", platform: AMD64 }, referrers: false };
const WITH_REFERRERS: CopyOptions = { ...ALL, referrers: true };
const NAME = "docker.io/library/app:1";

let folder = "";
let closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-copy-"));
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function openRegistry(options: FakeOptions = {}): Promise<{ registry: FakeRegistry; client: RegistryClient }> {
  const registry = await FakeRegistry.open(options);
  closers.push(() => registry.close());
  const transport = new HttpClient({ env: {}, retries: 0 });
  return { registry, client: new RegistryClient(registry.host, { transport, firstWaitMs: 1 }) };
}

function newStore(): Store {
  const store = openStore({ root: join(folder, `store-${closers.length}`), sync: "none" });
  closers.push(() => store.close());
  return store;
}

async function fromFile(path: string, kind: "oci" | "docker", wanted?: string): Promise<ImageSource> {
  const source = await openSource(path, fs.mkdtempSync(join(folder, "spool-")), undefined);
  closers.push(() => source.close());
  return kind === "oci" ? layoutSource(source, path, wanted) : dockerSource(source, path, wanted);
}

async function toArchive(
  source: ImageSource,
  path: string,
  format: "docker" | "oci",
  options: CopyOptions,
): Promise<CopiedImage> {
  let copied: CopiedImage | undefined;
  await writeToPath(path, async (sink) => {
    copied = await intoArchive(sink, { format, names: [NAME] }, (target) => copyImage(source, target, options));
  });
  if (!copied) throw new Error("nothing was copied");
  return copied;
}

async function toStore(source: ImageSource, store: Store, options: CopyOptions): Promise<CopiedImage> {
  const lease = store.lease();
  const target = storeTarget({ store, lease, names: [NAME], platform: AMD64 });
  try {
    return await copyImage(source, target, options);
  } finally {
    lease.release();
  }
}

async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; hint?: string | undefined }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isTareError(error)) return { code: error.code, message: error.message, hint: error.hint };
  throw new Error(`expected a TareError, got ${String(error)}`);
}

describe("a copy from registry to registry", () => {
  it.each([
    ["with the referrers API on both sides", "pages", "whole"],
    ["from the API to the tag", "whole", "none"],
    ["from the tag to the API", "none", "whole"],
  ] as const)("brings all platforms and what refers to them, %s", async (_, from, to) => {
    const a = await openRegistry({ referrers: from });
    const b = await openRegistry({ referrers: to });
    const image = await putImage(a.registry, "app");
    if (from === "none") {
      // Nobody lists them but who pushed them.
      for (const each of [image.sbom, image.signature]) {
        const { bytes, mediaType } = await a.client.getManifest("app", each.digest);
        await a.client.putReferrer("app", { bytes, mediaType });
      }
    }
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const target = registryTarget({ ...b, repository: "team/app", tag: "2" });
    const copied = await copyImage(source, target, WITH_REFERRERS);
    expect(copied).toMatchObject({ digest: image.index.digest, referrers: 2, wasThere: false });
    for (const each of [image.index, image.amd64, image.arm64, image.attestation, image.sbom, image.signature]) {
      expect(b.registry.manifests.has(`team/app@${each.digest}`)).toBe(true);
    }
    expect((await b.client.getManifest("team/app", "2")).digest).toBe(image.index.digest);
    expect(await b.client.referrers("team/app", image.index.digest)).toMatchObject([{ digest: image.sbom.digest }]);
    expect(await b.client.referrers("team/app", image.sbom.digest)).toMatchObject([{ digest: image.signature.digest }]);
  });

  it("takes this machine's platform alone, or those that are asked for with their attestations", async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putImage(a.registry, "app");
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const to = (tag: string): ImageTarget => registryTarget({ ...b, repository: "app", tag });
    const own = await copyImage(source, to("own"), HOST);
    expect(own).toMatchObject({ digest: image.amd64.digest, blobs: { copied: 2, existing: 0 } });
    const arm = await copyImage(source, to("arm"), {
      platforms: { kind: "these", platforms: [ARM64] },
      referrers: false,
    });
    expect(arm.digest).toBe(image.arm64.digest);
    const platforms = { kind: "these", platforms: [AMD64, ARM64] } as const;
    await copyImage(source, to("both"), { platforms, referrers: false });
    const { bytes } = await b.client.getManifest("app", "both");
    const index = JSON.parse(bytes.toString()) as { manifests: { digest: string }[] };
    expect(index.manifests.map(({ digest }) => digest)).toEqual([
      image.amd64.digest,
      image.arm64.digest,
      image.attestation.digest,
    ]);
  });

  it("sends nothing twice: two questions for what is there", async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    await putImage(a.registry, "app");
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const target = registryTarget({ ...b, repository: "app", tag: "1" });
    expect((await copyImage(source, target, ALL)).blobs).toEqual({ copied: 6, mounted: 0, existing: 0 });
    b.registry.seen.splice(0);
    b.registry.received = 0;
    expect(await copyImage(source, target, ALL)).toMatchObject({ wasThere: true, bytes: 0, blobs: { copied: 0 } });
    expect(b.registry.log().map((line) => line.split(" ")[0])).toEqual(["HEAD", "HEAD"]);
    expect(b.registry.received).toBe(0);
    b.registry.manifests.clear();
    expect((await copyImage(source, target, ALL)).blobs).toEqual({ copied: 0, mounted: 0, existing: 6 });
  });

  it("goes on when either side breaks off in the middle of a layer", { timeout: 60_000 }, async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putLarge(new Maker(a.registry, "app"));
    let breaks = 0;
    a.registry.intercept = (request, response) => {
      const isBody = request.method === "GET" && request.path.includes(image.layer);
      if (!isBody || request.headers.range !== undefined) return false;
      breaks += 1;
      const bytes = a.registry.blobs.get(image.layer) ?? Buffer.alloc(0);
      response.writeHead(200, { "content-length": String(bytes.length) });
      response.write(bytes.subarray(0, 9_000_000), () => response.destroy());
      return true;
    };
    b.registry.intercept = (request, _, message) => {
      if (request.method !== "PATCH" || breaks > 1) return false;
      breaks += 1;
      message.destroy();
      return true;
    };
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const copied = await copyImage(source, registryTarget({ ...b, repository: "app", tag: "1" }), HOST);
    expect(copied.digest).toBe(image.manifest);
    expect(breaks).toBe(2);
    expect(b.registry.blobs.get(image.layer)).toEqual(a.registry.blobs.get(image.layer));
  });

  it("goes on where a copy was stopped: what was sent is not sent again", { timeout: 60_000 }, async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putLarge(new Maker(a.registry, "app"));
    const store = newStore();
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const target = registryTarget({ ...b, repository: "app", tag: "1" }, store);
    const control = new AbortController();
    let chunks = 0;
    b.registry.intercept = (request) => {
      if (request.method === "PATCH" && (chunks += 1) === 3) control.abort();
      return false;
    };
    await expect(copyImage(source, target, { ...HOST, signal: control.signal })).rejects.toThrow();
    b.registry.intercept = undefined;
    b.registry.received = 0;
    expect((await copyImage(source, target, HOST)).digest).toBe(image.manifest);
    expect(b.registry.received).toBeLessThan(8 << 20);
    expect(b.registry.blobs.get(image.layer)).toEqual(a.registry.blobs.get(image.layer));
  });

  it("mounts blobs within one registry", async () => {
    const { registry, client } = await openRegistry();
    await putImage(registry, "app");
    const source = registrySource({ client, repository: "app", tag: "1" }, [NAME]);
    const target = registryTarget({ client, repository: "other", tag: "1" });
    expect((await copyImage(source, target, ALL)).blobs).toEqual({ copied: 0, mounted: 6, existing: 0 });
    expect(registry.log().filter((line) => /^GET .*blobs/.test(line))).toEqual([]);
  });
});

/** An image whose layer is sent in chunks. */
async function putLarge(maker: Maker): Promise<{ readonly layer: string; readonly manifest: string }> {
  const small = await maker.image("amd64");
  const layer = maker.blob(small.layer.mediaType, randomBytes(20 << 20));
  const { manifest } = await maker.image("amd64");
  const document = { schemaVersion: 2, mediaType: manifest.mediaType, config: small.config, layers: [layer] };
  return { layer: layer.digest, manifest: maker.document(document, "1").digest };
}

describe("a copy over folders, archives and the store", () => {
  it("comes back with the same digests", async () => {
    const a = await openRegistry({ referrers: "whole" });
    const b = await openRegistry({ referrers: "whole" });
    const image = await putImage(a.registry, "app");
    const layout = join(folder, "layout");
    await intoLayoutFolder(layout, { tag: "1", names: [] }, (target) =>
      copyImage(registrySource({ ...a, repository: "app", tag: "1" }, [NAME]), target, WITH_REFERRERS),
    );
    const archive = join(folder, "a.tar");
    const again = await toArchive(await fromFile(layout, "oci", "1"), archive, "oci", WITH_REFERRERS);
    expect(again).toMatchObject({ digest: image.index.digest, referrers: 2 });
    // One image, although what refers to it stands in the index too.
    const last = await copyImage(
      await fromFile(archive, "oci"),
      registryTarget({ ...b, repository: "app", tag: "1" }),
      WITH_REFERRERS,
    );
    expect(last).toMatchObject({ digest: image.index.digest, referrers: 2 });
    expect(await b.client.referrers("app", image.sbom.digest)).toMatchObject([{ digest: image.signature.digest }]);
  });

  it("brings what cosign attaches by tags", async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putImage(a.registry, "app");
    const maker = new Maker(a.registry, "app");
    const tag = (digest: string, kind: string): string => `${digest.replace(":", "-")}.${kind}`;
    const signature = (await maker.image("amd64", tag(image.index.digest, "sig"))).manifest;
    const statement = (await maker.image("arm64", tag(image.amd64.digest, "att"))).manifest;
    const layout = join(folder, "layout");
    await intoLayoutFolder(layout, { tag: "1", names: [] }, (target) =>
      copyImage(registrySource({ ...a, repository: "app", tag: "1" }, [NAME]), target, WITH_REFERRERS),
    );
    const target = registryTarget({ ...b, repository: "app", tag: "1" });
    const copied = await copyImage(await fromFile(layout, "oci"), target, WITH_REFERRERS);
    expect(copied).toMatchObject({ digest: image.index.digest, referrers: 2 });
    const at = async (name: string): Promise<string> => (await b.client.getManifest("app", name)).digest;
    expect(await at(tag(image.index.digest, "sig"))).toBe(signature.digest);
    expect(await at(tag(image.amd64.digest, "att"))).toBe(statement.digest);
    // Both are documents of the image too: a tag may name anything.
    expect([signature.digest, statement.digest]).toEqual([image.amd64.digest, image.arm64.digest]);
  });

  it("keeps the images of a folder, and gives a name to one of them", async () => {
    const a = await openRegistry();
    const first = await new Maker(a.registry, "one").image("amd64", "1");
    const second = await new Maker(a.registry, "two").image("arm64", "1");
    const layout = join(folder, "layout");
    const put = (repository: string, tag: string): Promise<CopiedImage> =>
      intoLayoutFolder(layout, { tag, names: [] }, (target) =>
        copyImage(registrySource({ ...a, repository, tag: "1" }, []), target, ALL),
      );
    await put("one", "x");
    await put("two", "y");
    const target = async (wanted: string): Promise<string> =>
      (await (await fromFile(layout, "oci", wanted)).target(new AbortController().signal)).digest;
    expect([await target("x"), await target("y")]).toEqual([first.manifest.digest, second.manifest.digest]);
    await put("two", "x");
    expect([await target("x"), await target("y")]).toEqual([second.manifest.digest, second.manifest.digest]);
    expect(await failureOf(fromFile(layout, "oci", "z"))).toMatchObject({
      code: "E_IMAGE_NOTFOUND",
      hint: "choose one of them after a colon: y, x",
    });
  });

  it("clears what a killed copy left in a folder", async () => {
    const a = await openRegistry();
    await new Maker(a.registry, "one").image("amd64", "1");
    const blobs = join(folder, "layout/blobs/sha256");
    fs.mkdirSync(blobs, { recursive: true });
    const [dead, alive] = [`${"a".repeat(64)}.4194999.partial`, `${"b".repeat(64)}.${process.pid}.partial`];
    for (const name of [dead, alive]) fs.writeFileSync(join(blobs, name), "half");
    await intoLayoutFolder(join(folder, "layout"), { tag: "1", names: [] }, (target) =>
      copyImage(registrySource({ ...a, repository: "one", tag: "1" }, []), target, ALL),
    );
    expect(fs.readdirSync(blobs)).toContain(alive);
    expect(fs.readdirSync(blobs)).not.toContain(dead);
  });

  it("goes into the store and out of it", async () => {
    const a = await openRegistry();
    const image = await putImage(a.registry, "app");
    const store = newStore();
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    expect(await toStore(source, store, ALL)).toMatchObject({ digest: image.index.digest, wasThere: false });
    const record = store.images.find(NAME);
    if (!record) throw new Error("no image");
    expect(record).toMatchObject({ target: image.index.digest, id: image.configs[0]?.digest });
    expect(store.contentOf(record).diffIds).toHaveLength(1);
    const layout = join(folder, "layout");
    const back = await intoLayoutFolder(layout, { names: [NAME] }, (target) =>
      copyImage(storeSource(store, record, "app:1"), target, ALL),
    );
    expect(back.digest).toBe(image.index.digest);
    expect((await fromFile(layout, "oci", "app:1")).names).toEqual([NAME]);
  });

  it("makes a docker archive, and takes its manifest from there again", async () => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putImage(a.registry, "app");
    const path = join(folder, "d.tar");
    await toArchive(registrySource({ ...a, repository: "app", tag: "1" }, [NAME]), path, "docker", HOST);
    const source = await fromFile(path, "docker", "app:1");
    expect(source.names).toEqual([NAME]);
    const copied = await copyImage(source, registryTarget({ ...b, repository: "app", tag: "1" }), HOST);
    expect(copied.digest).toBe(image.amd64.digest);
  });

  it("compresses plain layers of an archive without a manifest for a registry, and only for that", async () => {
    const a = await openRegistry();
    const made = await plainArchive(join(folder, "plain.tar"));
    const source = await fromFile(join(folder, "plain.tar"), "docker");
    await copyImage(source, registryTarget({ ...a, repository: "app", tag: "1" }), HOST);
    const { bytes } = await a.client.getManifest("app", "1");
    const manifest = JSON.parse(bytes.toString()) as {
      config: { digest: string };
      layers: { mediaType: string; digest: string }[];
    };
    expect(manifest.config.digest).toBe(made.config);
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(["application/vnd.oci.image.layer.v1.tar+gzip"]);
    const layout = join(folder, "layout");
    await intoLayoutFolder(layout, { tag: "1", names: [] }, (target) => copyImage(source, target, HOST));
    expect(fs.readdirSync(join(layout, "blobs/sha256"))).toContain(made.layer.slice("sha256:".length));
    const store = newStore();
    await toStore(source, store, HOST);
    expect(store.images.find(NAME)?.id).toBe(made.config);
  });
});

/** As `docker save` wrote it up to Docker 24. */
async function plainArchive(path: string): Promise<{ config: string; layer: string }> {
  const { TarWriter } = await import("../../archive/index.ts");
  const { tarOf } = await import("../../../test/support/copied-image.ts");
  const layer = await tarOf("hello", "plain\n".repeat(10_000));
  const rootfs = { type: "layers", diff_ids: [digestOf(layer)] };
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs }));
  const name = `${digestOf(config).slice(7)}.json`;
  const manifest = Buffer.from(JSON.stringify([{ Config: name, RepoTags: ["app:1"], Layers: ["x/layer.tar"] }]));
  await writeToPath(path, async (sink) => {
    const writer = new TarWriter(sink);
    for (const [file, bytes] of [
      [name, config],
      ["x/layer.tar", layer],
      ["manifest.json", manifest],
    ] as const) {
      await writer.entry({ type: "file", name: file, mode: 0o644, mtime: 0, size: bytes.length });
      await writer.write(bytes);
    }
    await writer.finish();
  });
  return { config: digestOf(config), layer: digestOf(layer) };
}

describe("a copy that is refused", () => {
  it.each([
    ["all platforms into a docker archive", "docker", ALL, "E_UNSUPPORTED", "holds one"],
    ["referrers into a docker archive", "docker", { ...HOST, referrers: true }, "E_UNSUPPORTED", "can't hold it"],
    [
      "a platform that the image lacks",
      "oci",
      { platforms: { kind: "these", platforms: [{ os: "linux", architecture: "s390x" }] }, referrers: false },
      "E_PLATFORM",
      "available: linux/amd64, linux/arm64",
    ],
  ] as const)("%s", async (_, format, options, code, words) => {
    const a = await openRegistry({ referrers: "whole" });
    await putImage(a.registry, "app");
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const path = join(folder, "x.tar");
    const failure = await failureOf(toArchive(source, path, format, options));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(fs.readdirSync(folder).filter((name) => name.startsWith("x.tar"))).toEqual([]);
  });

  it.each([
    ["other bytes", (bytes: Buffer) => Buffer.alloc(bytes.length, 1), "its bytes have the digest"],
    ["more bytes", (bytes: Buffer) => Buffer.concat([bytes, bytes]), "more than"],
  ] as const)("%s of a layer, and the target has no blob of them", async (_, lie, words) => {
    const a = await openRegistry();
    const b = await openRegistry();
    const image = await putImage(a.registry, "app");
    const [layer] = image.layers;
    if (!layer) throw new Error("no layer");
    a.registry.blobs.set(layer.digest, lie(a.registry.blobs.get(layer.digest) ?? Buffer.alloc(0)));
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const failure = await failureOf(copyImage(source, registryTarget({ ...b, repository: "app", tag: "1" }), HOST));
    expect(failure).toMatchObject({ code: "E_DIGEST_MISMATCH", message: expect.stringContaining(words) });
    expect(b.registry.blobs.has(layer.digest)).toBe(false);
    expect(b.registry.manifests.size).toBe(0);
    const layout = join(folder, "layout");
    const put = intoLayoutFolder(layout, { tag: "1", names: [] }, (target) => copyImage(source, target, HOST));
    expect(await failureOf(put)).toMatchObject({ code: "E_DIGEST_MISMATCH" });
    expect(fs.existsSync(join(layout, "index.json"))).toBe(false);
    expect(fs.readdirSync(join(layout, "blobs/sha256"))).not.toContain(layer.digest.slice(7));
  });

  it("a referrer that refers to something else", async () => {
    const a = await openRegistry({ referrers: "whole" });
    const image = await putImage(a.registry, "app");
    a.registry.intercept = (request, response) => {
      if (!request.path.includes(`/referrers/${image.index.digest}`)) return false;
      const mediaType = "application/vnd.oci.image.index.v1+json";
      response.writeHead(200, { "content-type": mediaType });
      response.end(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [image.index] }));
      return true;
    };
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const put = intoLayoutFolder(join(folder, "l"), { names: [] }, (target) =>
      copyImage(source, target, WITH_REFERRERS),
    );
    expect(await failureOf(put)).toMatchObject({
      code: "E_MANIFEST",
      message: expect.stringContaining("does not refer to"),
    });
  });

  it("the wrong kind of archive, with the right one in the hint", async () => {
    const a = await openRegistry();
    await putImage(a.registry, "app");
    await toArchive(registrySource({ ...a, repository: "app", tag: "1" }, [NAME]), join(folder, "o.tar"), "oci", HOST);
    await plainArchive(join(folder, "d.tar"));
    expect(await failureOf(fromFile(join(folder, "o.tar"), "docker"))).toMatchObject({
      code: "E_ARCHIVE",
      hint: "write `oci-archive:` instead",
    });
    expect(await failureOf(fromFile(join(folder, "d.tar"), "oci"))).toMatchObject({
      code: "E_LAYOUT",
      hint: "write `docker-archive:` instead",
    });
    fs.writeFileSync(join(folder, "n.tar"), gzipSync("no archive at all"));
    expect(await failureOf(fromFile(join(folder, "n.tar"), "oci"))).toMatchObject({
      code: expect.stringMatching(/^E_(?:TAR|ARCHIVE)/),
    });
  });

  it("stops with its signal and leaves no archive", async () => {
    const a = await openRegistry();
    await putImage(a.registry, "app");
    const control = new AbortController();
    a.registry.intercept = (request) => {
      if (request.path.includes("/blobs/")) control.abort();
      return false;
    };
    const source = registrySource({ ...a, repository: "app", tag: "1" }, [NAME]);
    const path = join(folder, "x.tar");
    await expect(toArchive(source, path, "oci", { ...ALL, signal: control.signal })).rejects.toThrow();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
