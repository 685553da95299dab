// SPDX-License-Identifier: Apache-2.0
/**
 * A package index on 127.0.0.1 (PEP 503, 691, 714) of the wheels in a folder, in a process of its own, because the
 * benchmark waits for commands without turning its event loop. Prints its port. Answers may be cached as from PyPI.
 */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { WheelFacts } from "./wheels.ts";

const [, , folder = "."] = process.argv;
const wheels: readonly WheelFacts[] = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8"));
const JSON_TYPE = "application/vnd.pypi.simple.v1+json";
const FOREVER = "max-age=365000000, immutable, public";

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURIComponent((request.url ?? "").replace(/\?.*/, ""));
  const [, project] = /^\/simple\/([^/]+)\/?$/.exec(path) ?? [];
  const [, file, isMetadata] = /^\/files\/([^/]+\.whl)(\.metadata)?$/.exec(path) ?? [];
  const found = wheels.find(({ fileName }) => fileName === file);
  if (project !== undefined) sendProject(request, response, project);
  else if (found && isMetadata !== undefined) send(response, "application/octet-stream", FOREVER, found.metadata);
  else if (found) sendFile(request, response, found);
  else response.writeHead(404).end();
}

function send(response: ServerResponse, type: string, caching: string, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(200, { "content-type": type, "cache-control": caching, "content-length": body.length }).end(body);
}

function sendProject(request: IncomingMessage, response: ServerResponse, project: string): void {
  const files = wheels.filter(({ name }) => name === project);
  if (files.length === 0) return void response.writeHead(404).end();
  const isJson = (request.headers.accept ?? "").includes(JSON_TYPE);
  const text = isJson ? JSON.stringify(projectJson(project, files)) : projectHtml(files);
  send(response, isJson ? JSON_TYPE : "text/html", "max-age=600, public", text);
}

function projectJson(name: string, files: readonly WheelFacts[]): object {
  return {
    meta: { "api-version": "1.1" },
    name,
    versions: [...new Set(files.map(({ version }) => version))],
    files: files.map(({ fileName, sha256, size, metadata }) => ({
      filename: fileName,
      url: `/files/${fileName}`,
      hashes: { sha256 },
      size,
      "core-metadata": { sha256: createHash("sha256").update(metadata).digest("hex") },
    })),
  };
}

function projectHtml(files: readonly WheelFacts[]): string {
  const links = files.map(({ fileName, sha256 }) => `<a href="/files/${fileName}#sha256=${sha256}">${fileName}</a>`);
  return `<!DOCTYPE html><html><body>${links.join("<br>")}</body></html>`;
}

/** Whole files, and the one range that installers ask for. */
function sendFile(request: IncomingMessage, response: ServerResponse, { fileName, sha256, size }: WheelFacts): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = last === undefined || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  response.writeHead(first === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "cache-control": FOREVER,
    etag: `"${sha256}"`,
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(first === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === "HEAD") return void response.end();
  createReadStream(join(folder, fileName), { start, end, highWaterMark: 1 << 20 }).pipe(response);
}

const server = createServer(answer);
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
