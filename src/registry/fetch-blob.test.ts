// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { RegistryClient } from "./client.ts";
import { FakeRegistry } from "./fixture.ts";
import type { BlobTarget } from "./types.ts";

const SIZE = 40 << 20;
const BYTES: Buffer = randomFillSync(Buffer.alloc(SIZE));
const DIGEST = digestOf(BYTES);
let registry: FakeRegistry;
let client: RegistryClient;

beforeEach(async () => {
  registry = await FakeRegistry.open();
  registry.addBlob("a", BYTES);
  client = new RegistryClient(registry.host, { transport: new HttpClient({ env: {}, retries: 1 }), firstWaitMs: 4 });
});
afterEach(() => registry.close());

type Missing = BlobTarget["missing"];
const ALL: Missing = [{ start: 0, end: SIZE }];

async function fetch(missing: Missing = ALL, present: Uint8Array = Buffer.alloc(SIZE)): Promise<Buffer> {
  const file = Buffer.from(present);
  const write = (at: number, chunk: Uint8Array): void => file.set(chunk, at);
  await client.fetchBlob("a", { digest: DIGEST, size: SIZE, missing, write });
  return file;
}

const ranges = (): readonly string[] => registry.seen.flatMap(({ headers }) => headers.range ?? []);

describe("a large blob", () => {
  it("comes in pieces over several connections", async () => {
    let open = 0;
    let most = 0;
    registry.intercept = ({ headers }, response) => {
      if (headers.range === undefined) return false;
      open += 1;
      most = Math.max(most, open);
      response.once("close", () => (open -= 1));
      return false;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
    expect(ranges()).toEqual(["bytes=0-16777215", "bytes=16777216-33554431", "bytes=33554432-"]);
    expect(most).toBe(2);
  });

  it("comes in one answer where there are no ranges", async () => {
    registry.intercept = ({ method, path }, response) => {
      if (method !== "GET" || !path.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": SIZE }).end(BYTES);
      return true;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
    expect(registry.log()).toHaveLength(1);
  });

  it("comes in one answer where ranges are refused", async () => {
    registry.intercept = ({ headers }, response) => {
      if (headers.range === undefined) return false;
      response.writeHead(416).end();
      return true;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
    expect(registry.log()).toHaveLength(2);
  });

  it("lacks only what was not there before", async () => {
    const present = Buffer.from(BYTES)
      .fill(0, 1000, 2000)
      .fill(0, SIZE - 10);
    const missing = [
      { start: 1000, end: 2000 },
      { start: SIZE - 10, end: SIZE },
    ];
    expect((await fetch(missing, present)).equals(BYTES)).toBe(true);
    expect(ranges()).toEqual(["bytes=1000-1999", `bytes=${SIZE - 10}-`]);
  });

  it("goes on within a piece whose connection broke", async () => {
    let breaks = 2;
    registry.intercept = ({ headers }, response) => {
      const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? Number.NaN);
      if (Number.isNaN(start) || breaks === 0) return false;
      breaks -= 1;
      response.writeHead(206, {
        "content-range": `bytes ${start}-${SIZE - 1}/${SIZE}`,
        "content-length": SIZE - start,
      });
      response.write(BYTES.subarray(start, start + 100_000), () => response.destroy());
      return true;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
    expect(ranges()).toContain("bytes=100000-16777215");
  });

  it("whose piece is refused ends with that error, and the other connections end too", async () => {
    registry.intercept = ({ headers }, response) => {
      if (headers.range !== "bytes=16777216-33554431") return false;
      response.writeHead(403).end();
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ code: "E_REGISTRY_DENIED" });
  });

  it("is not held up by tokens that end between its pieces", async () => {
    await registry.close();
    registry = await FakeRegistry.open({ auth: "token" });
    registry.addBlob("a", BYTES);
    client = new RegistryClient(registry.host, { transport: new HttpClient({ env: {}, retries: 1 }) });
    registry.intercept = () => {
      if (ranges().length === 3) registry.expireTokens();
      return false;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
    expect(registry.log().filter((line) => line.includes("/token"))).toHaveLength(2);
  });

  it("that sends more than a piece is cut there", async () => {
    registry.intercept = ({ headers }, response) => {
      const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? Number.NaN);
      if (Number.isNaN(start)) return false;
      response.writeHead(206, { "content-range": `bytes ${start}-${SIZE - 1}/${SIZE}` }).end(BYTES.subarray(start));
      return true;
    };
    expect((await fetch()).equals(BYTES)).toBe(true);
  });
});
