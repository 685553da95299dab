// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { packTree } from "../archive/index.ts";
import { digestOf } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { hostPlatform, parseImageConfig, parseManifest } from "../oci/index.ts";
import type { ImageConfig, Manifest } from "../oci/index.ts";
import { openStore } from "../store/index.ts";
import type { ImageRecord, Lease, Store } from "../store/index.ts";
import { convertImage, loadImages, parseLayerForm, saveImagesToFile, writeImage } from "./index.ts";
import { NO_WHEELS } from "./compress-layer.ts";
import type { LayerForm } from "./convert.ts";

const host = hostPlatform(process.arch);
const NAME = "docker.io/library/demo:1";
let folder = "";
let store: Store;
let lease: Lease;
let record: ImageRecord;
const opened: Store[] = [];

const FILES: Readonly<Record<string, string>> = {
  "etc/empty": "",
  "etc/os": "demo\n",
  "usr/bin/tool": "x".repeat(200_000),
  "usr/lib/ünï/mod.py": "value = 1\n".repeat(300),
};

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-convert-"));
});
beforeEach(async () => {
  store = newStore();
  lease = store.lease();
  const layers = [await layerOf(FILES), await layerOf({ "app.py": "print(1)\n" })];
  const image = writeImage(store, {
    config: { architecture: host.architecture, os: "linux", config: { Cmd: ["/usr/bin/tool"] } },
    layers,
  });
  record = store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, [NAME]);
});
afterAll(() => {
  for (const each of opened) each.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(): Store {
  const made = openStore({ root: join(folder, `store-${opened.length}`), sync: "none" });
  opened.push(made);
  return made;
}

async function layerOf(files: Readonly<Record<string, string>>): Promise<DiffId> {
  const staging = store.layers.stage();
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(join(staging.tree, name, ".."), { recursive: true });
    fs.writeFileSync(join(staging.tree, name), content, { mode: name.startsWith("usr/bin") ? 0o755 : 0o644 });
  }
  if ("etc/os" in files) fs.symlinkSync("os", join(staging.tree, "etc/link"));
  const clamp = { after: 0, to: 315_532_800 };
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = await packTree(staging.tree, undefined, {
    clamp,
  });
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

interface Converted {
  readonly image: Pick<ImageRecord, "target" | "mediaType" | "id">;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly blobs: readonly Buffer[];
}

async function convert(form: LayerForm): Promise<Converted> {
  const image = await convertImage(store, record, { form, wheels: NO_WHEELS, lease });
  const manifest = parseManifest(store.blobs.read(image.target).toString());
  const config = parseImageConfig(store.blobs.read(manifest.config.digest).toString());
  return { image, manifest, config, blobs: manifest.layers.map(({ digest }) => bytesOf(digest)) };
}

function bytesOf(digest: Digest): Buffer {
  return store.blobs.has(digest) ? fs.readFileSync(store.blobs.path(digest)) : Buffer.alloc(0);
}

describe("the same tar in another form", () => {
  it.each([
    ["gzip", gunzipSync, "tar+gzip"],
    ["gzip:single", gunzipSync, "tar+gzip"],
    ["zstd", zstdDecompressSync, "tar+zstd"],
  ] as const)("%s keeps config and image ID", async (form, open, mediaType) => {
    const { image, manifest, config, blobs } = await convert(form);
    expect(image.id).toBe(record.id);
    expect(image.target).not.toBe(record.target);
    expect(manifest.layers.every((layer) => layer.mediaType.endsWith(mediaType))).toBe(true);
    expect(blobs.map((blob) => digestOf(open(blob)))).toEqual(config.rootfs.diff_ids);
    expect(blobs.map(digestOf)).toEqual(manifest.layers.map(({ digest }) => digest));
  });

  it("gzip:single is one member", async () => {
    const { blobs } = await convert("gzip:single");
    for (const blob of blobs) expect(membersOf(blob)).toBe(1);
  });

  it("none is the image itself, and converting twice changes nothing more", async () => {
    expect((await convert("none")).image).toEqual(record);
    const { image } = await convert("gzip");
    expect(await convertImage(store, image, { form: "gzip", wheels: NO_WHEELS, lease })).toEqual(image);
    expect((await convert("gzip")).image).toEqual(image);
  });

  it("refuses a tree that was changed", async () => {
    const [layer] = store.layers.list();
    const path = fs.readdirSync(layer?.tree ?? "", { recursive: true, encoding: "utf8" }).find((one) => /os$|app\.py$/.test(one));
    fs.writeFileSync(join(layer?.tree ?? "", path ?? ""), "other text", { flag: "r+" });
    for (const form of ["gzip", "gzip:single", "estargz"] as const) {
      await expect(convert(form)).rejects.toMatchObject({ code: "E_STORE_DAMAGED" });
    }
  }); // prettier-ignore
});

/** Members of a gzip blob, by Node's own inflater, which stops after each. */
function membersOf(blob: Buffer): number {
  let count = 0;
  for (let at = 0; at < blob.length; count += 1) {
    const one = gunzipSync(blob.subarray(at), { info: true, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 28 });
    at += (one as unknown as { engine: { bytesWritten: number } }).engine.bytesWritten;
  }
  return count;
} // prettier-ignore

describe("estargz", () => {
  it("has other diffIDs, and says so everywhere", async () => {
    const { image, manifest, config, blobs } = await convert("estargz");
    const old = parseImageConfig(store.blobs.read(record.id).toString());
    expect(config.rootfs.diff_ids).toEqual(blobs.map((blob) => digestOf(gunzipSync(blob))));
    expect(config.rootfs.diff_ids.some((diffId) => old.rootfs.diff_ids.includes(diffId))).toBe(false);
    expect({ ...config, rootfs: old.rootfs }).toEqual(old);
    expect(image.id).toBe(manifest.config.digest);
    for (const [at, { annotations = {}, mediaType }] of manifest.layers.entries()) {
      expect(mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
      const blob = blobs[at] ?? Buffer.alloc(0);
      expect(annotations["containerd.io/snapshot/stargz/toc.digest"]).toBe(digestOf(readToc(blob).json));
      expect(annotations["io.containers.estargz.uncompressed-size"]).toBe(String(gunzipSync(blob).length));
    }
  });

  it("is read file by file by its table alone, as the specification says", async () => {
    const { blobs } = await convert("estargz");
    const blob = blobs[0] ?? Buffer.alloc(0);
    const { entries } = readToc(blob);
    const files = new Map(entries.filter(({ type }) => type === "reg").map((entry) => [entry.name, entry]));
    expect([...files.keys()].sort()).toEqual(Object.keys(FILES).sort());
    for (const [name, content] of Object.entries(FILES)) {
      const { size = 0, offset = 0, digest, chunkDigest, mode } = files.get(name) ?? { name, type: "" };
      expect([size, digest]).toEqual([Buffer.byteLength(content), digestOf(content)]);
      expect(mode).toBe(name.startsWith("usr/bin") ? 0o755 : 0o644);
      if (size === 0) continue;
      expect(chunkDigest).toBe(digestOf(content));
      expect(readAt(blob, offset, size).toString()).toBe(content);
    }
    expect(entries.find(({ name }) => name === "etc/link")).toMatchObject({ type: "symlink", linkName: "os" });
    expect(entries.find(({ name }) => name === "etc/")).toMatchObject({ type: "dir", mode: 0o755 });
    expect(entries.every(({ modtime }) => modtime === "1980-01-01T00:00:00Z")).toBe(true);
  });
});

interface TocEntry {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  readonly offset?: number;
  readonly mode?: number;
  readonly digest?: string;
  readonly chunkDigest?: string;
  readonly linkName?: string;
  readonly modtime?: string;
}

/** estargz.md, "Footer" and "TOC": 51 bytes at the end say where the member of `stargz.index.json` starts. */
function readToc(blob: Buffer): { readonly json: Buffer; readonly entries: readonly TocEntry[] } {
  const footer = blob.subarray(-51);
  expect([...footer.subarray(0, 4)]).toEqual([0x1f, 0x8b, 8, 4]);
  expect([footer.readUInt16LE(10), footer.toString("latin1", 12, 14), footer.readUInt16LE(14)]).toEqual([26, "SG", 22]);
  const [, offset = ""] = /^([0-9a-f]{16})STARGZ$/.exec(footer.toString("latin1", 16, 38)) ?? [];
  expect(gunzipSync(footer)).toHaveLength(0);
  const tar = gunzipSync(blob.subarray(parseInt(offset, 16)));
  expect(tar.toString("latin1", 0, 100).replaceAll("\0", "")).toBe("stargz.index.json");
  const json = tar.subarray(512, 512 + parseInt(tar.toString("latin1", 124, 136), 8));
  const toc = JSON.parse(json.toString()) as { version: number; entries: TocEntry[] };
  expect(toc.version).toBe(1);
  return { json, entries: toc.entries };
}

/** A file's bytes from the member that starts at an offset, without what is before it. */
function readAt(blob: Buffer, offset: number, size: number): Buffer {
  return gunzipSync(blob.subarray(offset)).subarray(0, size);
}

describe("a converted image", () => {
  it.each(["gzip", "gzip:single", "estargz", "zstd"] as const)("%s is saved and loaded", async (form) => {
    const { image, config } = await convert(form);
    for (const format of ["docker", "oci"] as const) {
      const path = join(folder, `${form}-${format}.tar`);
      const items = [{ record: { ...record, ...image }, names: [NAME] }];
      await saveImagesToFile(store, items, path, { format });
      const other = newStore();
      const [loaded] = await loadImages(other, path, { host });
      expect(loaded?.id).toBe(image.id);
      expect(other.layers.list().map(({ diffId }) => diffId).sort()).toEqual([...config.rootfs.diff_ids].sort());
      expect(textsOf(other)).toEqual(textsOf(store).concat(form === "estargz" ? ["stargz.index.json"] : []).sort());
    }
  }); // prettier-ignore
});

/** Digest and path of each file; a table of contents by its name only. */
function textsOf(from: Store): string[] {
  const lines = from.layers.list().flatMap(({ tree }) =>
    fs.readdirSync(tree, { recursive: true, encoding: "utf8" }).flatMap((name) => {
      if (name === "stargz.index.json") return [name];
      const stat = fs.lstatSync(join(tree, name));
      if (!stat.isFile()) return [];
      return [`${name} ${stat.mode} ${createHash("sha256").update(fs.readFileSync(join(tree, name))).digest("hex")}`];
    }),
  );
  return [...new Set(lines)].sort();
} // prettier-ignore

describe("parseLayerForm", () => {
  it.each([
    ["gzip", "gzip"],
    ["estargz", "estargz"],
    ["gzip:single", "gzip:single"],
    ["zstd", "zstd"],
    ["none", "none"],
    ["uncompressed", "none"],
  ])("%s is %s", (text, form) => expect(parseLayerForm(text)).toBe(form));

  it("refuses others", () => {
    expect(() => parseLayerForm("gzp")).toThrow(expect.objectContaining({ code: "E_USAGE", hint: "did you mean `gzip`" }));
    expect(() => parseLayerForm("lz4")).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  }); // prettier-ignore
});
