// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TarWriter, packTree } from "../archive/index.ts";
import { isTareError } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { TreeView, openStore } from "../store/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import {
  exportFlatTar,
  imageDetails,
  importImage,
  loadImages,
  saveImages,
  saveLayoutFolder,
  writeImage,
} from "./index.ts";

const host = hostPlatform(process.arch);
const NAME = "docker.io/library/demo:1";
let folder = "";
let count = 0;
const stores: Store[] = [];

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-images-"));
});
afterAll(() => {
  for (const store of stores) store.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(): Store {
  count += 1;
  const store = openStore({ root: join(folder, `store-${count}`), sync: "none" });
  stores.push(store);
  return store;
}

async function layerOf(store: Store, files: Readonly<Record<string, string>>): Promise<DiffId> {
  const staging = store.layers.stage();
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(join(staging.tree, name, ".."), { recursive: true });
    fs.writeFileSync(join(staging.tree, name), content, { mode: 0o644 });
  }
  const clamp = { after: 0, to: 315_532_800 };
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = await packTree(staging.tree, undefined, {
    clamp,
  });
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

async function demo(store: Store, names: readonly string[] = [NAME]): Promise<ImageRecord> {
  const layers = [
    await layerOf(store, { "etc/os": "demo\n", "bin/tool": "x".repeat(70_000) }),
    await layerOf(store, { "app.py": "print(1)\n", "ä/日本": "unicode\n" }),
  ];
  const image = writeImage(store, {
    config: {
      architecture: host.architecture,
      os: "linux",
      config: { Cmd: ["/bin/tool"] },
      created: "1980-01-01T00:00:00Z",
    },
    layers,
  });
  return store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, names);
}

async function archiveOf(store: Store, record: ImageRecord, format: "docker" | "oci" = "docker"): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = { write: (chunk: Uint8Array): void => void chunks.push(Buffer.from(chunk)) };
  await saveImages(store, [{ record, names: record.names }], sink, { format });
  return Buffer.concat(chunks);
}

async function* stream(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

/** A tar of entries given as name and content; a content `→ x` makes a symbolic link to x. */
async function tarOf(files: readonly (readonly [string, string | Buffer])[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  for (const [name, content] of files) {
    if (typeof content === "string" && content.startsWith("→ ")) {
      await writer.entry({ type: "symlink", name, mode: 0o777, mtime: 0, linkName: content.slice(2) });
      continue;
    }
    const bytes = Buffer.from(content);
    await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: bytes.length });
    await writer.write(bytes);
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

const hex = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

async function codeOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return "no error";
  } catch (error) {
    return isTareError(error) ? error.code : String(error);
  }
}

describe("save and load", () => {
  it("gives the same bytes for the same image, from different stores", async () => {
    const [first, second] = [newStore(), newStore()];
    const a = await archiveOf(first, await demo(first));
    const b = await archiveOf(second, await demo(second));
    expect(a.equals(b)).toBe(true);
  });

  it.each([
    ["docker, plain", "docker", (data: Buffer) => data],
    ["docker, gzip", "docker", (data: Buffer) => gzipSync(data)],
    ["oci, zstd", "oci", (data: Buffer) => zstdCompressSync(data)],
  ] as const)("keeps digests, names and trees: %s", async (_name, format, pack) => {
    const [from, to] = [newStore(), newStore()];
    const record = await demo(from);
    const [loaded] = await loadImages(to, stream(pack(await archiveOf(from, record, format))), { host });
    expect(loaded).toMatchObject({ target: record.target, id: record.id, names: [NAME] });
    const details = imageDetails(to, loaded ?? record);
    const view = new TreeView(details.layers);
    expect(fs.readFileSync(view.lookup("ä/日本")?.hostPath ?? "", "utf8")).toBe("unicode\n");
    expect(details.layers.every((layer) => layer.blob === undefined)).toBe(true);
  });

  it("writes and reads a layout folder", async () => {
    const [from, to] = [newStore(), newStore()];
    const record = await demo(from);
    const path = join(folder, "layout");
    await saveLayoutFolder(from, [{ record, names: record.names }], path);
    const [loaded] = await loadImages(to, path, { host });
    expect(loaded).toMatchObject({ target: record.target, names: [NAME] });
  });

  it("keeps the bytes of a compressed layer from outside", async () => {
    const [from, to] = [newStore(), newStore()];
    const record = await demo(from);
    const { layers, config } = imageDetails(from, record);
    const blobs: [string, Buffer][] = [];
    for (const layer of layers) {
      const chunks: Buffer[] = [];
      await packTree(layer.tree, { write: (chunk) => void chunks.push(Buffer.from(chunk)) });
      blobs.push([layer.diffId, gzipSync(Buffer.concat(chunks), { level: 9 })]);
    }
    const configText = JSON.stringify({ ...config, "unknown.field": 1 });
    const manifest = [
      { Config: `${hex(configText)}.json`, RepoTags: ["demo:2"], Layers: blobs.map((_, i) => `${i}/layer.tar`) },
    ];
    const archive = await tarOf([
      [`${hex(configText)}.json`, configText],
      ...blobs.map(([, blob], index): [string, Buffer] => [`${index}/layer.tar`, blob]),
      ["manifest.json", JSON.stringify(manifest)],
    ]);
    const [loaded] = await loadImages(to, stream(archive), { host });
    expect(loaded?.id).toBe(`sha256:${hex(configText)}`);
    const again = newStore();
    const [third] = await loadImages(again, stream(await archiveOf(to, loaded ?? record)), { host });
    expect(third?.target).toBe(loaded?.target);
    expect(imageDetails(again, third ?? record).layers[0]?.blob?.digest).toBe(`sha256:${hex(blobs[0]?.[1] ?? "")}`);
  });
});

describe("hostile and damaged archives", () => {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [`sha256:${"0".repeat(64)}`] },
  });
  const dockerManifest = (entry: object): string => JSON.stringify([{ Config: "c.json", RepoTags: [], ...entry }]);
  const layout = '{"imageLayoutVersion":"1.0.0"}';
  const indexOf = (digest: string, size: number): string =>
    JSON.stringify({
      schemaVersion: 2,
      manifests: [{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${digest}`, size }],
    });
  const cases: readonly (readonly [string, readonly (readonly [string, string])[], string])[] = [
    ["no image at all", [["hello", "x"]], "E_ARCHIVE"],
    ["only `repositories`", [["repositories", "{}"]], "E_ARCHIVE"],
    [
      "a layer path that leads out",
      [
        ["c.json", config],
        ["manifest.json", dockerManifest({ Layers: ["../../etc/passwd"] })],
      ],
      "E_ARCHIVE",
    ],
    [
      "an absolute layer path",
      [
        ["c.json", config],
        ["manifest.json", dockerManifest({ Layers: ["/etc/passwd"] })],
      ],
      "E_ARCHIVE",
    ],
    [
      "a layer that links out",
      [
        ["c.json", config],
        ["l/layer.tar", "→ ../../etc/passwd"],
        ["manifest.json", dockerManifest({ Layers: ["l/layer.tar"] })],
      ],
      "E_ARCHIVE",
    ],
    [
      "a layer that links to itself",
      [
        ["c.json", config],
        ["l", "→ l"],
        ["manifest.json", dockerManifest({ Layers: ["l"] })],
      ],
      "E_ARCHIVE",
    ],
    [
      "a layer with another diffID",
      [
        ["c.json", config],
        ["l", "\0".repeat(1024)],
        ["manifest.json", dockerManifest({ Layers: ["l"] })],
      ],
      "E_DIGEST_MISMATCH",
    ],
    [
      "fewer layers than the config",
      [
        ["c.json", config],
        ["manifest.json", dockerManifest({ Layers: [] })],
      ],
      "E_ARCHIVE",
    ],
    [
      "a config with a false name",
      [
        [`${"1".repeat(64)}.json`, config],
        ["manifest.json", dockerManifest({ Config: `${"1".repeat(64)}.json`, Layers: [] })],
      ],
      "E_ARCHIVE",
    ],
    ["a manifest.json that is no list", [["manifest.json", "{}"]], "E_ARCHIVE"],
    ["a layout without oci-layout", [["index.json", indexOf("0".repeat(64), 2)]], "E_LAYOUT"],
    [
      "a layout of another version",
      [
        ["oci-layout", '{"imageLayoutVersion":"9"}'],
        ["index.json", indexOf("0".repeat(64), 2)],
      ],
      "E_LAYOUT",
    ],
    [
      "an index without images",
      [
        ["oci-layout", layout],
        ["index.json", '{"schemaVersion":2,"manifests":[]}'],
      ],
      "E_LAYOUT",
    ],
    [
      "a missing manifest",
      [
        ["oci-layout", layout],
        ["index.json", indexOf("0".repeat(64), 2)],
      ],
      "E_LAYOUT",
    ],
    [
      "a blob with another digest",
      [
        ["oci-layout", layout],
        ["index.json", indexOf("0".repeat(64), 2)],
        [`blobs/sha256/${"0".repeat(64)}`, "{}"],
      ],
      "E_LAYOUT",
    ],
    [
      "a blob that is a link",
      [
        ["oci-layout", layout],
        ["index.json", indexOf(hex("{}"), 2)],
        ["x", "{}"],
        [`blobs/sha256/${hex("{}")}`, "→ ../../x"],
      ],
      "E_ARCHIVE",
    ],
  ];
  it.each(cases)("refuses %s", async (_name, files, code) => {
    const store = newStore();
    expect(await codeOf(loadImages(store, stream(await tarOf(files)), { host }))).toBe(code);
    expect(store.images.list()).toEqual([]);
  });

  it("refuses an archive cut at any place, and takes nothing from it", async () => {
    const from = newStore();
    const whole = await archiveOf(from, await demo(from));
    for (const at of [0, 1, 511, 512, 2000, Math.floor(whole.length / 2), whole.length - 20_000]) {
      const store = newStore();
      const code = await codeOf(loadImages(store, stream(whole.subarray(0, at)), { host }));
      expect(code, `cut at ${at}`).toMatch(/^E_/);
      expect(store.images.list()).toEqual([]);
    }
  });

  it("saves the same image into one folder several times at once, and leaves nothing when it is stopped", async () => {
    const store = newStore();
    const record = await demo(store);
    const path = join(folder, "shared");
    const items = [{ record, names: record.names }];
    await expect(saveLayoutFolder(store, items, path, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(fs.readdirSync(join(path, "blobs/sha256"))).toEqual([]);
    await Promise.all([1, 2, 3].map(() => saveLayoutFolder(store, items, path)));
    const names = fs.readdirSync(path, { recursive: true }).map(String);
    expect(names.filter((name) => name.endsWith(".partial"))).toEqual([]);
    const [loaded] = await loadImages(newStore(), path, { host });
    expect(loaded?.id).toBe(record.id);
  });

  it("refuses a layout folder whose blobs are symbolic links", async () => {
    const store = newStore();
    const record = await demo(store);
    const path = join(folder, "linked");
    await saveLayoutFolder(store, [{ record, names: [] }], path);
    fs.renameSync(join(path, "blobs"), join(folder, "elsewhere"));
    fs.symlinkSync(join(folder, "elsewhere"), join(path, "blobs"));
    expect(await codeOf(loadImages(newStore(), path, { host }))).toBe("E_ARCHIVE");
  });
});

describe("import and export", () => {
  it("is interrupted in the middle of a large file", async () => {
    const store = newStore();
    const view = new TreeView(imageDetails(store, await demo(store)).layers);
    fs.truncateSync(view.lookup("bin/tool")?.hostPath ?? "", 16 * 2 ** 30);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const exported = exportFlatTar([{ tree: view }], { write: () => undefined }, controller.signal);
    await expect(exported).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("exports the merged tree and imports it again with changes", async () => {
    const store = newStore();
    const record = await demo(store);
    const chunks: Buffer[] = [];
    const view = new TreeView(imageDetails(store, record).layers);
    await exportFlatTar([{ tree: view }], { write: (chunk) => void chunks.push(Buffer.from(chunk)) });
    const options = { platform: host, names: ["docker.io/library/flat:1"], from: "-", created: new Date(0) };
    const changes = [
      "ENV A=1 B=$A",
      'CMD ["sh"]',
      "EXPOSE 80 53/udp",
      "WORKDIR /app",
      "WORKDIR x",
      "USER 1:1",
      "LABEL a=b",
    ];
    const flat = await importImage(store, stream(gzipSync(Buffer.concat(chunks))), { ...options, changes });
    const details = imageDetails(store, flat);
    expect(details.config.config).toEqual({
      Env: ["A=1", "B="],
      Cmd: ["sh"],
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      WorkingDir: "/app/x",
      User: "1:1",
      Labels: { a: "b" },
    });
    const flatView = new TreeView(details.layers);
    expect(flatView.list("").map((entry) => entry.path)).toEqual(view.list("").map((entry) => entry.path));
    expect(await codeOf(importImage(store, stream(), { ...options, changes: ["RUN true"] }))).toBe("E_CHANGE");
  });
});
