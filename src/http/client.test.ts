// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HttpClient } from "./client.ts";
import { resumedBody } from "./resumed-body.ts";
import { redactUrl, withoutCredentials } from "./url.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let server: Server;
let other: Server;
let handler: Handler = (_request, response) => void response.end();
const seen: { readonly url: string; readonly headers: IncomingMessage["headers"] }[] = [];

async function serve(): Promise<Server> {
  const made = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.headers });
    handler(request, response, seen.length);
  });
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  return made;
}

beforeAll(async () => {
  server = await serve();
  other = await serve();
});
afterAll(() => {
  for (const each of [server, other]) {
    each.closeAllConnections();
    each.close();
  }
});
afterEach(() => void seen.splice(0));

function at(path: string, which: Server = server): string {
  return `http://127.0.0.1:${(which.address() as AddressInfo).port}${path}`;
}

const client = new HttpClient({ env: {}, idleMs: 500, retries: 2 });

describe("the client", () => {
  it("gives every status as an answer", async () => {
    handler = (_request, response) => void response.writeHead(404, { "x-a": ["1", "2"] }).end("gone");
    const response = await client.request({ url: at("/x") });
    expect([response.status, response.headers["x-a"], await response.text()]).toEqual([404, "1, 2", "gone"]);
  });

  it.each([
    ["GET", 3],
    ["HEAD", 3],
    ["POST", 1],
    ["PATCH", 1],
  ] as const)("asks again after a 503: %s %d times", async (method, times) => {
    handler = (_request, response) => void response.writeHead(503, { "retry-after": "0" }).end();
    const response = await client.request({ url: at("/busy"), method });
    response.discard();
    expect([response.status, seen.length]).toEqual([503, times]);
  });

  it("gives the answer that came after failures", async () => {
    handler = (request, response, count) => (count < 3 ? request.socket.destroy() : response.end("at last"));
    expect(await (await client.request({ url: at("/") })).text()).toBe("at last");
  });

  it("gives up when nothing comes", async () => {
    handler = () => undefined;
    const impatient = new HttpClient({ env: {}, idleMs: 50, retries: 0 });
    await expect(impatient.request({ url: at("/") })).rejects.toMatchObject({
      code: "E_HTTP",
      message: expect.stringMatching(/no data for 0.05 seconds/),
    });
  });

  it("keeps credentials from another host", async () => {
    handler = (request, response) =>
      request.url === "/start"
        ? void response.writeHead(302, { location: at("/end", other) }).end()
        : void response.end();
    (
      await client.request({ url: at("/start"), headers: { authorization: "Basic x", cookie: "c", "x-other": "1" } })
    ).discard();
    expect(seen[0]?.headers.authorization).toBe("Basic x");
    expect([seen[1]?.headers.authorization, seen[1]?.headers.cookie, seen[1]?.headers["x-other"]]).toEqual([
      undefined,
      undefined,
      "1",
    ]);
  });

  it("keeps credentials on one host", async () => {
    handler = (request, response) =>
      request.url === "/start" ? void response.writeHead(307, { location: "/end" }).end() : void response.end();
    (await client.request({ url: at("/start"), headers: { authorization: "Basic x" } })).discard();
    expect(seen[1]).toMatchObject({ url: "/end", headers: { authorization: "Basic x" } });
  });

  it("follows ten redirects and no more", async () => {
    handler = (_request, response) => void response.writeHead(302, { location: "/again" }).end();
    await expect(client.request({ url: at("/") })).rejects.toMatchObject({
      code: "E_HTTP",
      message: /too many redirects/ as never,
    });
    expect(seen.length).toBe(11);
  });

  it("limits what is read as text", async () => {
    handler = (_request, response) => void response.end("x".repeat(1000));
    const response = await client.request({ url: at("/") });
    await expect(response.text(999)).rejects.toMatchObject({ code: "E_HTTP" });
  });

  it.each([
    ["http://127.0.0.1:1/x", /connection was refused/],
    ["http://name.invalid/", /name is not known/],
    ["ftp://127.0.0.1/x", /ftp is not http or https/],
  ] as const)("says what is wrong with %s", async (url, message) => {
    const once = new HttpClient({ env: {}, retries: 0 });
    await expect(once.request({ url })).rejects.toMatchObject({
      code: "E_HTTP",
      message: expect.stringMatching(message),
    });
  });

  it("stops when it is told to", async () => {
    handler = () => undefined;
    const control = new AbortController();
    setTimeout(() => control.abort(), 20);
    await expect(client.request({ url: at("/"), signal: control.signal })).rejects.toMatchObject({ code: "E_ABORTED" });
  });
});

describe("a body that goes on after a break", () => {
  const CONTENT = Buffer.from("0123456789".repeat(1000));

  /** Serves the content, and breaks off the first `breaks` answers after 1,000 bytes each. */
  function breaking(
    breaks: number,
    { tag = '"v1"', ranges = true }: { readonly tag?: string; readonly ranges?: boolean } = {},
  ): Handler {
    return (request, response, count) => {
      const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      const part = CONTENT.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, {
        etag: tag,
        "content-length": part.length,
        ...(from > 0 ? { "content-range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` } : {}),
      });
      if (count > breaks) return void response.end(part);
      response.write(part.subarray(0, 1000), () => setTimeout(() => response.destroy(), 10));
    };
  }

  async function read(): Promise<Buffer> {
    const request = { url: at("/wheel") };
    const chunks: Uint8Array[] = [];
    for await (const chunk of resumedBody(client, request, await client.request(request))) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  it.each([0, 1, 3])("is whole after %d breaks", async (breaks) => {
    handler = breaking(breaks);
    expect((await read()).equals(CONTENT)).toBe(true);
    expect(seen.map(({ headers }) => headers["if-range"])).toEqual([
      undefined,
      ...Array.from({ length: breaks }, () => '"v1"'),
    ]);
  });

  it.each([
    ["a server without ranges", breaking(9, { ranges: false })],
    ["a weak tag", breaking(9, { tag: 'W/"v1"' })],
  ] as const)("fails with %s", async (_title, broken) => {
    handler = broken;
    await expect(read()).rejects.toMatchObject({ code: "E_HTTP" });
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("fails when no byte comes any more", async () => {
    handler = (request, response, count) => {
      if (count === 1) return breaking(1)(request, response, count);
      response.writeHead(206, { etag: '"v1"', "content-length": 9000, "content-range": "bytes 1000-9999/10000" });
      response.flushHeaders();
      setTimeout(() => response.destroy(), 5);
    };
    await expect(read()).rejects.toMatchObject({ code: "E_HTTP" });
    expect(seen.length).toBe(5);
  });
});

describe("URLs in messages", () => {
  it.each([
    ["https://user:pass@host.example:8443/simple/x?token=1#f", "https://host.example:8443/simple/x"],
    ["not a url", "the URL"],
  ])("%s is shown as %s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it("keeps everything but the user", () => {
    expect(withoutCredentials("https://u:p@host.example/a?b#c")).toBe("https://host.example/a?b#c");
  });
});
