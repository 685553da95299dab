// SPDX-License-Identifier: Apache-2.0
// What the docker client of this machine makes of `--gpus` is what the table has that the parser is tested with: a
// server in the place of the daemon takes down the body of POST /containers/create.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPrograms } from "../support/peer-program.ts";

interface Row {
  readonly value: string;
  readonly request?: unknown;
  readonly error?: string;
}

const TABLE = join(import.meta.dirname, "../../src/options/testdata/gpus.json");
const { rows } = JSON.parse(readFileSync(TABLE, "utf8")) as { readonly rows: readonly Row[] };

/** What was sent, by the container's name. */
const sent = new Map<string, unknown>();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? "", "http://daemon");
  response.setHeader("Api-Version", "1.41");
  response.setHeader("Content-Type", "application/json");
  if (pathname.endsWith("/_ping")) return void response.end("OK");
  const body = JSON.parse(Buffer.concat(parts).toString()) as { HostConfig: { DeviceRequests: readonly unknown[] } };
  sent.set(searchParams.get("name") ?? "", body.HostConfig.DeviceRequests[0]);
  response.statusCode = 201;
  response.end('{"Id":"0","Warnings":[]}');
}

/** Whether the client took it. */
async function create(socket: string, folder: string, name: string, value: string): Promise<boolean> {
  const words = ["-H", `unix://${socket}`, "create", "--name", name, "--gpus", value, "image"];
  const env = { ...process.env, HOME: folder, DOCKER_CONFIG: folder };
  return await new Promise((done) => execFile("docker", words, { env }, (error) => done(error === null)));
}

const test = hasPrograms(undefined, "docker") ? it : it.skip;

describe("the table of `--gpus`", () => {
  const folder = mkdtempSync(join(tmpdir(), "tare-gpus-"));
  const socket = join(folder, "s");
  const server = createServer((request, response) => void answer(request, response));
  beforeAll(async () => await new Promise<void>((done) => void server.listen(socket, done)));
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("has what the client sends, and what it refuses", async () => {
    const measured: unknown[] = [];
    const queue = rows.map((row, index) => ({ ...row, name: `row${index}` }));
    const work = async (): Promise<void> => {
      for (let row = queue.shift(); row; row = queue.shift()) {
        const taken = await create(socket, folder, row.name, row.value);
        measured.push({ value: row.value, taken, ...(taken ? { request: sent.get(row.name) } : {}) });
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    const wanted = rows.map(({ value, request }) => ({
      value,
      taken: request !== undefined,
      ...(request === undefined ? {} : { request }),
    }));
    expect(measured).toHaveLength(rows.length);
    expect(measured).toEqual(expect.arrayContaining(wanted));
  });
});
