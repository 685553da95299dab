// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HttpClient } from "../http/index.ts";
import { searchHub } from "./search-hub.ts";
import type { RegistryTransport } from "./types.ts";

let server: Server | undefined;
const asked: string[] = [];

afterEach(() => {
  server?.close();
  asked.splice(0);
});

/** A server that stands for index.docker.io. */
async function hub(status: number, body: string, headers: Record<string, string> = {}): Promise<RegistryTransport> {
  server = createServer((message, response) => {
    asked.push(`${message.url ?? ""} ${message.headers.authorization ?? "-"}`);
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpClient({ env: {}, retries: 0 });
  return {
    request: (request) => client.request({ ...request, url: request.url.replace("https://index.docker.io", base) }),
  };
}

const PYTHON = { name: "python", description: "A language.", star_count: 9000, is_official: true, is_automated: false };

describe("Docker Hub's search", () => {
  it("is asked without credentials, and its fields are read with care", async () => {
    const results = [PYTHON, { name: 7, star_count: "many" }, null];
    const transport = await hub(200, JSON.stringify({ num_results: 3, results }));
    expect(await searchHub(transport, { term: "py thon/x", limit: 25 })).toEqual([
      { name: "python", description: "A language.", stars: 9000, isOfficial: true, isAutomated: false },
      { name: "", description: "", stars: 0, isOfficial: false, isAutomated: false },
    ]);
    expect(asked).toEqual(["/v1/search?q=py%20thon%2Fx&n=25 -"]);
  });

  it("gives no more than was asked for", async () => {
    const transport = await hub(200, JSON.stringify({ results: Array.from({ length: 30 }, () => PYTHON) }));
    expect(await searchHub(transport, { term: "x", limit: 3 })).toHaveLength(3);
  });

  it.each([
    ["a page of HTML", 200, "<html>", "no list of results"],
    ["JSON of another kind", 200, "[]", "no list of results"],
    ["a problem of its own", 503, "", "answers 503"],
    ["too many questions", 429, "", "answers 429"],
    ["too much", 200, `"${"x".repeat(5 << 20)}"`, "bytes came"],
  ])("that answers with %s is an error", async (_, status, body, words) => {
    const transport = await hub(status, body, { "retry-after": "3600" });
    await expect(searchHub(transport, { term: "x", limit: 1 })).rejects.toMatchObject({
      code: "E_REGISTRY",
      message: expect.stringMatching(new RegExp(`^(?:searching Docker Hub|reading).*${words}`)),
    });
  });
});
