// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { FakeRegistry } from "./fixture.ts";
import type { FakeOptions } from "./fixture.ts";
import type { RegistryClient } from "./client.ts";
import { openRegistryClient } from "./open-registry.ts";

const MANIFEST = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}');
const STORED = { bytes: MANIFEST, mediaType: "application/vnd.oci.image.manifest.v1+json" };
const LARGE = randomBytes(5 << 20);
const SMALL = randomBytes(1000);
const BASIC = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString("base64");

let folder = "";
let notices: string[] = [];
const open: FakeRegistry[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-mirror-"));
  notices = [];
});
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function start(options: FakeOptions = {}): Promise<FakeRegistry> {
  const registry = await FakeRegistry.open(options);
  open.push(registry);
  return registry;
}

/** A registry with content, as the mirror has it below `hub/`. */
async function startWith(repository: string, options: FakeOptions = {}): Promise<FakeRegistry> {
  const registry = await start(options);
  registry.addManifest(repository, "1", STORED);
  for (const bytes of [LARGE, SMALL]) registry.addBlob(repository, bytes);
  return registry;
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
  fs.writeFileSync(join(folder, path), text);
}

function clientOf(origin: string, mirror: string, more = ""): RegistryClient {
  const conf = `[[registry]]\nprefix = "${origin}"\n[[registry.mirror]]\nlocation = "${mirror}"\n${more}`;
  write("etc/containers/registries.conf", conf);
  const place = { env: {}, home: join(folder, "home"), etc: join(folder, "etc") };
  return openRegistryClient(origin, place, { insecureHosts: [], onNotice: (text) => notices.push(text) });
}

interface Read {
  readonly manifest: string;
  readonly small: string;
  readonly large: string;
}

/** As a pull reads: tag, manifest, config, and a layer that is fetched again when it was wrong. */
async function readAll(client: RegistryClient): Promise<Read> {
  const facts = await client.headManifest("app", "1");
  const { digest } = await client.getManifest("app", facts?.digest ?? "1");
  const small: Uint8Array[] = [];
  const blob = { digest: digestOf(SMALL), size: SMALL.length };
  for await (const chunk of client.openBlob("app", blob)) small.push(Buffer.from(chunk));
  const fetched = await fetchLarge(client);
  const isWrong = digestOf(fetched) !== digestOf(LARGE);
  const large = isWrong && client.distrust("app", digestOf(LARGE)) ? await fetchLarge(client) : fetched;
  return { manifest: digest, small: digestOf(Buffer.concat(small)), large: digestOf(large) };
}

async function fetchLarge(client: RegistryClient): Promise<Buffer> {
  const bytes = Buffer.alloc(LARGE.length);
  await client.fetchBlob("app", {
    digest: digestOf(LARGE),
    size: LARGE.length,
    missing: [{ start: 0, end: LARGE.length }],
    write: (at, chunk) => void bytes.set(chunk, at),
  });
  return bytes;
}

const ALL: Read = { manifest: digestOf(MANIFEST), small: digestOf(SMALL), large: digestOf(LARGE) };

describe("a mirror", () => {
  it("is asked for everything, and the registry for nothing", async () => {
    const [origin, mirror] = [await startWith("app"), await startWith("hub/app")];
    expect(await readAll(clientOf(origin.host, `${mirror.host}/hub`))).toEqual(ALL);
    expect(origin.seen).toEqual([]);
    expect(mirror.log().every((line) => line.includes("/v2/hub/app/"))).toBe(true);
    expect(notices).toEqual([]);
  });

  it("for digests only is not asked for tags", async () => {
    const [origin, mirror] = [await startWith("app"), await startWith("app")];
    expect(await readAll(clientOf(origin.host, mirror.host, 'pull-from-mirror = "digest-only"\n'))).toEqual(ALL);
    expect(origin.log()).toEqual(["HEAD /v2/app/manifests/1"]);
  });

  it("is written past", async () => {
    const [origin, mirror] = [await start(), await start()];
    const client = clientOf(origin.host, mirror.host);
    await client.pushBlob("app", { digest: digestOf(SMALL), size: SMALL.length, open: () => [SMALL] as never });
    await client.putManifest("app", "2", STORED);
    expect(mirror.seen).toEqual([]);
    expect(origin.manifests.has("app:2")).toBe(true);
  });
});

type Lie = NonNullable<FakeRegistry["intercept"]>;

function reply(status: number, body: string | Buffer, headers: Record<string, string> = {}): Lie {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

function onBlobs(lie: Lie): Lie {
  return (request, ...rest) => (request.path.includes("/blobs/") ? lie(request, ...rest) : false);
}

describe("a mirror that fails or lies is not asked again, and the registry gives the rest", () => {
  it.each([
    ["is no registry", reply(200, "hello"), ""],
    ["has a problem", reply(500, "oops"), "500"],
    ["has no such image", reply(404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'), ""],
    ["wants a login", reply(401, "", { "www-authenticate": 'Basic realm="x"' }), "401"],
    ["wants a login at a token server that is none", reply(401, "", { "www-authenticate": 'Bearer realm="x"' }), ""],
    [
      "gives another manifest",
      (request, response) => {
        if (request.method !== "GET" || !request.path.includes("/manifests/")) return false;
        response.writeHead(200).end('{"schemaVersion":2}');
        return true;
      },
      "digest",
    ],
    ["lacks the blobs", onBlobs(reply(404, "")), "404"],
    ["gives other bytes of blobs", onBlobs(reply(200, Buffer.alloc(LARGE.length))), ""],
    [
      "gives other bytes of large blobs",
      (request, response) => {
        if (!request.path.includes(digestOf(LARGE))) return false;
        response.writeHead(200).end(Buffer.alloc(LARGE.length));
        return true;
      },
      "gave other content",
    ],
    [
      "breaks off in the middle of wrong bytes",
      (request, response) => {
        if (!request.path.includes(digestOf(LARGE))) return false;
        response.writeHead(200, { "content-length": String(LARGE.length) });
        response.write(Buffer.alloc(100_000), () => response.destroy());
        return true;
      },
      "",
    ],
  ] as [string, Lie, string][])("%s", { timeout: 30_000 }, async (_, lie, words) => {
    const [origin, mirror] = [await startWith("app"), await startWith("app")];
    mirror.intercept = lie;
    expect(await readAll(clientOf(origin.host, mirror.host))).toEqual(ALL);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(`mirror \`${mirror.host}\` is not asked for \`${origin.host}/app\` any more: `);
    expect(notices[0]).toContain(words);
  });

  it("is not there at all", async () => {
    const [origin, mirror] = [await startWith("app"), await start()];
    const { host } = mirror;
    await mirror.close();
    open.splice(open.indexOf(mirror), 1);
    expect(await readAll(clientOf(origin.host, host))).toEqual(ALL);
    expect(notices).toHaveLength(1);
  });
});

describe("credentials", () => {
  it("of the registry never go to the mirror, nor those of the mirror to the registry", async () => {
    const origin = await startWith("app", { auth: "basic", users: { olga: "origin-secret" } });
    const mirror = await startWith("app", { auth: "basic", users: { mia: "mirror-secret" } });
    const auths = {
      [origin.host]: { auth: BASIC("olga", "origin-secret") },
      [mirror.host]: { auth: BASIC("mia", "mirror-secret") },
    };
    write("home/.docker/config.json", JSON.stringify({ auths }));
    expect(await readAll(clientOf(origin.host, mirror.host))).toEqual(ALL);
    mirror.blobs.clear();
    expect(await readAll(clientOf(origin.host, mirror.host))).toEqual(ALL);
    const sent = ({ seen }: FakeRegistry): string => seen.map(({ headers }) => headers.authorization ?? "").join();
    expect(sent(mirror)).toContain(BASIC("mia", "mirror-secret"));
    expect(sent(mirror)).not.toContain(BASIC("olga", "origin-secret"));
    expect(sent(origin)).toContain(BASIC("olga", "origin-secret"));
    expect(sent(origin)).not.toContain(BASIC("mia", "mirror-secret"));
  });

  it("of the registry are not tried at a mirror that refuses nobody's", async () => {
    const origin = await startWith("app", { auth: "basic", users: { olga: "origin-secret" } });
    const mirror = await startWith("app", { auth: "basic", users: { mia: "mirror-secret" } });
    write(
      "home/.docker/config.json",
      JSON.stringify({ auths: { [origin.host]: { auth: BASIC("olga", "origin-secret") } } }),
    );
    expect(await readAll(clientOf(origin.host, mirror.host))).toEqual(ALL);
    expect(mirror.seen.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
    expect(notices.join()).not.toMatch(/secret/);
  });
});

describe("a proxy of the environment", () => {
  it("is not used for this machine", async () => {
    const origin = await startWith("app");
    const env = { HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" };
    const client = openRegistryClient(origin.host, { env, home: folder, etc: folder }, { insecureHosts: [] });
    expect(await readAll(client)).toEqual(ALL);
  });
});
