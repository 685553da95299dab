// SPDX-License-Identifier: Apache-2.0
/* The parts that tests of Python wheels stand on: the pinned list, made wheels, the index of this machine. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWheel } from "./support/wheel-fixture.ts";
import { startIndex } from "./support/wheel-index.ts";
import type { IndexPeer } from "./support/wheel-index.ts";
import { TEST_WHEELS, testWheel } from "./support/wheels.ts";

describe("test/support/wheels.json", () => {
  it("costs less than 900 MB", () => {
    expect(TEST_WHEELS.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(900e6);
  });

  it("names each file once, by digest", () => {
    expect(new Set(TEST_WHEELS.map(({ fileName }) => fileName)).size).toBe(TEST_WHEELS.length);
    expect(TEST_WHEELS.filter(({ sha256 }) => !/^[0-9a-f]{64}$/.test(sha256))).toEqual([]);
  });

  it("finds the newest version, or the one asked for", () => {
    expect(testWheel("idna").version).not.toBe("3.10");
    expect(testWheel("idna==3.10").version).toBe("3.10");
    expect(() => testWheel("no-such-thing")).toThrow(/not in/);
  });
});

describe("an index of this machine", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "wheel-index-"));
  let index: IndexPeer;

  beforeAll(async () => {
    const { fileName, bytes } = makeWheel({ name: "Some_Demo", requires: ["other"] });
    const path = join(folder, fileName);
    fs.writeFileSync(path, bytes);
    index = await startIndex([path], { credentials: "me:secret" });
  });
  afterAll(async () => {
    await index.stop();
    fs.rmSync(folder, { recursive: true });
  });

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => {
    const authorization = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    return fetch(`http://127.0.0.1:${index.port}${path}`, { headers: { authorization, ...headers } });
  };

  it("lists a project in both forms, with digests and metadata", async () => {
    const accept = "application/vnd.pypi.simple.v1+json";
    const { files } = (await (await get("/simple/some-demo/", { accept })).json()) as { files: { url: string }[] };
    expect(files).toMatchObject([
      { filename: "Some_Demo-1.0-py3-none-any.whl", "core-metadata": { sha256: expect.any(String) as unknown } },
    ]);
    expect(await (await get("/simple/some-demo/")).text()).toMatch(/#sha256=[0-9a-f]{64}" data-core-metadata=/);
    expect(await (await get(`${files[0]?.url}.metadata`)).text()).toContain("Requires-Dist: other");
  });

  it("sends parts of a file", async () => {
    const path = "/files/Some_Demo-1.0-py3-none-any.whl";
    const whole = Buffer.from(await (await get(path)).arrayBuffer());
    const part = await get(path, { range: "bytes=-22" });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, whole.subarray(-22)]);
  });

  it("wants its credentials, and tells what it was asked", async () => {
    await index.requests();
    expect((await fetch(`http://127.0.0.1:${index.port}/simple/`)).status).toBe(401);
    expect((await get("/simple/nothing/")).status).toBe(404);
    expect(await index.requests()).toEqual(["GET /simple/", "GET /simple/nothing/"]);
  });
});
