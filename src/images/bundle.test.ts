// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWheel } from "../../test/support/wheel-fixture.ts";
import { TarWriter, packTree } from "../archive/index.ts";
import { makeZip } from "../archive/zip/fixture.ts";
import { asDiffId, digestOf, isTareError } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { MEDIA_TYPES, hostPlatform } from "../oci/index.ts";
import {
  builtWheels,
  findPack,
  knownLayer,
  knownResolutions,
  noteWheelLayer,
  openWheelStore,
  proveLayer,
  storePack,
  wheelLayer,
} from "../python/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { openTarSource } from "./archive-source.ts";
import { formatBundle, parseBundle } from "./bundle-document.ts";
import type { BundleDocument } from "./bundle-document.ts";
import { loadBundle } from "./bundle-load.ts";
import { planBundle, saveBundle } from "./bundle-plan.ts";
import { loadImages } from "./load.ts";
import { TransferMemo } from "./transfer.ts";
import { writeImage } from "./write-image.ts";

const A = digestOf("a");
const B = digestOf("b");
const host = hostPlatform(process.arch);

type Json = Record<string, unknown>;

const SETTINGS = {
  scheme: { purelib: "/a", platlib: "/a", scripts: "/b", headers: "/c", data: "/d" },
  executable: "/usr/bin/python3",
  python: "3.11.2",
  slim: [],
};
const NOTE = {
  key: A,
  wheels: [{ name: "demo", version: "1.0", fileName: "demo-1.0-py3-none-any.whl", digest: A, isRequested: true }],
  settings: SETTINGS,
  bytecode: "none",
};

const GOOD = (): Json => ({
  bundleVersion: 1,
  wheels: [{ fileName: "demo-1.0-py3-none-any.whl", digest: A, size: 1, url: "https://example.org/demo.whl" }],
  files: [{ name: "pylock.toml", digest: B, size: 2 }],
  claims: {
    steps: [{ key: A, layers: [B] }],
    resolutions: [],
    built: [],
    packs: [{ key: A, digest: B, size: 1 }],
    layers: [{ diffId: A, size: 1024, blob: { digest: B, size: 5 }, note: NOTE }],
  },
});
const withWheel = (change: Json): Json => ({ ...GOOD(), wheels: [{ ...(GOOD()["wheels"] as Json[])[0], ...change }] });
const withFile = (change: Json): Json => ({ ...GOOD(), files: [{ ...(GOOD()["files"] as Json[])[0], ...change }] });
const withClaims = (change: Json): Json => ({ ...GOOD(), claims: { ...(GOOD()["claims"] as Json), ...change } });
const BUILT = {
  key: A,
  fileName: "x-1-py3-none-any.whl",
  digest: A,
  size: 1,
  name: "x",
  version: "1",
  source: "git:1",
  python: "3.11",
  platform: "linux/amd64",
  seconds: 1,
};

describe("the document of a bundle", () => {
  it("is read as it was written", () => {
    const { bundleVersion: _version, ...rest } = GOOD();
    const text = formatBundle(rest as unknown as BundleDocument);
    expect(parseBundle(text)).toEqual(rest);
    expect(formatBundle(parseBundle(text))).toBe(text);
    expect(parseBundle(JSON.stringify(withClaims({ built: [BUILT] }))).claims.built).toEqual([BUILT]);
    const older = parseBundle(JSON.stringify(withClaims({ packs: undefined, layers: undefined })));
    expect(older.claims).toMatchObject({ packs: [], layers: [] });
  });

  const bad: Readonly<Record<string, string | Json>> = {
    nothing: "",
    "a list": "[]",
    "a key twice": '{"bundleVersion":1,"bundleVersion":1}',
    "nesting without end": "[".repeat(100_000),
    "no version": { ...GOOD(), bundleVersion: undefined },
    "a newer version": { ...GOOD(), bundleVersion: 2 },
    "no wheels": { ...GOOD(), wheels: undefined },
    "no claims": { ...GOOD(), claims: undefined },
    "a wheel that is no object": { ...GOOD(), wheels: ["x"] },
    "a wheel in another folder": withWheel({ fileName: "../demo-1.0-py3-none-any.whl" }),
    "a wheel below a folder": withWheel({ fileName: "a/demo-1.0-py3-none-any.whl" }),
    "a wheel named like an option": withWheel({ fileName: "--index-1.0-py3-none-any.whl" }),
    "a wheel of no kind": withWheel({ fileName: "demo.exe" }),
    "a wheel with a line feed in its name": withWheel({ fileName: "demo\n-1.0-py3-none-any.whl" }),
    "a wheel without a digest": withWheel({ digest: undefined }),
    "a digest of another kind": withWheel({ digest: `sha512:${"0".repeat(128)}` }),
    "a negative size": withWheel({ size: -1 }),
    "a size that is no number": withWheel({ size: "1" }),
    "a size beyond all files": withWheel({ size: 2 ** 60 }),
    "an address with a password": withWheel({ url: "https://me:secret@example.org/x.whl" }),
    "an address of a file": withWheel({ url: "file:///etc/passwd" }),
    "the same wheel twice": { ...GOOD(), wheels: [...(GOOD()["wheels"] as Json[]), ...(GOOD()["wheels"] as Json[])] },
    "a file in another folder": withFile({ name: "../.bashrc" }),
    "an absolute file": withFile({ name: "/etc/passwd" }),
    "a hidden file": withFile({ name: ".netrc" }),
    "a file with a backslash": withFile({ name: "a\\b" }),
    "a file named like an option": withFile({ name: "-rf" }),
    "two files that differ in case": {
      ...GOOD(),
      files: [...(GOOD()["files"] as Json[]), { name: "PyLock.toml", digest: A, size: 1 }],
    },
    "files beyond all memory": withFile({ size: 65 << 20 }),
    "a step without layers": withClaims({ steps: [{ key: A }] }),
    "a step with a layer that is no digest": withClaims({ steps: [{ key: A, layers: ["x"] }] }),
    "a step with a key that is no digest": withClaims({ steps: [{ key: "x", layers: [B] }] }),
    "two results of one step": withClaims({
      steps: [
        { key: A, layers: [B] },
        { key: A, layers: [A] },
      ],
    }),
    "an answer without a digest": withClaims({ resolutions: [{ key: A, size: 1 }] }),
    "a built wheel without its source": withClaims({ built: [{ ...BUILT, source: undefined }] }),
    "a built wheel with control characters": withClaims({ built: [{ ...BUILT, name: "x\u001b[2J" }] }),
    "a built wheel that took less than no time": withClaims({ built: [{ ...BUILT, seconds: -1 }] }),
    "compiled modules without a key": withClaims({ packs: [{ digest: A, size: 1 }] }),
    "two packs of one key": withClaims({
      packs: [
        { key: A, digest: A, size: 1 },
        { key: A, digest: B, size: 1 },
      ],
    }),
    "a layer without a size": withClaims({ layers: [{ diffId: A, note: NOTE }] }),
    "a layer whose blob has no size": withClaims({ layers: [{ diffId: A, size: 1, blob: { digest: A }, note: NOTE }] }),
    "a layer made of nothing": withClaims({ layers: [{ diffId: A, size: 1, note: { ...NOTE, wheels: [] } }] }),
    "two notes of one layer": withClaims({
      layers: [
        { diffId: A, size: 1, note: NOTE },
        { diffId: A, size: 1, note: { ...NOTE, key: B } },
      ],
    }),
  };
  it.each(Object.entries(bad))("is refused with %s", (_name, content) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    expect(() => parseBundle(text)).toThrow(expect.objectContaining({ code: "E_BUNDLE" }));
  });
});

describe("any other document", () => {
  it("is refused with E_BUNDLE and nothing else", () => {
    const member = fc.constantFrom("bundleVersion", "wheels", "files", "claims", "steps", "resolutions", "built");
    const value = fc.oneof(
      fc.json(),
      fc.dictionary(member, fc.jsonValue()).map((document) => JSON.stringify(document)),
    );
    fc.assert(
      fc.property(value, (text) => {
        expect(() => parseBundle(text)).toThrow(expect.objectContaining({ code: "E_BUNDLE" }));
      }),
    );
  });

  it("is refused when any one value of a good one is of another kind", () => {
    const places = [
      ["wheels", 0],
      ["files", 0],
      ["claims", "steps", 0],
      ["claims", "packs", 0],
      ["claims", "layers", 0],
    ] as const;
    for (const place of places) {
      const names = Object.keys(place.reduce<unknown>((value, key) => (value as Json)[key], GOOD()) as Json);
      for (const name of names) {
        for (const wrong of [null, 5.5, [], {}, true]) {
          const document = GOOD();
          const target = place.reduce<unknown>((value, key) => (value as Json)[key], document) as Json;
          target[name] = wrong;
          if (name === "layers" && Array.isArray(wrong)) continue;
          const text = JSON.stringify(document);
          expect(() => parseBundle(text), text).toThrow(expect.objectContaining({ code: "E_BUNDLE" }));
        }
      }
    }
  });
});

let folder = "";
let store: Store;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-bundle-"));
  store = newStore("first");
});
afterEach(() => {
  store.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(name: string): Store {
  return openStore({ root: join(folder, name), sync: "none" });
}

async function addLayer(name: string): Promise<DiffId> {
  const staging = store.layers.stage();
  fs.writeFileSync(join(staging.tree, name), `content of ${name}`);
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 0 } });
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = packed;
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

function addImage(name: string, layers: readonly DiffId[]): Digest {
  const config = { architecture: host.architecture, os: host.os, config: { Labels: { name } } };
  const { manifest, mediaType, config: id } = writeImage(store, { config, layers });
  store.images.put({ target: manifest, mediaType, id }, [`docker.io/library/${name}:latest`]);
  return id;
}

const wheelsOf = (one: Store): ReturnType<typeof openWheelStore> =>
  openWheelStore({
    store: one,
    env: { http_proxy: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" },
    cwd: folder,
  });

const LOCK = (digest: Digest): string =>
  `lock-version = "1.0"\ncreated-by = "t"\n[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = [{ url = "https://example.org/demo-1.0-py3-none-any.whl", hashes = { sha256 = "${digest.slice(7)}" } }]\n`;

const BLOB = { digest: digestOf("as it travels"), size: 5, mediaType: MEDIA_TYPES.ociLayerGzip };

/** A store with an image of a base and a layer of one wheel, and all that is remembered of its build. */
async function fill(): Promise<{
  readonly wheel: Digest;
  readonly layer: DiffId;
  readonly id: Digest;
  readonly pack: Digest;
}> {
  const { fileName, bytes } = makeWheel();
  fs.writeFileSync(join(folder, fileName), bytes);
  const [stored] = await wheelsOf(store).fetch([{ fileName, path: join(folder, fileName) }]);
  const wheel = stored?.digest ?? expect.unreachable();
  const [base, layer, foreign] = [await addLayer("base"), await addLayer("wheel"), await addLayer("foreign")];
  addImage("base", [base]);
  addImage("foreign", [foreign]);
  const compiled = join(folder, "pack.zip");
  fs.writeFileSync(compiled, makeZip([{ name: "a/__pycache__/demo.cpython-311.pyc", content: "x" }]));
  const { digest: pack } = await storePack(store, digestOf("pack key"), compiled);
  fs.writeFileSync(compiled, makeZip([{ name: "a/__pycache__/other.cpython-311.pyc", content: "x" }]));
  await storePack(store, digestOf("other pack key"), compiled);
  noteWheelLayer(store, layer, {
    key: digestOf("step"),
    wheels: [{ name: "demo", version: "1.0", fileName, digest: wheel, isRequested: true, bytecode: pack }],
    settings: SETTINGS,
    bytecode: "all",
  });
  new TransferMemo(store).setBlob(layer, "gzip", BLOB);
  store.cache.put(digestOf("step"), { layers: [layer] }, [layer]);
  store.cache.put(digestOf("foreign step"), { layers: [foreign] }, [foreign]);
  knownResolutions(store).put(digestOf("question"), LOCK(wheel));
  knownResolutions(store).put(digestOf("other question"), LOCK(digestOf("another wheel")));
  builtWheels(store).put(digestOf("source"), { ...BUILT, key: digestOf("source"), fileName, digest: wheel, size: 1 });
  return { wheel, layer, pack, id: addImage("app", [base, layer]) };
}

async function bundle(path: string, files: readonly string[] = []): Promise<BundleDocument> {
  const record = store.images.find("docker.io/library/app:latest") ?? expect.unreachable();
  const items = [{ record, names: record.names }];
  const content = await planBundle(store, { items, files, wheels: wheelsOf(store) });
  const file = fs.openSync(path, "w");
  try {
    await saveBundle(store, content, { write: (chunk) => void fs.writeSync(file, chunk) });
  } finally {
    fs.closeSync(file);
  }
  return content.bundle;
}

/** Writes an archive again with some of its files changed or added; null leaves one out. */
async function forge(
  from: string,
  to: string,
  changes: Readonly<Record<string, Buffer | string | null>>,
): Promise<void> {
  const source = await openTarSource(from, from);
  const names = fs
    .readFileSync(from)
    .toString("latin1")
    .match(/(?:blobs\/sha256\/[0-9a-f]{64}|tare-bundle\.json|index\.json|manifest\.json|oci-layout)(?=\0)/g);
  const out: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void out.push(Buffer.from(chunk)) });
  for (const name of new Set([...(names ?? []), ...Object.keys(changes)])) {
    const change = changes[name];
    if (change === null) continue;
    const bytes = Buffer.from(change ?? source.read(name, 1 << 30) ?? expect.unreachable());
    await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: bytes.length });
    await writer.write(bytes);
  }
  await writer.finish();
  source.close();
  fs.writeFileSync(to, Buffer.concat(out));
}

describe("a bundle", () => {
  it("has the base, the wheels and the claims of its images, and nothing of others", async () => {
    const { wheel, layer, id, pack } = await fill();
    fs.writeFileSync(join(folder, "pylock.toml"), "the lock");
    const path = join(folder, "app.bundle");
    const made = await bundle(path, [join(folder, "pylock.toml")]);
    expect(made.claims.packs.map(({ digest }) => digest)).toEqual([pack]);
    expect(made.claims.layers.map(({ diffId }) => diffId)).toEqual([layer]);
    expect(made.claims.steps).toEqual([{ key: digestOf("step"), layers: [layer] }]);
    expect(made.claims.resolutions.map(({ key }) => key)).toEqual([digestOf("question")]);
    const second = newStore("second");
    const options = { host, wheels: wheelsOf(second), files: join(folder, "to"), isTrusted: false };
    const loaded = await loadBundle(second, path, options);
    expect(loaded.records.flatMap(({ names }) => names).toSorted()).toEqual([
      "docker.io/library/app:latest",
      "docker.io/library/base:latest",
    ]);
    expect(second.images.find("docker.io/library/app:latest")?.id).toBe(id);
    expect((await wheelsOf(second).require({ fileName: "demo-1.0-py3-none-any.whl", digest: wheel })).digest).toBe(
      wheel,
    );
    expect(fs.readFileSync(join(folder, "to/pylock.toml"), "utf8")).toBe("the lock");
    // Nothing that can't be verified.
    expect(loaded.claims).toBe(0);
    expect([second.cache.get(digestOf("step")), knownResolutions(second).get(digestOf("question"))]).toEqual([
      undefined,
      undefined,
    ]);
    expect([findPack(second, digestOf("pack key")), wheelLayer(second, layer), second.blobs.has(pack)]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    second.close();
  });

  it("gives its claims to those that trust it, but never in place of what they know", async () => {
    const { layer, pack } = await fill();
    const path = join(folder, "app.bundle");
    await bundle(path);
    const trusting = newStore("trusting");
    const { claims } = await loadBundle(trusting, path, { host, wheels: wheelsOf(trusting), isTrusted: true });
    expect(claims).toBe(5);
    expect(findPack(trusting, digestOf("pack key"))?.digest).toBe(pack);
    expect(findPack(trusting, digestOf("other pack key"))).toBeUndefined();
    expect(wheelLayer(trusting, layer)).toEqual({ ...wheelLayer(store, layer), isClaim: true });
    expect(knownLayer(trusting, digestOf("step"))).toMatchObject({ diffId: layer, isClaim: true });
    expect(new TransferMemo(trusting).blobOf(layer, "gzip")).toEqual(BLOB);
    expect(trusting.cache.get(digestOf("step"))).toEqual({ layers: [layer] });
    expect(builtWheels(trusting).get(digestOf("source"))).toBeDefined();
    knownResolutions(trusting).put(digestOf("question"), "own");
    trusting.cache.put(digestOf("step"), { layers: [] }, []);
    expect((await loadBundle(trusting, path, { host, wheels: wheelsOf(trusting), isTrusted: true })).claims).toBe(0);
    expect(knownResolutions(trusting).get(digestOf("question"))).toBe("own");
    expect(trusting.cache.get(digestOf("step"))).toEqual({ layers: [] });
    trusting.close();
  });

  it("takes no step that names a layer of another image, even when trusted", async () => {
    const { layer } = await fill();
    const path = join(folder, "app.bundle");
    const made = await bundle(path);
    const foreign = store.contentOf(store.images.find("foreign") ?? store.images.list()[1] ?? expect.unreachable());
    const steps = [
      { key: digestOf("victim"), layers: [...foreign.diffIds, layer] },
      { key: digestOf("absent"), layers: [digestOf("nowhere")] },
    ];
    const forged = join(folder, "forged.bundle");
    const text = formatBundle({ ...made, claims: { ...made.claims, steps } });
    await forge(path, forged, { "tare-bundle.json": text });
    // The foreign layer is in this store.
    await loadBundle(store, forged, { host, wheels: wheelsOf(store), isTrusted: true });
    expect([store.cache.get(digestOf("victim")), store.cache.get(digestOf("absent"))]).toEqual([undefined, undefined]);
  });

  it("takes notes of layers for what they are: of own layers, of parts that are here, of the right size", async () => {
    const { layer } = await fill();
    const path = join(folder, "app.bundle");
    const made = await bundle(path);
    const [good] = made.claims.layers;
    const one = good ?? expect.unreachable();
    const [wheel] = one.note.wheels;
    const lost = { ...(wheel ?? expect.unreachable()), digest: digestOf("nowhere") };
    const foreign = await addLayer("foreign");
    const forgeries: Readonly<Record<string, BundleDocument["claims"]["layers"]>> = {
      "a layer of another image": [{ ...one, diffId: foreign }],
      "a wheel that is not here": [{ ...one, note: { ...one.note, wheels: [lost] } }],
      "another size": [{ ...one, size: one.size + 512 }],
    };
    for (const [name, layers] of Object.entries(forgeries)) {
      const forged = join(folder, "forged.bundle");
      await forge(path, forged, { "tare-bundle.json": formatBundle({ ...made, claims: { ...made.claims, layers } }) });
      const other = newStore(`other ${name}`);
      await loadBundle(other, forged, { host, wheels: wheelsOf(other), isTrusted: true });
      for (const diffId of [layer, foreign]) expect(wheelLayer(other, diffId), name).toBeUndefined();
      expect(knownLayer(other, one.note.key), name).toBeUndefined();
      other.close();
    }
  });

  it("with compiled modules that are something else is refused", async () => {
    await fill();
    const path = join(folder, "app.bundle");
    const made = await bundle(path);
    const forgeries = [
      makeZip([{ name: "etc/passwd", content: "x" }]),
      makeZip([{ name: "../__pycache__/../x.py", content: "x" }]),
      Buffer.from("no zip"),
    ];
    for (const bytes of forgeries) {
      const forged = join(folder, "forged.bundle");
      const packs = [{ key: digestOf("pack key"), digest: digestOf(bytes), size: bytes.length }];
      const text = formatBundle({ ...made, claims: { ...made.claims, packs } });
      await forge(path, forged, { "tare-bundle.json": text, [`blobs/sha256/${digestOf(bytes).slice(7)}`]: bytes });
      const other = newStore(`other ${bytes.length}`);
      const failure: unknown = await loadBundle(other, forged, {
        host,
        wheels: wheelsOf(other),
        isTrusted: true,
      }).catch((error: unknown) => error);
      expect(isTareError(failure) && /^E_(?:ZIP|BYTECODE)/.test(failure.code)).toBe(true);
      expect(findPack(other, digestOf("pack key"))).toBeUndefined();
      other.close();
    }
  });

  it("gives way to what is made here", async () => {
    const { layer } = await fill();
    const path = join(folder, "app.bundle");
    await bundle(path);
    const other = newStore("other");
    await loadBundle(other, path, { host, wheels: wheelsOf(other), isTrusted: true });
    const own = { ...(wheelLayer(store, layer) ?? expect.unreachable()), bytecode: "none" } as const;
    noteWheelLayer(other, layer, own);
    expect(wheelLayer(other, layer)).toEqual(own);
    expect(() => proveLayer(other, digestOf("step"), { diffId: asDiffId(A), size: 1 })).toThrow(
      expect.objectContaining({ code: "E_LAYER_CLAIM" }),
    );
    other.close();
  });

  it("is an archive of images for others, and other archives are no bundles", async () => {
    const { id } = await fill();
    const path = join(folder, "app.bundle");
    await bundle(path);
    const other = newStore("other");
    const records = await loadImages(other, path, { host });
    expect(records.map((record) => record.id)).toContain(id);
    const plain = join(folder, "plain.tar");
    await forge(path, plain, { "tare-bundle.json": null });
    await expect(loadBundle(other, plain, { host, wheels: wheelsOf(other), isTrusted: false })).rejects.toMatchObject({
      code: "E_BUNDLE",
      message: expect.stringContaining("it is no bundle"),
    });
    other.close();
  });

  it("with a damaged, missing or exchanged blob gives nothing", async () => {
    const { wheel, pack } = await fill();
    fs.writeFileSync(join(folder, "pylock.toml"), "the lock");
    const path = join(folder, "app.bundle");
    const made = await bundle(path, [join(folder, "pylock.toml")]);
    const blob = (digest: Digest): string => `blobs/sha256/${digest.slice(7)}`;
    const [file] = made.files;
    const cases: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
      "a wheel is missing": { [blob(wheel)]: null },
      "a wheel is shorter": { [blob(wheel)]: "short" },
      "compiled modules are missing": { [blob(pack)]: null },
      "a file is missing": { [blob(file?.digest ?? A)]: null },
      "a file has other content": { [blob(file?.digest ?? A)]: "the lokc" },
      "the document is no JSON": { "tare-bundle.json": "{" },
    };
    for (const [name, changes] of Object.entries(cases)) {
      const forged = join(folder, "forged.bundle");
      await forge(path, forged, changes);
      const empty = newStore(`empty ${name}`);
      const loading = loadBundle(empty, forged, { host, wheels: wheelsOf(empty), files: folder, isTrusted: true });
      await expect(loading, name).rejects.toMatchObject({ code: "E_BUNDLE" });
      expect(empty.images.list(), name).toEqual([]);
      empty.close();
    }
  });

  it("with another wheel of the same size, or one that is none, is refused", async () => {
    const { wheel } = await fill();
    const path = join(folder, "app.bundle");
    const made = await bundle(path);
    const size = store.blobs.stat(wheel)?.size ?? 0;
    const forged = join(folder, "forged.bundle");
    await forge(path, forged, { [`blobs/sha256/${wheel.slice(7)}`]: Buffer.alloc(size) });
    const other = newStore("other");
    const options = { host, wheels: wheelsOf(other), isTrusted: false };
    await expect(loadBundle(other, forged, options)).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    const text = "no zip";
    const [first] = made.wheels;
    const wheels = [{ ...(first ?? expect.unreachable()), digest: digestOf(text), size: text.length }];
    const claims = { steps: [], resolutions: [], built: [], packs: [], layers: [] };
    await forge(path, forged, {
      "tare-bundle.json": formatBundle({ ...made, wheels, claims }),
      [`blobs/sha256/${digestOf(text).slice(7)}`]: text,
    });
    const failure: unknown = await loadBundle(other, forged, options).catch((error: unknown) => error);
    expect(isTareError(failure) && /^E_(?:ZIP|WHEEL)/.test(failure.code)).toBe(true);
    other.close();
  });

  it("does not write over other files, nor through links", async () => {
    await fill();
    fs.writeFileSync(join(folder, "pylock.toml"), "the lock");
    const path = join(folder, "app.bundle");
    await bundle(path, [join(folder, "pylock.toml")]);
    const to = join(folder, "to");
    fs.mkdirSync(to);
    fs.symlinkSync(join(folder, "outside"), join(to, "pylock.toml"));
    const other = newStore("other");
    const options = { host, wheels: wheelsOf(other), files: to, isTrusted: false };
    await expect(loadBundle(other, path, options)).rejects.toMatchObject({ code: "E_BUNDLE" });
    fs.rmSync(join(to, "pylock.toml"));
    fs.writeFileSync(join(to, "pylock.toml"), "mine");
    await expect(loadBundle(other, path, options)).rejects.toMatchObject({ code: "E_BUNDLE" });
    expect([fs.existsSync(join(folder, "outside")), fs.readFileSync(join(to, "pylock.toml"), "utf8")]).toEqual([
      false,
      "mine",
    ]);
    expect(other.images.list()).toEqual([]);
    fs.writeFileSync(join(to, "pylock.toml"), "the lock");
    await expect(loadBundle(other, path, options)).resolves.toMatchObject({ claims: 0 });
    other.close();
  });

  it("is the same file each time, and takes only files with plain names", async () => {
    await fill();
    await bundle(join(folder, "one"));
    await bundle(join(folder, "two"));
    expect(fs.readFileSync(join(folder, "one")).equals(fs.readFileSync(join(folder, "two")))).toBe(true);
    fs.writeFileSync(join(folder, ".netrc"), "x");
    for (const file of [".netrc", "absent.toml"]) {
      await expect(bundle(join(folder, "three"), [join(folder, file)])).rejects.toMatchObject({
        code: file === ".netrc" ? "E_BUNDLE" : "E_IO",
      });
    }
    fs.mkdirSync(join(folder, "sub"));
    for (const place of ["a.toml", "sub/a.toml"]) fs.writeFileSync(join(folder, place), place);
    const both = [join(folder, "a.toml"), join(folder, "sub/a.toml")];
    await expect(bundle(join(folder, "four"), both)).rejects.toMatchObject({ code: "E_BUNDLE" });
  });
});
