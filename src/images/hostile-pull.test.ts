// SPDX-License-Identifier: Apache-2.0
/* Registries that lie about what they have: each pull ends as the table says, and nothing of the lie stays. */
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { endOf, hostileTests, leaks, publish, tarOf } from "../../test/support/hostile-case.ts";
import type { Expected, ImageLie, Published } from "../../test/support/hostile-case.ts";
import { cut, hangUp, inTurn, raw, redirect, refuse, reply } from "../../test/support/hostile-registry.ts";
import type { Act, HostileRegistry, Rule } from "../../test/support/hostile-registry.ts";
import { digestOf } from "../base/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { openStore } from "../store/index.ts";
import { pullImage } from "./pull.ts";

const hostile = hostileTests();

type Rules = (image: Published, world: HostileRegistry) => readonly Rule[];

interface Case extends Expected {
  readonly image?: ImageLie;
  readonly rules?: Rules;
  /** Pulled instead of the tag. */
  readonly pinned?: boolean;
  readonly isPlatformExplicit?: boolean;
  /** Hosts that may be asked besides the registry and its token server. */
  readonly visits?: readonly string[];
}

const MANIFEST = /\/v2\/team\/app\/manifests\//;
const GET_MANIFEST = /^GET .*\/v2\/team\/app\/manifests\//;
const OTHER = digestOf('{"a":1}');

const manifests =
  (act: Act): Rules =>
  () => [[MANIFEST, act]];
/** Answers of GET with these bytes, whatever was asked for; the HEAD is honest. */
const documents =
  (make: (image: Published) => Act): Rules =>
  (image) => [[GET_MANIFEST, make(image)]];
const layers =
  (make: (image: Published) => Act): Rules =>
  (image) => [[new RegExp(`/blobs/${image.layer}$`), make(image)]];
const configs =
  (make: (image: Published) => Act): Rules =>
  (image) => [[new RegExp(`/blobs/${image.config}$`), make(image)]];
const json = { "content-type": MEDIA_TYPES.ociManifest };

const documentCases: Readonly<Record<string, Case>> = {
  "that is honest": { code: "ok" },
  "that is not there": {
    rules: manifests(refuse(404, "MANIFEST_UNKNOWN")),
    code: "E_REGISTRY_NOTFOUND",
    text: /pulling `registry\.test\/team\/app:1`: the registry answers 404/,
  },
  "that is forbidden": { rules: manifests(refuse(403, "DENIED")), code: "E_REGISTRY_DENIED", text: /may do this/ },
  "that wants a login whatever is sent": {
    rules: manifests(refuse(401, "UNAUTHORIZED", { "www-authenticate": 'Bearer realm="https://auth.test/token"' })),
    code: "E_REGISTRY_AUTH",
    text: /tare login registry\.test/,
    most: 8,
  },
  "in a storm": {
    rules: manifests(reply(429, { "retry-after": "0" })),
    code: "E_REGISTRY",
    text: /answers 429/,
    most: 8,
  },
  "in a storm that lasts": {
    rules: manifests(reply(429, { "retry-after": "100" })),
    code: "E_REGISTRY",
    text: /answers 429\nthe registry limits requests: wait and try again; it says: in 100 seconds/,
    most: 5,
  },
  "in a storm that lasted until a date": {
    rules: () => [[MANIFEST, inTurn(reply(503, { "retry-after": "Mon, 01 Jan 2024 00:00:00 GMT" }), reply(404))]],
    code: "E_REGISTRY_NOTFOUND",
  },
  "in a storm of nonsense": { rules: manifests(reply(429, { "retry-after": "soon" })), code: "E_REGISTRY", most: 8 },
  "with a problem": {
    rules: manifests(reply(503)),
    code: "E_REGISTRY",
    text: /answers 503[^]*problem of its own/,
    most: 8,
  },
  "that says nothing": { rules: manifests(hangUp), code: "E_REGISTRY", text: /pulling|looking up/ },
  "with an error without end": {
    rules: documents(() => reply(500, {}, "x".repeat(3 << 20))),
    code: "E_REGISTRY",
    text: /answers 500\n/,
  },
  "with an error of control characters": {
    rules: documents(() => reply(400, {}, '{"errors":[{"code":"\\u001b[2J","message":"\\u202ered\\nline"}]}')),
    code: "E_REGISTRY",
    text: /answers 400 \(\[2J: red line\)/,
  },
  "with an error that tells the token": {
    rules: () => [
      [
        GET_MANIFEST,
        (visit, response, message) =>
          reply(400, {}, JSON.stringify({ errors: [{ code: "X", message: visit.headers.authorization }] }))(
            visit,
            response,
            message,
          ),
      ],
    ],
    code: "E_REGISTRY",
    text: /answers 400 \(X: Bearer \*\*\*\)/,
  },
  "that is another one than HEAD said": {
    rules: documents(() => reply(200, json, "{}")),
    code: "E_DIGEST_MISMATCH",
    text: /the manifest that came has the digest/,
  },
  "that is another one than was pinned": {
    pinned: true,
    rules: documents(() => reply(200, json, "{}")),
    code: "E_DIGEST_MISMATCH",
  },
  "whose header has another digest": {
    rules: (image) => [
      [/^HEAD /, reply(200)],
      [GET_MANIFEST, reply(200, { ...json, "docker-content-digest": OTHER }, image.manifestBytes)],
    ],
    code: "E_DIGEST_MISMATCH",
  },
  "whose digest is a path": {
    rules: (image) => [
      [MANIFEST, reply(200, { ...json, "docker-content-digest": "sha256:../../etc/passwd" }, image.manifestBytes)],
    ],
    code: "ok",
  },
  "whose digest is of another kind": {
    rules: (image) => [
      [MANIFEST, reply(200, { ...json, "docker-content-digest": `sha512:${"0".repeat(128)}` }, image.manifestBytes)],
    ],
    code: "ok",
  },
  "that is cut": {
    rules: documents(({ manifestBytes }) => cut(manifestBytes, 20)),
    code: "E_REGISTRY",
    text: /pulling `registry\.test\/team\/app/,
  },
  "that is cut once": {
    rules: documents(({ manifestBytes }) => inTurn(cut(manifestBytes, 20), reply(200, json, manifestBytes))),
    code: "ok",
  },
  "that comes to a halt": {
    rules: documents(({ manifestBytes }) => cut(manifestBytes, 20, true)),
    code: "E_REGISTRY",
    text: /pulling `registry\.test\/team\/app/,
  },
  "without end": {
    rules: documents(() => reply(200, json, Buffer.alloc(5 << 20, " "))),
    code: "E_REGISTRY",
    text: /more than 4194304 bytes/,
  },
  "that is compressed": {
    rules: documents(({ manifestBytes }) =>
      reply(200, { ...json, "content-encoding": "gzip" }, gzipSync(manifestBytes)),
    ),
    code: "E_DIGEST_MISMATCH",
  },
  "that is a page of HTML": {
    rules: manifests(reply(200, { "content-type": "text/html" }, "<html>log in to the hotel</html>")),
    code: "E_MANIFEST",
    text: /not JSON/,
  },
  "that is a list": { image: { manifest: () => "[]" }, code: "E_MANIFEST" },
  "that nests without end": { image: { manifest: () => "[".repeat(100_000) }, code: "E_MANIFEST" },
  "with a key twice": {
    image: { manifest: (m) => JSON.stringify(m).replace("{", '{"schemaVersion":1,') },
    code: "E_MANIFEST",
  },
  "of schema 1": {
    image: {
      manifest: () => '{"schemaVersion":1,"name":"team/app","tag":"1","fsLayers":[],"history":[]}',
      mediaType: MEDIA_TYPES.dockerManifestV1Signed,
    },
    code: "E_MANIFEST",
    text: /schema 1/,
  },
  "of an unknown kind": {
    image: { manifest: (m) => ({ ...m, mediaType: "application/vnd.evil.v1+json" }) },
    code: "E_MANIFEST",
    text: /`application\/vnd\.evil\.v1\+json` is no image/,
  },
  "whose header calls it an index": { image: { mediaType: MEDIA_TYPES.ociIndex }, code: "ok" },
  "that is called an index by its header alone": {
    image: { manifest: ({ mediaType: _type, ...m }) => m, mediaType: MEDIA_TYPES.ociIndex },
    code: "E_MANIFEST",
  },
  "that is a manifest and an index": {
    image: { manifest: (m) => ({ ...m, manifests: [] }) },
    code: "E_MANIFEST",
    text: /both/,
  },
  "that calls itself an index": {
    image: { manifest: (m) => ({ ...m, mediaType: MEDIA_TYPES.ociIndex }), mediaType: MEDIA_TYPES.ociIndex },
    code: "E_MANIFEST",
  },
  "without a config": { image: { manifest: ({ config: _config, ...m }) => m }, code: "E_MANIFEST", text: /config/ },
  "without layers": { image: { manifest: (m) => ({ ...m, layers: undefined }) }, code: "E_MANIFEST", text: /layers/ },
  "with a digest that is a path": {
    image: { layer: { digest: "sha256:../../../etc/passwd" } },
    code: "E_MANIFEST",
    text: /not a digest/,
  },
  "with a digest of md5": {
    image: { layer: { digest: `md5:${"0".repeat(32)}` } },
    code: "E_MANIFEST",
    text: /not supported/,
  },
  "with a negative size": { image: { layer: { size: -1 } }, code: "E_MANIFEST" },
  "with a size that is no number": { image: { layer: { size: "1" } }, code: "E_MANIFEST" },
  "with a size beyond all disks": { image: { layer: { size: 9e15 } }, code: "E_NOSPACE" },
  "with a layer more than its config": {
    image: { manifest: (m) => ({ ...m, layers: [...(m["layers"] as []), ...(m["layers"] as [])] }) },
    code: "E_MANIFEST",
    text: /different numbers/,
  },
  "with a layer of an unknown kind": {
    image: { layer: { mediaType: "application/vnd.evil.tar" } },
    code: "E_MANIFEST",
    text: /unknown kind/,
  },
  "of something that is no image": {
    image: { configDescriptor: { mediaType: "application/vnd.cncf.helm.config.v1+json" } },
    code: "E_MANIFEST",
    text: /no image's/,
  },
  "by a redirect to another host": {
    rules: ({ manifestBytes }) => [
      [/cdn\.test/, reply(200, json, manifestBytes)],
      [GET_MANIFEST, redirect("https://cdn.test/m")],
    ],
    visits: ["cdn.test"],
    code: "ok",
  },
  "by a redirect to http": {
    rules: documents(() => redirect("http://cdn.test/m")),
    code: "E_REGISTRY",
    text: /insecure address/,
    most: 8,
  },
};

const index = (children: readonly object[], more: object = {}): ImageLie => ({
  manifest: () => ({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: children, ...more }),
  mediaType: MEDIA_TYPES.ociIndex,
});
const child = (change: object = {}): object => ({
  mediaType: MEDIA_TYPES.ociManifest,
  digest: OTHER,
  size: 7,
  platform: { os: "linux", architecture: "amd64" },
  ...change,
});
const children =
  (text: string): Rules =>
  () => [[new RegExp(`/manifests/${OTHER}`), reply(200, json, text)]];

const indexCases: Readonly<Record<string, Case>> = {
  "that is empty": { image: index([]), code: "E_PLATFORM" },
  "for other platforms": {
    image: index([child({ platform: { os: "linux", architecture: "s390x" } })]),
    code: "E_PLATFORM",
  },
  "of what is not there": { image: index([child()]), code: "E_REGISTRY_NOTFOUND" },
  "of another document": { image: index([child()]), rules: children('{"a":2}'), code: "E_DIGEST_MISMATCH" },
  "that lies about a size": {
    image: index([child({ size: 8 })]),
    rules: children('{"a":1}'),
    code: "E_DIGEST_MISMATCH",
    text: /7 bytes came, 8 were announced/,
  },
  "of what is no image": { image: index([child()]), rules: children('{"a":1}'), code: "E_MANIFEST" },
  "with a path for a digest": { image: index([child({ digest: "sha256:../x" })]), code: "E_MANIFEST" },
  "of something else": { image: index([child({ mediaType: "text/plain" })]), code: "E_PLATFORM" },
  "with layers": { image: index([child()], { layers: [] }), code: "E_MANIFEST", text: /both/ },
};

const configCases: Readonly<Record<string, Case>> = {
  "that is not there": { rules: configs(() => refuse(404, "BLOB_UNKNOWN")), code: "E_REGISTRY_NOTFOUND" },
  "that is another one": { rules: configs(() => reply(200, {}, "{}".padEnd(500))), code: "E_DIGEST_MISMATCH" },
  "that is not JSON": { image: { config: () => "hello" }, code: "E_MANIFEST" },
  "that is larger than said": {
    image: { configDescriptor: { size: 10 } },
    code: "E_DIGEST_MISMATCH",
    text: /10 were announced/,
  },
  "that is smaller than said": {
    image: { configDescriptor: { size: 5000 } },
    code: "E_REGISTRY",
    text: /of 5000 bytes/,
  },
  "without end": {
    image: { configDescriptor: { size: 600 << 20 } },
    rules: configs(() => (_visit, response) => {
      response.writeHead(200, { "content-length": String(600 << 20) });
      const more = (): void => void response.write(Buffer.alloc(1 << 20, " "), (error) => void (error ?? more()));
      more();
    }),
    code: "E_MANIFEST",
    text: /629145600 bytes/,
  },
  "for another platform": {
    image: { config: (c) => ({ ...c, architecture: "s390x" }) },
    isPlatformExplicit: true,
    code: "E_PLATFORM",
  },
  "with other diffIDs": {
    image: { config: (c) => ({ ...c, rootfs: { type: "layers", diff_ids: [OTHER] } }) },
    code: "E_DIGEST_MISMATCH",
    text: /its content has the digest/,
  },
  "with a diffID that is a path": {
    image: { config: (c) => ({ ...c, rootfs: { type: "layers", diff_ids: ["sha256:../x"] } }) },
    code: "E_MANIFEST",
  },
};

/** A part of the bytes, as an answer to a question for it. */
function part(bytes: Uint8Array, from: number, range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`): Act {
  return reply(206, { "content-range": range }, bytes.subarray(from));
}
/** Breaks in the middle, then goes on as `rest` says. */
const broken =
  (rest: (bytes: Buffer, half: number) => Act): Rules =>
  (image) => {
    const half = image.layerBytes.length >> 1;
    return [[new RegExp(`/blobs/${image.layer}$`), inTurn(cut(image.layerBytes, half), rest(image.layerBytes, half))]];
  };

const blobCases: Readonly<Record<string, Case>> = {
  "that is not there": { rules: layers(() => refuse(404, "BLOB_UNKNOWN")), code: "E_REGISTRY_NOTFOUND" },
  "that is forbidden": { rules: layers(() => refuse(403, "DENIED")), code: "E_REGISTRY_DENIED" },
  "with a problem": { rules: layers(() => reply(500)), code: "E_REGISTRY", text: /answers 500/ },
  "without content": { rules: layers(() => reply(204)), code: "E_REGISTRY", text: /answers 204/ },
  "in a part that nobody asked for": {
    rules: layers(({ layerBytes }) => part(layerBytes, 0)),
    code: "E_REGISTRY",
    text: /answers 206/,
  },
  "of other bytes": {
    rules: layers(({ layerBytes }) => reply(200, {}, Buffer.alloc(layerBytes.length))),
    code: "E_DIGEST_MISMATCH",
  },
  "with one bit turned": {
    rules: layers(({ layerBytes }) => {
      const bytes = Buffer.from(layerBytes);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      return reply(200, {}, bytes);
    }),
    code: "E_DIGEST_MISMATCH",
  },
  "that is longer": {
    rules: layers(({ layerBytes }) => reply(200, {}, Buffer.concat([layerBytes, layerBytes]))),
    code: "E_DIGEST_MISMATCH",
  },
  "that is shorter": {
    rules: layers(({ layerBytes }) => reply(200, {}, layerBytes.subarray(0, 50))),
    code: "E_REGISTRY",
    text: /the transfer broke after \d+ of \d+ bytes/,
  },
  "that is empty": { rules: layers(() => reply(200)), code: "E_REGISTRY", text: /broke after 0 of/ },
  "that breaks and goes on": { rules: broken(part), code: "ok" },
  "that breaks and begins again": { rules: broken((bytes) => reply(200, {}, bytes)), code: "ok" },
  "that breaks always": {
    rules: layers(({ layerBytes }) => cut(layerBytes, 10)),
    code: "E_REGISTRY",
    text: /broke after/,
  },
  "that comes to a halt": {
    rules: layers(({ layerBytes }) => cut(layerBytes, 0, true)),
    code: "E_REGISTRY",
    text: /no data for/,
  },
  "that halts and goes on": {
    rules: (image) => [[new RegExp(image.layer), inTurn(cut(image.layerBytes, 40, true), part(image.layerBytes, 40))]],
    code: "ok",
  },
  "that goes on too far": {
    rules: broken((bytes, half) => part(bytes, half + 5)),
    code: "E_REGISTRY",
    text: /another range/,
  },
  "that goes on before the break": { rules: broken((bytes, half) => part(bytes, half - 5)), code: "ok" },
  "that repeats a part as the rest": {
    rules: broken((bytes, half) =>
      reply(206, { "content-range": `bytes ${half}-${bytes.length - 1}/${bytes.length}` }, bytes.subarray(half - 20)),
    ),
    code: "E_DIGEST_MISMATCH",
  },
  "that gives the first half as the second": {
    rules: broken((bytes, half) =>
      reply(
        206,
        { "content-range": `bytes ${half}-${bytes.length - 1}/${bytes.length}` },
        bytes.subarray(0, bytes.length - half),
      ),
    ),
    code: "E_DIGEST_MISMATCH",
  },
  "whose halves are exchanged": {
    rules: layers(({ layerBytes }) =>
      reply(200, {}, Buffer.concat([layerBytes.subarray(60), layerBytes.subarray(0, 60)])),
    ),
    code: "E_DIGEST_MISMATCH",
  },
  "that goes on without saying where": {
    rules: broken((bytes, half) => reply(206, {}, bytes.subarray(half))),
    code: "E_REGISTRY",
    text: /another range/,
  },
  "that goes on in several parts": {
    rules: broken(() => reply(206, { "content-type": "multipart/byteranges; boundary=x" }, "--x\r\n")),
    code: "E_REGISTRY",
    text: /another range/,
  },
  "that can't go on": { rules: broken(() => reply(416)), code: "E_REGISTRY", text: /answers 416/ },
  "in pieces of no size": {
    rules: layers(() => raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")),
    code: "E_REGISTRY",
  },
  "compressed on the way": {
    rules: layers(({ layerBytes }) => reply(200, { "content-encoding": "gzip" }, gzipSync(layerBytes))),
    code: "E_DIGEST_MISMATCH",
  },
  "at another host": {
    rules: (image) => [
      [/cdn\.test/, reply(200, {}, image.layerBytes)],
      [new RegExp(image.layer), redirect("https://cdn.test/b?signature=1")],
    ],
    visits: ["cdn.test"],
    code: "ok",
  },
  "at another host by http": {
    rules: layers(() => redirect("http://cdn.test/b")),
    code: "E_REGISTRY",
    text: /insecure address/,
    most: 8,
  },
  "in a circle": { rules: layers(() => redirect("?again")), code: "E_REGISTRY", text: /too many redirects/, most: 20 },
  "in a file": {
    rules: layers(() => redirect("file:///etc/shadow")),
    code: "E_REGISTRY",
    text: /insecure address/,
    most: 8,
  },
  "at another host that wants the password": {
    rules: (image) => [
      [/evil\.test\/token/, reply(200, {}, '{"token":"token-0"}')],
      [/evil\.test/, refuse(401, "UNAUTHORIZED", { "www-authenticate": 'Bearer realm="https://evil.test/token"' })],
      [new RegExp(image.layer), redirect("https://evil.test/b")],
    ],
    visits: ["evil.test"],
    code: "E_REGISTRY_AUTH",
  },
  "at another host that leads back": {
    rules: (image) => [
      [/evil\.test/, redirect(`https://registry.test/v2/other/blobs/${image.layer}`)],
      [new RegExp(`team/app/blobs/${image.layer}`), redirect("https://evil.test/b")],
    ],
    visits: ["evil.test"],
    code: "E_REGISTRY_AUTH",
  },
  "that is to be fetched elsewhere": {
    image: { layer: { mediaType: MEDIA_TYPES.dockerForeignLayerGzip, urls: ["https://evil.test/layer"] } },
    rules: layers(() => refuse(404, "BLOB_UNKNOWN")),
    code: "E_REGISTRY_NOTFOUND",
  },
};

const slip = (name: string): ImageLie => ({ files: { [name]: "x" } });

const layerCases: Readonly<Record<string, Case>> = {
  "whose gzip is cut": { image: { pack: (tar) => gzipSync(tar).subarray(0, 60) }, code: "E_COMPRESSION" },
  "whose gzip is followed by something": {
    image: { pack: (tar) => Buffer.concat([gzipSync(tar), Buffer.from("garbage")]) },
    code: "E_COMPRESSION",
  },
  "that is no tar": { image: { tar: Buffer.alloc(2000, "no tar ") }, code: "E_TAR_MAGIC" },
  "that is zstd and says gzip": { image: { pack: (tar) => zstdCompressSync(tar) }, code: "ok" },
  "with a name that leads up": { image: slip("../../etc/passwd"), code: "E_TAR_ESCAPE" },
  "with a name that leads up in the middle": { image: slip("a/../../b"), code: "E_TAR_ESCAPE" },
  "that is a bomb": { image: { tar: Buffer.alloc(80 << 20), pack: (tar) => zstdCompressSync(tar) }, code: "E_BOMB" },
};

async function run(one: Case): Promise<void> {
  const { world, client } = await hostile.open({});
  const image = await publish(world, one.image);
  world.rules = one.rules?.(image, world) ?? [];
  const store = openStore({ root: fs.mkdtempSync(join(hostile.folder(), "store-")), sync: "none" });
  try {
    const source = { client, repository: "team/app", tag: one.pinned ? image.manifest : "1" };
    const platform = { os: "linux", architecture: "amd64" };
    const { isPlatformExplicit = false } = one;
    const ended = await endOf(
      pullImage(store, source, { platform, isPlatformExplicit, names: ["registry.test/team/app:1"] }),
    );
    expect(ended.code, ended.text).toBe(one.code);
    expect(ended.text).toMatch(one.text ?? /^/);
    expect(store.images.list().length).toBe(one.code === "ok" ? 1 : 0);
    expect(leaks(world)).toEqual([]);
    expect(world.visits.length).toBeLessThanOrEqual(one.most ?? 40);
    const hosts = new Set(world.visits.map(({ host }) => host));
    for (const host of ["registry.test", "auth.test", ...(one.visits ?? [])]) hosts.delete(host);
    expect([...hosts]).toEqual([]);
  } finally {
    store.close();
    await world.close();
  }
}

const tables: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  "a manifest": documentCases,
  "an index": indexCases,
  "a config": configCases,
  "a blob": blobCases,
  "a layer": layerCases,
};
for (const [what, cases] of Object.entries(tables)) {
  describe.skipIf(hostile.reason !== undefined)(what, () => {
    it.concurrent.each(Object.entries(cases))("%s", (_name, one) => run(one));
  });
}

describe.skipIf(hostile.reason !== undefined)("a list of tags", () => {
  const tags = (act: Act): readonly Rule[] => [[/\/tags\/list/, act]];
  const page = (text: string, link?: string): Act => reply(200, link === undefined ? {} : { link }, text);
  const cases: Readonly<Record<string, Expected & { readonly rules: readonly Rule[]; readonly tags?: number }>> = {
    "that is no JSON": { rules: tags(page("<html>")), code: "E_MANIFEST" },
    "without end": { rules: tags(page(" ".repeat(5 << 20))), code: "E_REGISTRY", text: /more than/ },
    "that is cut": { rules: tags(cut(Buffer.from('{"tags":["1"]}'), 5)), code: "E_REGISTRY" },
    "of things that are no tags": { rules: tags(page('{"tags":[1,null,"a",{}]}')), code: "ok", tags: 1 },
    "of names that lead up": {
      rules: tags(page('{"tags":["../../x","a/b","\\u001b[2J","good"]}')),
      code: "ok",
      tags: 1,
    },
    "in a circle": {
      rules: tags(page('{"tags":["1"]}', '</v2/team/app/tags/list?n=1000>; rel="next"')),
      code: "ok",
      most: 6,
    },
    "that goes on at another host": {
      rules: tags(page('{"tags":["1"]}', '<https://evil.test/v2/x>; rel="next"')),
      code: "ok",
      tags: 1,
      most: 4,
    },
    "that goes on in the clear": {
      rules: tags(page('{"tags":["1"]}', '<http://evil.test/v2/x>; rel="next"')),
      code: "E_REGISTRY",
      most: 4,
    },
  };
  it.concurrent.each(Object.entries(cases))("%s", async (_name, one) => {
    const { world, client } = await hostile.open({ rules: one.rules });
    let found: readonly string[] = [];
    const ended = await endOf(client.tags("team/app").then((all) => (found = all)));
    expect(ended.code, ended.text).toBe(one.code);
    expect(ended.text).toMatch(one.text ?? /^/);
    if (one.tags !== undefined) expect(found.length).toBe(one.tags);
    expect(leaks(world)).toEqual([]);
    expect(world.visits.length).toBeLessThanOrEqual(one.most ?? 40);
    await world.close();
  });
});

it("knows how many cases there are", async () => {
  expect(Object.values(tables).flatMap((cases) => Object.keys(cases)).length).toBeGreaterThan(90);
  expect((await tarOf({})).length).toBe(1024);
});
