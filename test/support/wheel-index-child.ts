// SPDX-License-Identifier: Apache-2.0
/* The thread of wheel-index.ts. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { openZip } from "../../src/archive/index.ts";
import { TEST_WHEELS, projectOf } from "./wheels.ts";
import type { IndexFiles } from "./wheel-index.ts";

interface ServedFile {
  readonly path: string;
  readonly fileName: string;
  readonly size: number;
  readonly sha256: string;
  /** Of a wheel. */
  readonly metadata?: Buffer;
}

const { paths, options } = workerData as IndexFiles;
const requests: string[] = [];
const files = new Map(paths.map((path) => [basename(path), serve(path)]));
const projects = Map.groupBy(files.values(), ({ fileName }) => projectOf(fileName));

function serve(path: string): ServedFile {
  const fileName = basename(path);
  const { size } = fs.statSync(path);
  const pinned = TEST_WHEELS.find((wheel) => wheel.fileName === fileName && wheel.size === size)?.sha256;
  const metadata = options.metadata === false || !fileName.endsWith(".whl") ? undefined : metadataOf(path);
  const sha256 = pinned ?? sha256Of(fs.readFileSync(path));
  return { path, fileName, size, sha256, ...(metadata ? { metadata } : {}) };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function metadataOf(path: string): Buffer | undefined {
  const zip = openZip(path);
  try {
    const entry = zip.entries.find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
    return entry && zip.readEntry(entry);
  } finally {
    zip.close();
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
  const wanted = options.credentials && `Basic ${Buffer.from(options.credentials).toString("base64")}`;
  if (wanted !== undefined && request.headers.authorization !== wanted) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    return;
  }
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://index").pathname);
  const [, project] = /^\/simple\/([^/]+)\/?$/.exec(path) ?? [];
  const [, name = ""] = /^\/files\/([^/]+)$/.exec(path) ?? [];
  const list = project === undefined ? undefined : projects.get(project.replaceAll(/[-_.]+/g, "-").toLowerCase());
  const file = files.get(name);
  const described = files.get(name.replace(/\.metadata$/, ""))?.metadata;
  if (path === "/simple/") page(request, response, { names: [...projects.keys()] });
  else if (list) page(request, response, { name: project ?? "", files: list });
  else if (file) send(request, response, file);
  else if (described && name.endsWith(".metadata")) response.end(described);
  else response.writeHead(404).end();
}

type Page = { readonly names: readonly string[] } | { readonly name: string; readonly files: readonly ServedFile[] };

function page(request: IncomingMessage, response: ServerResponse, shown: Page): void {
  const isJson = (request.headers.accept ?? "").includes("application/vnd.pypi.simple.v1+json");
  if (options.isCacheable) response.setHeader("cache-control", "max-age=600, public");
  response.setHeader("content-type", isJson ? "application/vnd.pypi.simple.v1+json" : "text/html");
  response.end(isJson ? JSON.stringify(json(shown)) : `<!DOCTYPE html><html><body>${html(shown)}</body></html>`);
}

function json(shown: Page): unknown {
  const meta = { "api-version": "1.0" };
  if ("names" in shown) return { meta, projects: shown.names.map((name) => ({ name })) };
  const list = shown.files.map(({ fileName, size, sha256, metadata }) => ({
    filename: fileName,
    url: `/files/${encodeURIComponent(fileName)}`,
    hashes: { sha256 },
    size,
    ...(metadata
      ? { "core-metadata": { sha256: sha256Of(metadata) }, "data-dist-info-metadata": { sha256: sha256Of(metadata) } }
      : {}),
  }));
  return { meta, name: shown.name, files: list };
}

function html(shown: Page): string {
  if ("names" in shown) return shown.names.map((name) => `<a href="/simple/${name}/">${name}</a>`).join("\n");
  return shown.files
    .map(({ fileName, sha256, metadata }) => {
      const described = metadata ? ` data-core-metadata="sha256=${sha256Of(metadata)}"` : "";
      return `<a href="/files/${encodeURIComponent(fileName)}#sha256=${sha256}"${described}>${fileName}</a>`;
    })
    .join("\n");
}

/** One range of bytes at most, as clients that read a wheel's directory ask for. */
function send(request: IncomingMessage, response: ServerResponse, { path, size, sha256 }: ServedFile): void {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const start = first === "" && last !== "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first !== "" && last !== "" ? Math.min(Number(last), size - 1) : size - 1;
  const isPart = first !== "" || last !== "";
  if (isPart && start >= size) {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  response.writeHead(isPart ? 206 : 200, {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "cache-control": "max-age=365000000, immutable, public",
    "content-length": end - start + 1,
    ...(options.isCacheable ? { etag: `"${sha256}"`, "cache-control": "max-age=365000000, immutable, public" } : {}),
    ...(isPart ? { "content-range": `bytes ${start}-${end}/${size}` } : {}),
  });
  if (request.method === "HEAD") response.end();
  else fs.createReadStream(path, { start, end, highWaterMark: 1 << 18 }).pipe(response);
}

const server = createServer(answer).listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  parentPort?.postMessage({ port }, []);
});
parentPort?.on("message", () => parentPort?.postMessage({ requests: requests.splice(0) }, []));
