// SPDX-License-Identifier: Apache-2.0
/* Registries that lie while an image is pushed: each push ends as the table says. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endOf, hostileTests, leaks } from "../../test/support/hostile-case.ts";
import type { Expected } from "../../test/support/hostile-case.ts";
import { hangUp, inTurn, raw, redirect, refuse, reply, silence } from "../../test/support/hostile-registry.ts";
import type { Act, HostileOptions, Rule } from "../../test/support/hostile-registry.ts";
import { packTree } from "../archive/index.ts";
import { digestOf } from "../base/index.ts";
import { openStore } from "../store/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { pushImage } from "./push.ts";
import { writeImage } from "./write-image.ts";

const hostile = hostileTests();

let store: Store;
let image: ImageRecord;
beforeAll(async () => {
  if (hostile.reason !== undefined) return;
  store = openStore({ root: join(hostile.folder(), "store"), sync: "none" });
  image = await makeImage();
});
afterAll(() => {
  if (hostile.reason === undefined) store.close();
});

async function makeImage(): Promise<ImageRecord> {
  const staging = store.layers.stage();
  fs.writeFileSync(join(staging.tree, "hello"), "hello\n".repeat(1000));
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 0 } });
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = packed;
  staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs });
  const written = writeImage(store, { config: { os: "linux", architecture: "amd64" }, layers: [diffId] });
  return store.images.put({ target: written.manifest, mediaType: written.mediaType, id: written.config }, []);
}

interface Case extends Expected {
  readonly rules: readonly Rule[];
  readonly auth?: HostileOptions["auth"];
  readonly visits?: readonly string[];
}

const HEAD = /^HEAD .*\/blobs\/sha256/;
const POST = /^POST .*\/blobs\/uploads\/$/;
const PUT = /^PUT .*registry\.test\/.*\/blobs\/uploads\//;
const MANIFEST = /^PUT .*\/manifests\//;
const OTHER = digestOf("another");
const begins = (location?: string): Act => reply(202, location === undefined ? {} : { location });
const bearer = { "www-authenticate": 'Bearer realm="https://auth.test/token",service="x"' };
const far = new Date(Date.now() + 3_600_000).toUTCString();
const soon = new Date(Date.now() - 1000).toUTCString();

const questions: Readonly<Record<string, Case>> = {
  "that is honest": { rules: [], code: "ok" },
  "that is honest, with a password": { rules: [], auth: "basic", code: "ok" },
  "with a problem": { rules: [[HEAD, reply(500)]], code: "E_REGISTRY", text: /answers 500/ },
  "that says nothing": { rules: [[HEAD, hangUp]], code: "E_REGISTRY", text: /socket hang up/ },
  "that is forbidden": { rules: [[HEAD, reply(403)]], code: "E_REGISTRY_DENIED" },
  "that wants a login whatever is sent": { rules: [[HEAD, reply(401, bearer)]], code: "E_REGISTRY_AUTH", most: 12 },
  "that says it has what it lacks": {
    rules: [[HEAD, reply(200, { "content-length": "0" })]],
    code: "ok",
  },
  "that says it has what it lacks, and lacks it for ever": {
    rules: [
      [HEAD, reply(200, { "content-length": "0" })],
      [/^PUT .*\/manifests\//, refuse(400, "MANIFEST_BLOB_UNKNOWN")],
    ],
    code: "E_REGISTRY",
    text: /pushing `registry\.test\/team\/app:1`: the registry answers 400 \(MANIFEST_BLOB_UNKNOWN/,
    most: 20,
  },
  "that leads to another host": {
    rules: [
      [/evil\.test/, reply(404)],
      [HEAD, redirect("https://evil.test/b")],
    ],
    visits: ["evil.test"],
    code: "ok",
  },
  "that leads to a host that wants the password": {
    rules: [
      [/evil\.test/, reply(401, { "www-authenticate": 'Bearer realm="https://evil.test/token"' })],
      [HEAD, redirect("https://evil.test/b")],
    ],
    visits: ["evil.test"],
    code: "E_REGISTRY_AUTH",
  },
};

const starts: Readonly<Record<string, Case>> = {
  "that is forbidden": { rules: [[POST, refuse(403, "DENIED")]], code: "E_REGISTRY_DENIED", text: /pushing `sha256/ },
  "that knows no such repository": {
    rules: [[POST, refuse(404, "NAME_UNKNOWN")]],
    code: "E_REGISTRY_NOTFOUND",
    text: /NAME_UNKNOWN/,
  },
  "that is not allowed at all": {
    rules: [[POST, refuse(405, "UNSUPPORTED")]],
    code: "E_REGISTRY",
    text: /answers 405/,
  },
  "that says denied with another status": { rules: [[POST, refuse(400, "DENIED")]], code: "E_REGISTRY_DENIED" },
  "with a problem": { rules: [[POST, reply(500)]], code: "E_REGISTRY", text: /answers 500/ },
  "that wants a login whatever is sent": { rules: [[POST, reply(401, bearer)]], code: "E_REGISTRY_AUTH", most: 20 },
  "in a storm": {
    rules: [[POST, reply(429, { "retry-after": "0" })]],
    code: "E_REGISTRY",
    text: /answers 429/,
    most: 20,
  },
  "in a storm that lasts": {
    rules: [[POST, reply(429, { "retry-after": "7200" })]],
    code: "E_REGISTRY",
    text: /answers 429[^]*in 2 hours/,
    most: 10,
  },
  "in a storm that lasts until a date": {
    rules: [[POST, reply(429, { "retry-after": far })]],
    code: "E_REGISTRY",
    text: /answers 429[^]*in 60 minutes/,
    most: 10,
  },
  "in a storm that is over": {
    rules: [
      [
        POST,
        inTurn(reply(429, { "retry-after": soon }), reply(429, { "retry-after": "x" }), refuse(404, "NAME_UNKNOWN")),
      ],
    ],
    code: "E_REGISTRY_NOTFOUND",
  },
  "that leads nowhere": { rules: [[POST, begins()]], code: "E_REGISTRY", text: /lacks a usable Location/ },
  "that leads to no URL": { rules: [[POST, begins("http://[")]], code: "E_REGISTRY", text: /lacks a usable Location/ },
  "that leads to a file": { rules: [[POST, begins("file:///etc/passwd")]], code: "E_REGISTRY", text: /no http URL/ },
  "that leads to a script": { rules: [[POST, begins("javascript:alert(1)")]], code: "E_REGISTRY", text: /no http URL/ },
  "that leads to another host by http": {
    rules: [[POST, begins("http://evil.test/up")]],
    code: "E_REGISTRY",
    text: /sends uploads to `evil\.test` without TLS/,
  },
  "that leads to another host": {
    rules: [
      [/evil\.test/, reply(201)],
      [POST, begins("https://evil.test/up?x=1")],
    ],
    visits: ["evil.test"],
    code: "E_REGISTRY",
    text: /MANIFEST_BLOB_UNKNOWN/,
  },
  "that leads to a host that wants the password": {
    rules: [
      [/evil\.test/, reply(401, { "www-authenticate": 'Bearer realm="https://evil.test/token"' })],
      [POST, begins("https://evil.test/up")],
    ],
    visits: ["evil.test"],
    code: "E_REGISTRY_AUTH",
  },
  "that leads to another port": {
    rules: [
      [/registry\.test:444/, reply(401, bearer)],
      [POST, begins("https://registry.test:444/up")],
    ],
    visits: ["registry.test:444"],
    code: "E_REGISTRY_AUTH",
  },
  "that leads up": {
    rules: [[POST, begins("/v2/../../admin/delete")]],
    code: "E_REGISTRY_NOTFOUND",
  },
  "that leads by a redirect": {
    rules: [[POST, redirect("https://evil.test/v2/")]],
    code: "E_REGISTRY",
    text: /answers 307/,
  },
  "that calls itself http": {
    rules: [
      [
        POST,
        (visit, response, message) => {
          message.resume();
          response.writeHead(202, { location: `http://registry.test${visit.path}${visit.count}` }).end();
        },
      ],
      [PUT, reply(201)],
    ],
    code: "E_REGISTRY",
    text: /MANIFEST_BLOB_UNKNOWN/,
  },
};

const uploads: Readonly<Record<string, Case>> = {
  "that is refused as other bytes": {
    rules: [[PUT, refuse(400, "DIGEST_INVALID")]],
    code: "E_REGISTRY",
    text: /answers 400 \(DIGEST_INVALID/,
    most: 60,
  },
  "that is too large": {
    rules: [[PUT, reply(413, { "content-type": "text/html" }, "<html>")]],
    code: "E_REGISTRY",
    text: /answers 413\n.*limits how much/,
  },
  "that is forbidden": { rules: [[PUT, refuse(403, "DENIED")]], code: "E_REGISTRY_DENIED" },
  "that wants a login whatever is sent": { rules: [[PUT, reply(401, bearer)]], code: "E_REGISTRY_AUTH", most: 25 },
  "that breaks always": {
    rules: [[PUT, hangUp]],
    code: "E_REGISTRY",
    text: /pushing `sha256.*socket hang up/,
    most: 60,
  },
  "that breaks once": { rules: [[PUT, inTurn(hangUp, refuse(403, "DENIED"))]], code: "E_REGISTRY_DENIED" },
  "that is never answered": { rules: [[PUT, silence]], code: "E_REGISTRY", text: /no data for/, most: 60 },
  "that is answered by another protocol": {
    rules: [[PUT, raw("QUIT\r\n")]],
    code: "E_REGISTRY",
    text: /Parse Error/,
    most: 60,
  },
  "with a problem": { rules: [[PUT, reply(503)]], code: "E_REGISTRY", text: /answers 503/, most: 60 },
  "whose session is lost": {
    rules: [[PUT, refuse(404, "BLOB_UPLOAD_UNKNOWN")]],
    code: "E_REGISTRY_NOTFOUND",
    most: 60,
  },
  "that leads elsewhere": { rules: [[PUT, redirect("https://evil.test/up")]], code: "E_REGISTRY", text: /answers 307/ },
  "that is not done yet": { rules: [[PUT, reply(202)]], code: "E_REGISTRY", text: /answers 202/ },
  "that is stored as something else": {
    rules: [[PUT, reply(201, { "docker-content-digest": OTHER })]],
    code: "E_DIGEST_MISMATCH",
    text: /the registry stored it as/,
  },
  "that is not stored": { rules: [[PUT, reply(201)]], code: "E_REGISTRY", text: /MANIFEST_BLOB_UNKNOWN/ },
  "that tells the token": {
    rules: [
      [
        PUT,
        (visit, response, message) =>
          reply(400, {}, JSON.stringify({ errors: [{ code: "X", message: visit.headers.authorization }] }))(
            visit,
            response,
            message,
          ),
      ],
    ],
    code: "E_REGISTRY",
    text: /X: Bearer \*\*\*/,
  },
};

const ends: Readonly<Record<string, Case>> = {
  "that is refused": {
    rules: [[MANIFEST, refuse(400, "MANIFEST_INVALID")]],
    code: "E_REGISTRY",
    text: /MANIFEST_INVALID/,
  },
  "that is too large": { rules: [[MANIFEST, reply(413)]], code: "E_REGISTRY", text: /answers 413/ },
  "of a kind that is not known": { rules: [[MANIFEST, reply(415)]], code: "E_REGISTRY", text: /answers 415/ },
  "that is forbidden": { rules: [[MANIFEST, refuse(403, "DENIED")]], code: "E_REGISTRY_DENIED" },
  "that must not change": {
    rules: [[MANIFEST, refuse(409, "TAG_IMMUTABLE")]],
    code: "E_REGISTRY",
    text: /answers 409/,
  },
  "that is stored as another": {
    rules: [[MANIFEST, reply(201, { "docker-content-digest": OTHER })]],
    code: "E_DIGEST_MISMATCH",
    text: /the registry stored it as/,
  },
  "that is stored as nonsense": {
    rules: [[MANIFEST, reply(201, { "docker-content-digest": "../x" })]],
    code: "E_DIGEST_MISMATCH",
  },
  "without a word on its digest": { rules: [[MANIFEST, reply(201)]], code: "ok" },
  "in a storm": { rules: [[MANIFEST, reply(429, { "retry-after": "0" })]], code: "E_REGISTRY", text: /answers 429/ },
  "in a storm that lasts": {
    rules: [[MANIFEST, reply(429, { "retry-after": "61" })]],
    code: "E_REGISTRY",
    text: /in 61 seconds/,
  },
  "with a problem": { rules: [[MANIFEST, reply(502)]], code: "E_REGISTRY", text: /answers 502/ },
  "that breaks once": { rules: [[MANIFEST, inTurn(hangUp, reply(201))]], code: "ok" },
  "that leads elsewhere": {
    rules: [[MANIFEST, redirect("https://evil.test/m", 308)]],
    code: "E_REGISTRY",
    text: /answers 308/,
  },
};

async function run(one: Case, name: string): Promise<void> {
  const { rules, auth = "token" } = one;
  const { world, client } = await hostile.open({ rules, auth });
  try {
    const ended = await endOf(pushImage(store, image, { client, repository: "team/app", tag: "1" }));
    expect(ended.code, `${name}: ${ended.text}`).toBe(one.code);
    expect(ended.text).toMatch(one.text ?? /^/);
    expect(leaks(world)).toEqual([]);
    expect(world.visits.length).toBeLessThanOrEqual(one.most ?? 40);
    const hosts = new Set(world.visits.map(({ host }) => host));
    for (const host of ["registry.test", "auth.test", ...(one.visits ?? [])]) hosts.delete(host);
    expect([...hosts]).toEqual([]);
  } finally {
    await world.close();
  }
}

const tables = { "a question": questions, "the start of an upload": starts, "an upload": uploads, "a manifest": ends };
for (const [what, cases] of Object.entries(tables)) {
  describe.skipIf(hostile.reason !== undefined)(what, () => {
    it.concurrent.each(Object.entries(cases))("%s", (name, one) => run(one, name));
  });
}

describe.skipIf(hostile.reason !== undefined)("a large blob", () => {
  const cases: Readonly<Record<string, Case>> = {
    "that is refused before it is read": {
      rules: [[/^P(?:UT|ATCH) /, (_visit, response) => void response.writeHead(403, { connection: "close" }).end()]],
      code: "E_REGISTRY_DENIED",
    },
    "that breaks in the middle, always": {
      rules: [[/^P(?:UT|ATCH) /, (_visit, response, message) => void message.once("data", () => response.destroy())]],
      code: "E_REGISTRY",
      most: 60,
    },
  };
  const bytes = Buffer.alloc(1 << 16, "large ");
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 128; count += 1) yield await Promise.resolve(bytes);
  };
  it.concurrent.each(Object.entries(cases))("%s", async (_name, one) => {
    const { world, client } = await hostile.open({ rules: one.rules });
    for (const known of [{}, { digest: OTHER, size: 128 << 16 }]) {
      const ended = await endOf(client.pushBlob("team/app", { open, ...known }));
      expect(ended.code, ended.text).toBe(one.code);
    }
    expect(leaks(world)).toEqual([]);
    expect(world.visits.length).toBeLessThanOrEqual(one.most ?? 40);
    await world.close();
  });
});

describe.skipIf(hostile.reason !== undefined)("a mount", () => {
  const bytes = Buffer.from("mounted bytes");
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const upload = {
    ...blob,
    open: async function* () {
      yield bytes;
    },
    mount: { ...blob, from: ["base"] },
  };
  const cases: Readonly<Record<string, Case>> = {
    "that is forbidden": { rules: [[POST, inTurn(refuse(403, "DENIED"), refuse(500, "X"))]], code: "E_REGISTRY" },
    "that leads to another host by http": { rules: [[POST, begins("http://evil.test/up")]], code: "E_REGISTRY" },
    "that leads to another host": {
      rules: [
        [/evil\.test/, reply(201)],
        [POST, begins("https://evil.test/up")],
      ],
      code: "ok",
    },
  };
  it.concurrent.each(Object.entries(cases))("%s", async (_name, one) => {
    const { world, client } = await hostile.open({ rules: one.rules });
    expect((await endOf(client.pushBlob("team/app", upload))).code).toBe(one.code);
    expect(leaks(world)).toEqual([]);
    expect(world.visits.filter(({ isTls }) => !isTls)).toEqual([]);
    await world.close();
  });
});
