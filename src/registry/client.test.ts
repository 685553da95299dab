// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from "vitest";
import { digestOf, isTareError } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { RegistryClient } from "./client.ts";
import { FakeRegistry } from "./fixture.ts";
import type { FakeOptions } from "./fixture.ts";
import type { BlobUpload, Credentials, RegistryOptions } from "./types.ts";

const ANN: Credentials = { kind: "password", username: "ann", password: "secret" };
const BYTES = Buffer.alloc(300_000, "tare registry ");
const DIGEST = digestOf(BYTES);
const open: FakeRegistry[] = [];

afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

async function start(
  options: FakeOptions = {},
  more: Partial<RegistryOptions> & { readonly login?: Credentials } = {},
): Promise<{ readonly registry: FakeRegistry; readonly client: RegistryClient }> {
  const registry = await FakeRegistry.open(options);
  open.push(registry);
  const { login, ...rest } = more;
  const transport = new HttpClient({ env: {}, retries: 1 });
  const client = new RegistryClient(registry.host, { transport, credentials: async () => login, ...rest });
  return { registry, client };
}

async function* pieces(bytes: Buffer, size = 64_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
  return Buffer.concat(all);
}

async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string | undefined }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTareError(error)) throw new Error(`expected a TareError, got ${String(error)}`);
  const { code, message, hint } = error;
  return { code, message, hint };
}

const upload: BlobUpload = { digest: DIGEST, size: BYTES.length, open: () => pieces(BYTES) };
const blob = { digest: DIGEST, size: BYTES.length };

describe("authentication", () => {
  it("takes a token for the repository, once for many requests", async () => {
    const { registry, client } = await start({ auth: "token" }, { login: ANN });
    registry.addBlob("team/app", BYTES);
    await Promise.all([1, 2, 3, 4].map(() => client.headBlob("team/app", DIGEST)));
    const tokens = registry.log().filter((line) => line.includes("/token"));
    expect(tokens).toEqual(["GET /token?service=fake%2C+registry&scope=repository%3Ateam%2Fapp%3Apull&account=ann"]);
    expect(registry.seen.find(({ path }) => path.startsWith("/v2/team"))?.headers.authorization).toBe("Bearer token-1");
  });

  it("takes a new token when the old one is not good any more", async () => {
    const { registry, client } = await start({ auth: "token" });
    registry.addBlob("a", BYTES);
    await client.headBlob("a", DIGEST);
    registry.expireTokens();
    expect(await client.headBlob("a", DIGEST)).toEqual({ size: BYTES.length });
  });

  it("exchanges a refresh token", async () => {
    const { registry, client } = await start({ auth: "token" }, { login: { kind: "identity", token: "refresh" } });
    await client.pushBlob("a", upload);
    expect(registry.log().filter((line) => line.includes("/token"))).toEqual(["POST /token"]);
    expect(registry.blobs.has(DIGEST)).toBe(true);
  });

  it("uses Basic where the registry asks for it", async () => {
    const { client } = await start({ auth: "basic" }, { login: ANN });
    await client.checkLogin();
    await client.pushBlob("a", upload);
    expect(await client.headBlob("a", DIGEST)).toEqual({ size: BYTES.length });
  });

  it.each([
    ["basic", undefined],
    ["basic", { ...ANN, password: "wrong-secret" }],
    ["token", { ...ANN, password: "wrong-secret" }],
    ["token", { kind: "identity", token: "wrong-secret" }],
  ] as const)("says what to do for %s with %j, without the secret", async (auth, login) => {
    const { registry, client } = await start({ auth }, login ? { login } : {});
    const failure = await failureOf(client.pushBlob("a", upload));
    expect(failure).toMatchObject({ code: "E_REGISTRY_AUTH", hint: `log in with \`tare login ${registry.host}\`` });
    expect(JSON.stringify(failure)).not.toContain("wrong-secret");
    expect(registry.seen.length).toBeLessThan(6);
  });

  it("ends when an anonymous token does not allow a push", async () => {
    const { registry, client } = await start({ auth: "token" });
    expect((await failureOf(client.pushBlob("a", upload))).code).toBe("E_REGISTRY_AUTH");
    expect(registry.seen.length).toBeLessThan(7);
  });

  it("sends no credential to another host", async () => {
    const other = await start();
    other.registry.addBlob("a", BYTES);
    const { registry, client } = await start({ auth: "basic" }, { login: ANN });
    const place = (): string => `http://${other.registry.host}/v2/a/blobs/`;
    registry.intercept = ({ method, path }, response) => {
      if (path === "/v2/") return false;
      const target = method === "GET" ? `${place()}${DIGEST}` : `${place()}uploads/1?x=1`;
      response.writeHead(method === "GET" ? 307 : 202, { location: target }).end();
      return true;
    };
    expect((await read(client.openBlob("a", blob))).equals(BYTES)).toBe(true);
    await failureOf(client.pushBlob("a", upload));
    expect(other.registry.seen.length).toBeGreaterThan(1);
    expect(other.registry.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

describe("blobs", () => {
  it("go up in one PUT when the digest is known, and streamed when it is not", async () => {
    const { registry, client } = await start();
    expect(await client.pushBlob("a", upload)).toEqual({ how: "uploaded", ...blob });
    expect(registry.log()[1]).toBe(`PUT /v2/a/blobs/uploads/1?_state=a%3Db&digest=${encodeURIComponent(DIGEST)}`);
    const sent: number[] = [];
    const streamed = { open: () => pieces(BYTES), onProgress: (bytes: number) => void sent.push(bytes) };
    expect(await client.pushBlob("b", streamed)).toEqual({ how: "uploaded", ...blob });
    expect(registry.log().map((line) => line.split(" ")[0])).toEqual(["POST", "PUT", "POST", "PATCH", "PUT"]);
    expect(sent.at(-1)).toBe(BYTES.length);
  });

  it("are mounted from another repository, or sent in the session that the registry opened instead", async () => {
    const { registry, client } = await start();
    registry.addBlob("base", BYTES);
    const mount = { ...blob, from: ["gone", "base"] };
    expect(await client.pushBlob("a", { ...upload, mount })).toEqual({ how: "mounted", ...blob });
    registry.seen.splice(0);
    const receipt = await client.pushBlob("b", { ...upload, mount: { ...blob, from: ["nowhere"] } });
    expect(receipt.how).toBe("uploaded");
    expect(registry.log().map((line) => line.split(" ")[0])).toEqual(["POST", "PUT"]);
  });

  it("are sent again from the first byte when a connection breaks", async () => {
    const { registry, client } = await start();
    let breaks = 2;
    registry.intercept = async ({ method }, response, message) => {
      if (method !== "PATCH" || breaks === 0) return false;
      breaks -= 1;
      for await (const _chunk of message) break;
      response.destroy();
      return true;
    };
    expect(await client.pushBlob("a", { open: () => pieces(BYTES) })).toMatchObject(blob);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
  });

  it("come down whole although the connection breaks, with and without ranges", async () => {
    for (const hasRanges of [true, false]) {
      const { registry, client } = await start();
      registry.addBlob("a", BYTES);
      let breaks = 3;
      registry.intercept = ({ path, headers }, response) => {
        if (!path.includes("/blobs/") || breaks === 0) return false;
        breaks -= 1;
        const from = hasRanges ? Number(/\d+/.exec(headers.range ?? "bytes=0-")?.[0]) : 0;
        const range = `bytes ${from}-${BYTES.length - 1}/${BYTES.length}`;
        response.writeHead(from > 0 ? 206 : 200, { "content-length": BYTES.length - from, "content-range": range });
        response.write(BYTES.subarray(from, from + 70_000 * (4 - breaks)), () => response.destroy());
        return true;
      };
      expect((await read(client.openBlob("a", blob))).equals(BYTES)).toBe(true);
    }
  });

  it("that never come whole are given up", async () => {
    const { registry, client } = await start();
    registry.intercept = ({ path }, response) => {
      if (!path.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": "0" }).end();
      return true;
    };
    const failure = await failureOf(read(client.openBlob("a", blob)));
    expect(failure).toMatchObject({ code: "E_REGISTRY" });
    expect(failure.message).toContain("broke after 0 of 300000 bytes");
  });

  it("whose bytes change under way are refused", async () => {
    const { client } = await start();
    const wrong = { digest: DIGEST, open: () => pieces(BYTES.subarray(1)) };
    expect((await failureOf(client.pushBlob("a", wrong))).code).toBe("E_DIGEST_MISMATCH");
  });
});

describe("manifests and tags", () => {
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const manifest = { bytes: Buffer.from(`{"schemaVersion":2,"mediaType":"${mediaType}","manifests":[]}`), mediaType };

  it("are written and read by tag and digest", async () => {
    const { client } = await start();
    const digest = await client.putManifest("a", "1", manifest);
    expect(await client.getManifest("a", "1")).toEqual({ ...manifest, digest });
    expect(await client.getManifest("a", digest)).toEqual({ ...manifest, digest });
    expect(await client.headManifest("a", "1")).toEqual({ digest, mediaType, size: manifest.bytes.length });
    expect(await client.headManifest("a", "2")).toBeUndefined();
    expect(await client.tags("a")).toEqual(["1"]);
  });

  it("with another digest are refused", async () => {
    const { registry, client } = await start();
    registry.addManifest("a", "1", manifest);
    const wanted = digestOf("x");
    registry.manifests.set(`a@${wanted}`, manifest);
    expect((await failureOf(client.getManifest("a", wanted))).code).toBe("E_DIGEST_MISMATCH");
  });

  it.each([
    [401, "E_REGISTRY_AUTH", "tare login"],
    [403, "E_REGISTRY_DENIED", "check the name"],
    [404, "E_REGISTRY_NOTFOUND", "check the name and the tag"],
    [429, "E_REGISTRY", "limits requests"],
    [500, "E_REGISTRY", "try again later"],
  ])("that are answered with %i end with %s and what to do", async (status, code, hint) => {
    const { registry, client } = await start();
    registry.intercept = ({ path }, response) => {
      if (path === "/v2/") return false;
      response.writeHead(status, { "retry-after": "0" });
      response.end('{"errors":[{"code":"X","message":"a\\u001b[31mred\\nline"}]}');
      return true;
    };
    const failure = await failureOf(client.getManifest("a", "1"));
    expect(failure.code).toBe(code);
    expect(failure.hint).toContain(hint);
    expect(failure.message).toBe(
      `pulling \`${registry.host}/a:1\`: the registry answers ${status} (X: a [31mred line)`,
    );
  });

  it("are asked for again after a pause when the registry limits requests", async () => {
    const { registry, client } = await start();
    registry.addManifest("a", "1", manifest);
    let refusals = 2;
    registry.intercept = ({ path, method }, response) => {
      if (path === "/v2/" || refusals === 0) return false;
      if (method === "GET" && refusals === 1) return false;
      refusals -= 1;
      response.writeHead(429, { "retry-after": "0" }).end();
      return true;
    };
    expect((await client.getManifest("a", "1")).bytes).toEqual(manifest.bytes);
    await client.pushBlob("a", upload);
    expect(refusals).toBe(0);
  });
});

describe("finding the registry", () => {
  it("says so when what answers is none, or nothing answers", async () => {
    const { registry, client } = await start({
      intercept: (_request, response) => {
        response.writeHead(200 + 218).end();
        return true;
      },
    });
    expect((await failureOf(client.connect())).message).toContain("418 at /v2/ and is no registry");
    await registry.close();
    open.splice(0);
    const started = Date.now();
    expect((await failureOf(client.connect())).message).toContain("refused");
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("gives up on one that keeps silent", async () => {
    const { client } = await start({ intercept: () => true }, { connectMs: 100 });
    expect((await failureOf(client.connect())).message).toContain("no answer within 0.1 s");
  });

  it("refuses a token server in the clear for a registry with TLS", async () => {
    const asked: string[] = [];
    const client = new RegistryClient("registry.test", {
      transport: {
        request: async ({ url }) => {
          asked.push(url);
          const headers = { "www-authenticate": 'Bearer realm="http://evil.test/token"' };
          const body = pieces(Buffer.alloc(0));
          return { status: 401, headers, url, body, text: async () => "", discard: () => undefined };
        },
      },
      credentials: async () => ANN,
    });
    expect((await failureOf(client.headBlob("a", DIGEST))).message).toContain("token server is not https");
    expect(asked).toEqual(["https://registry.test/v2/"]);
  });
});
