// SPDX-License-Identifier: Apache-2.0
/* Large blobs on their way to a registry: chunks, breaks, tokens that end, sessions of earlier processes. */
import { randomFillSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { RegistryClient } from "./client.ts";
import { FakeRegistry } from "./fixture.ts";
import type { FakeOptions } from "./fixture.ts";
import type { BlobReceipt, BlobUpload, UploadMemory, UploadSession } from "./types.ts";

const MIB = 1 << 20;
const SIZE = 30 * MIB;
const BYTES: Buffer = randomFillSync(Buffer.alloc(SIZE));
const DIGEST = digestOf(BYTES);
let registry: FakeRegistry;
let session: UploadSession | undefined;

const memory: UploadMemory = {
  get: () => session,
  set: (next) => void (session = next),
  clear: () => void (session = undefined),
};

async function* pieces(start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += 100_000) {
    yield await Promise.resolve(BYTES.subarray(at, Math.min(end, at + 100_000)));
  }
}

const known: BlobUpload = { digest: DIGEST, size: SIZE, open: () => pieces(0, SIZE), openRange: pieces, memory };
/** Its digest is computed while it is sent. */
const made: BlobUpload = { open: () => pieces(0, SIZE), memory };
const KINDS = { known, made };

async function start(options: FakeOptions = {}): Promise<void> {
  registry = await FakeRegistry.open(options);
}

function push(upload: BlobUpload, signal?: AbortSignal): Promise<BlobReceipt> {
  const credentials = async () => ({ kind: "password", username: "ann", password: "secret" }) as const;
  const transport = new HttpClient({ env: {}, retries: 1 });
  const client = new RegistryClient(registry.host, { transport, credentials, firstWaitMs: 4 });
  return client.pushBlob("a", upload, signal === undefined ? {} : { signal });
}

const ranges = (): readonly string[] =>
  registry.seen.flatMap(({ method, headers }) => (method === "PATCH" ? [headers["content-range"] ?? "none"] : []));
const verbs = (): string =>
  registry
    .log()
    .filter((line) => !line.includes("/token"))
    .map((line) => line.split(" ")[0])
    .join(" ");

/** Takes `bytes` of the chunk with that number, and then breaks the connection. */
function breakChunk(number: number, bytes: number): void {
  let count = 0;
  registry.intercept = ({ method }, _response, message) => {
    if (method !== "PATCH") return false;
    count += 1;
    if (count !== number) return false;
    let came = 0;
    message.on("data", (chunk: Buffer) => {
      came += chunk.length;
      if (came >= bytes) message.destroy();
    });
    message.pause();
    return false;
  };
}

beforeEach(() => (session = undefined));
afterEach(() => registry.close());

describe.each(Object.entries(KINDS))("a large blob (%s)", (kind, upload) => {
  it("goes in chunks that follow one another", async () => {
    await start();
    expect(await push(upload)).toEqual({ how: "uploaded", digest: DIGEST, size: SIZE });
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
    const ends = ranges().map((range) => range.split("-").map(Number));
    expect(ends.map(([from]) => from)).toEqual([0, ...ends.slice(0, -1).map(([, to = 0]) => to + 1)]);
    expect(ends.at(-1)?.[1]).toBe(SIZE - 1);
    expect(session).toBeUndefined();
  });

  it("goes on with what arrived of a chunk that broke", async () => {
    await start();
    breakChunk(2, 3 * MIB);
    await push(upload);
    expect(verbs()).toMatch(/^POST PATCH PATCH GET PATCH/);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
    expect(registry.received).toBeLessThan(SIZE + MIB);
  });

  it("begins again where the registry can't tell what arrived", async () => {
    await start();
    breakChunk(2, 3 * MIB);
    const breaks = registry.intercept;
    registry.intercept = (request, response, message) => {
      if (request.method !== "GET" || !request.path.includes("/uploads/"))
        return breaks?.(request, response, message) ?? false;
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_INVALID"}]}');
      return true;
    };
    await push(upload);
    expect(verbs()).toMatch(/^POST PATCH PATCH GET POST PATCH/);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
  });

  it("goes on after its process was ended", async () => {
    await start();
    const control = new AbortController();
    registry.intercept = ({ method }) => {
      if (method !== "PATCH" || ranges().length < 2) return false;
      control.abort();
      return true;
    };
    await expect(push(upload, control.signal)).rejects.toThrow();
    expect(session?.offset).toBe(8 * MIB);
    registry.intercept = undefined;
    registry.received = 0;
    registry.seen.splice(0);
    expect((await push(upload)).digest).toBe(DIGEST);
    expect(verbs()).toMatch(/^GET PATCH/);
    expect(registry.received).toBeLessThanOrEqual(SIZE - 8 * MIB);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
  });

  it("begins again when the session of an earlier process is gone", async () => {
    await start();
    session = { location: `http://${registry.host}/v2/a/blobs/uploads/77?_state=a%3Db`, offset: 8 * MIB };
    await push(upload);
    expect(verbs()).toMatch(/^GET POST PATCH/);
  });

  it("begins again when the session of an earlier process holds other bytes", async () => {
    await start();
    await push({ ...upload, memory: { ...memory, clear: () => undefined } }).catch(() => undefined);
    registry.blobs.clear();
    const other = Buffer.from(BYTES).fill(1, 0, 100);
    registry.startUpload("99", other.subarray(0, 8 * MIB));
    session = { location: `http://${registry.host}/v2/a/blobs/uploads/99?_state=a%3Db`, offset: 8 * MIB };
    await push(upload);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
  });

  it("is not held up by tokens that end between its chunks", async () => {
    await start({ auth: "token" });
    registry.intercept = ({ method }) => {
      if (method === "PATCH" && ranges().length === 2) registry.expireTokens();
      return false;
    };
    expect((await push(upload)).digest).toBe(DIGEST);
    expect(registry.log().filter((line) => line.includes("/token"))).toHaveLength(2);
    expect(registry.blobs.get(DIGEST)?.equals(BYTES)).toBe(true);
  });

  it("goes in one request where chunks are refused", async () => {
    await start();
    let count = 0;
    registry.intercept = ({ method, headers }, response, message) => {
      if (method !== "PATCH" || headers["content-range"] === undefined) return false;
      count += 1;
      if (count < 2) return false;
      message.resume();
      response.writeHead(405).end('{"errors":[{"code":"UNSUPPORTED"}]}');
      return true;
    };
    expect((await push(upload)).digest).toBe(DIGEST);
    expect(verbs()).toBe(kind === "known" ? "POST PATCH PATCH POST PUT" : "POST PATCH PATCH POST PATCH PUT");
  });

  it("waits as long as the registry asks for", async () => {
    await start();
    let refusals = 1;
    registry.intercept = ({ method }, response, message) => {
      if (method !== "PATCH" || refusals === 0) return false;
      refusals -= 1;
      message.resume();
      response.writeHead(429, { "retry-after": "1" }).end();
      return true;
    };
    const started = Date.now();
    expect((await push(upload)).digest).toBe(DIGEST);
    expect(Date.now() - started).toBeGreaterThanOrEqual(1000);
  });

  it("goes in chunks as large as the registry wants them", async () => {
    await start();
    registry.intercept = ({ method }, response) => {
      if (method === "POST") response.setHeader("oci-chunk-min-length", String(20 * MIB));
      return false;
    };
    await push(upload);
    expect(ranges()[0]).toBe(`0-${20 * MIB - 1}`);
  });
});
