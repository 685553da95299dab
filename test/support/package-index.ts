// SPDX-License-Identifier: Apache-2.0
/* A package index of tiny wheels, in this process: PEP 503 and PEP 691, behind Basic authentication where wanted. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { makeZip } from "../../src/archive/zip/fixture.ts";

/** What a distribution on the index is. */
export interface IndexedPackage {
  /** Requires-Dist, one each. */
  readonly requires?: readonly string[];
  readonly requiresPython?: string;
  /** `py3-none-any`. */
  readonly tag?: string;
  readonly yanked?: string;
  /** Extra names of the metadata. */
  readonly extras?: readonly string[];
  /** Files of the wheel besides `NAME.py`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Name of the index: the first part of its path. Default `simple`. */
  readonly index?: string;
  /** The bytes of an sdist in place of a wheel. */
  readonly sdist?: Buffer;
  /** Neither hash nor size are told. */
  readonly isBare?: boolean;
}

/** How an index is opened. */
export interface IndexOptions {
  readonly user?: string;
  readonly password?: string;
  /** Pages are HTML only, as small indexes serve them. */
  readonly htmlOnly?: boolean;
}

interface IndexedFile extends IndexedPackage {
  readonly project: string;
  readonly fileName: string;
  readonly bytes: Buffer;
  readonly metadata: string;
}

/** A running index. */
export interface PackageIndex {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `…/simple` */
  readonly url: string;
  /** The same with user and password. */
  readonly urlWithPassword: string;
  /** `METHOD path` of every request that was let in. */
  readonly requests: readonly string[];
  /** The Authorization headers that came. */
  readonly authorizations: readonly string[];
  add(name: string, version: string, about?: IndexedPackage): void;
  /** What answers requests; for a server of another kind. */
  readonly listener: RequestListener;
  close(): Promise<void>;
}

/** Starts an index without packages. */
export async function startPackageIndex(options: IndexOptions = {}): Promise<PackageIndex> {
  const files: IndexedFile[] = [];
  const requests: string[] = [];
  const authorizations: string[] = [];
  const { user, password = "" } = options;
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization } = request.headers;
    if (authorization !== undefined) authorizations.push(authorization);
    if (wanted !== undefined && authorization !== wanted) return refuse(response);
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    answer(files, options, request, response);
  };
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const secret = user === undefined ? "" : `${user}:${encodeURIComponent(password)}@`;
  return {
    origin,
    url: `${origin}/simple`,
    urlWithPassword: `http://${secret}127.0.0.1:${port}/simple`,
    requests,
    authorizations,
    listener,
    add: (name, version, about = {}) => void files.push(fileOf(name, version, about)),
    close: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

function refuse(response: ServerResponse): void {
  response.writeHead(401, { "www-authenticate": 'Basic realm="packages"' }).end("who are you");
}

function fileOf(name: string, version: string, about: IndexedPackage): IndexedFile {
  const project = name.toLowerCase().replaceAll(/[-_.]+/g, "-");
  const module = project.replaceAll("-", "_");
  const metadata = metadataOf(name, version, about);
  const { sdist } = about;
  if (sdist) return { ...about, project, fileName: `${module}-${version}.tar.gz`, bytes: sdist, metadata };
  const fileName = `${module}-${version}-${about.tag ?? "py3-none-any"}.whl`;
  return { ...about, project, fileName, bytes: wheelOf(module, version, metadata, about), metadata };
}

function metadataOf(name: string, version: string, about: IndexedPackage): string {
  const lines = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    ...(about.requiresPython === undefined ? [] : [`Requires-Python: ${about.requiresPython}`]),
    ...(about.extras ?? []).map((extra) => `Provides-Extra: ${extra}`),
    ...(about.requires ?? []).map((requirement) => `Requires-Dist: ${requirement}`),
  ];
  return `${lines.join("\n")}\n`;
}

function wheelOf(module: string, version: string, metadata: string, about: IndexedPackage): Buffer {
  const tag = about.tag ?? "py3-none-any";
  const info = `${module}-${version}.dist-info`;
  const content: Record<string, string> = {
    [`${module}.py`]: `VERSION = "${version}"\n`,
    ...about.files,
    [`${info}/METADATA`]: metadata,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
  };
  const rows = Object.entries(content).map(([path, text]) => {
    const hash = createHash("sha256").update(text).digest("base64url");
    return `${path},sha256=${hash},${Buffer.byteLength(text)}\n`;
  });
  const record = `${rows.join("")}${info}/RECORD,,\n`;
  const entries = [...Object.entries(content), [`${info}/RECORD`, record] as const];
  return makeZip(entries.map(([entry, text]) => ({ name: entry, content: text })));
}

function answer(
  files: readonly IndexedFile[],
  options: IndexOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = new URL(request.url ?? "/", "http://index");
  const [, index = "", project, rest] = /^\/(.*?)\/([^/]+)(?:\/([^/]*))?$/.exec(pathname) ?? [];
  if (index === "files") return sendFile(files, project ?? "", request, response);
  const found = files.filter((file) => file.project === project && (file.index ?? "simple") === index);
  if (rest !== "" || found.length === 0) return void response.writeHead(404).end("no such project");
  const isJson = options.htmlOnly !== true && /json/.test(request.headers.accept ?? "");
  const type = isJson ? "application/vnd.pypi.simple.v1+json" : "text/html";
  response.writeHead(200, { "content-type": type }).end(isJson ? jsonPage(project ?? "", found) : htmlPage(found));
}

function sendFile(
  files: readonly IndexedFile[],
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const wanted = decodeURIComponent(name);
  const file = files.find(({ fileName }) => wanted === fileName || wanted === `${fileName}.metadata`);
  if (!file) return void response.writeHead(404).end("no such file");
  const body = wanted.endsWith(".metadata") ? Buffer.from(file.metadata) : file.bytes;
  response.writeHead(200, { "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

function jsonPage(name: string, files: readonly IndexedFile[]): string {
  const rows = files.map(({ fileName, bytes, requiresPython, yanked, sdist, isBare }) => ({
    filename: fileName,
    url: `/files/${encodeURIComponent(fileName)}`,
    hashes: isBare ? {} : { sha256: sha256(bytes) },
    ...(isBare ? {} : { size: bytes.length }),
    ...(requiresPython === undefined ? {} : { "requires-python": requiresPython }),
    yanked: yanked ?? false,
    "core-metadata": sdist === undefined,
  }));
  return JSON.stringify({ meta: { "api-version": "1.1" }, name, files: rows });
}

function htmlPage(files: readonly IndexedFile[]): string {
  const rows = files.map(({ fileName, bytes, requiresPython, yanked, isBare }) => {
    const fragment = isBare ? "" : `#sha256=${sha256(bytes)}`;
    const python = requiresPython === undefined ? "" : ` data-requires-python="${requiresPython.replace(">", "&gt;")}"`;
    const gone = yanked === undefined ? "" : ` data-yanked="${yanked}"`;
    return `<a href="/files/${encodeURIComponent(fileName)}${fragment}"${python}${gone}>${fileName}</a><br>\n`;
  });
  return `<!DOCTYPE html><html><body>\n${rows.join("")}</body></html>\n`;
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
