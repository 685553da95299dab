// SPDX-License-Identifier: Apache-2.0
/* For tests only: a registry in this process, whose answers a test may change. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../base/index.ts";

/** What was asked. */
export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** Handles a request instead of the registry: true when it answered. */
export type Interceptor = (
  request: SeenRequest,
  response: ServerResponse,
  message: IncomingMessage,
) => boolean | Promise<boolean>;

/** How the registry is set up. */
export interface FakeOptions {
  /** `token`: bearer tokens from its own token server; `basic`: user and password on each request. */
  readonly auth?: "none" | "basic" | "token";
  /** Who may log in; the password of `ann` is `secret`. Anonymous users get tokens to pull with. */
  readonly users?: Readonly<Record<string, string>>;
  /** Where its token server is said to be; default `/token` of its own host. */
  readonly realm?: string;
  /** It has the referrers API; `pages`: one entry at a time. */
  readonly referrers?: "none" | "whole" | "pages";
  readonly intercept?: Interceptor;
}

interface Stored {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A running fake. */
export class FakeRegistry {
  /** By digest; shared by all repositories that `owners` names. */
  readonly blobs: Map<string, Buffer> = new Map<string, Buffer>();
  /** Repositories that have a blob, by digest. */
  readonly owners: Map<string, Set<string>> = new Map<string, Set<string>>();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, Stored> = new Map<string, Stored>();
  readonly seen: SeenRequest[] = [];
  /** Bytes of the bodies of requests since somebody set it to 0. */
  received = 0;
  intercept: Interceptor | undefined;
  readonly #options: FakeOptions;
  readonly #server: Server;
  readonly #uploads = new Map<string, Buffer>();
  readonly #tokens = new Map<string, string>();
  #count = 0;

  private constructor(options: FakeOptions) {
    this.#options = options;
    this.intercept = options.intercept;
    this.#server = createServer((message, response) => {
      this.handle(message, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async open(options: FakeOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Requests as `METHOD path`, without the ping. */
  log(): readonly string[] {
    return this.seen.map(({ method, path }) => `${method} ${path}`).filter((line) => line !== "GET /v2/");
  }

  addBlob(repository: string, bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    this.owners.set(digest, new Set([...(this.owners.get(digest) ?? []), repository]));
    return digest;
  }

  addManifest(repository: string, tag: string, stored: Stored): string {
    const digest = digestOf(stored.bytes);
    this.manifests.set(`${repository}:${tag}`, stored).set(`${repository}@${digest}`, stored);
    return digest;
  }

  /** An upload that has some bytes. */
  startUpload(id: string, bytes: Buffer): void {
    this.#uploads.set(id, bytes);
  }

  /** All tokens stop being good. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Answers a request; also one that another server of the test took in. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = { method: message.method ?? "", path: message.url ?? "", headers: message.headers };
    this.seen.push(request);
    if (this.intercept && (await this.intercept(request, response, message))) return;
    const body = await this.#read(request, message);
    const { status, headers = {}, body: answer = "" } = this.#answer(request, body);
    response.writeHead(status, { "content-length": String(Buffer.byteLength(answer)), ...headers });
    response.end(request.method === "HEAD" ? undefined : answer);
  }

  /** Of a chunk that breaks off, what came stays in its session. */
  async #read({ method, path }: SeenRequest, message: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of message) {
        chunks.push(chunk as Buffer);
        this.received += (chunk as Buffer).length;
      }
    } catch (error) {
      const id = /\/blobs\/uploads\/([^/?]+)/.exec(path)?.[1] ?? "";
      const known = this.#uploads.get(id);
      if (known && method === "PATCH") this.#uploads.set(id, Buffer.concat([known, ...chunks]));
      throw error;
    }
    return Buffer.concat(chunks);
  }

  #answer(request: SeenRequest, body: Buffer): Reply {
    const url = new URL(request.path, `http://${this.host}`);
    if (url.pathname === "/token") return this.#giveToken(request, url, body);
    const refused = this.#refuse(request, url);
    if (refused) return refused;
    if (url.pathname === "/v2/") return { status: 200, body: "{}" };
    const [, repository = "", kind = "", rest = ""] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === "referrers") return this.#referrers(url, repository, rest);
    if (kind === "blobs/uploads") return this.#upload(request, { url, repository, id: rest, body });
    if (kind === "blobs") return this.#blob(request, repository, rest);
    if (kind === "manifests") return this.#manifest(request, { repository, name: rest, body });
    return kind === "tags" ? this.#tags(repository) : failure(404, "NAME_UNKNOWN");
  }

  #refuse({ headers, method }: SeenRequest, url: URL): Reply | undefined {
    const { auth = "none", users = { ann: "secret" } } = this.#options;
    if (auth === "none") return undefined;
    const authorization = headers.authorization ?? "";
    if (auth === "basic") {
      const ok = Object.entries(users).some((pair) => authorization === `Basic ${btoa(pair.join(":"))}`);
      return ok ? undefined : { ...failure(401, "UNAUTHORIZED"), headers: { "www-authenticate": 'Basic realm="x"' } };
    }
    const scope = this.#tokens.get(authorization.replace(/^Bearer /, ""));
    const isWrite = method !== "GET" && method !== "HEAD";
    if (scope !== undefined && (!isWrite || scope.includes("push"))) return undefined;
    const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags)\//.exec(url.pathname)?.[1];
    const wanted =
      repository === undefined ? "" : `,scope="repository:${repository}:${isWrite ? "pull,push" : "pull"}"`;
    const { realm = `http://${this.host}/token` } = this.#options;
    const challenge = `Bearer realm="${realm}",service="fake, registry"${wanted}`;
    return { ...failure(401, "UNAUTHORIZED"), headers: { "www-authenticate": challenge } };
  }

  #giveToken({ headers, method }: SeenRequest, url: URL, body: Buffer): Reply {
    const { users = { ann: "secret" } } = this.#options;
    const form = method === "POST" ? new URLSearchParams(body.toString()) : url.searchParams;
    const authorization = headers.authorization;
    const isKnown =
      Object.entries(users).some((pair) => authorization === `Basic ${btoa(pair.join(":"))}`) ||
      form.get("refresh_token") === "refresh";
    if (!isKnown && (authorization !== undefined || form.has("refresh_token"))) return failure(401, "UNAUTHORIZED");
    const scopes = form.getAll("scope").join(" ");
    this.#count += 1;
    const token = `token-${this.#count}`;
    this.#tokens.set(token, isKnown ? scopes : scopes.replaceAll(",push", ""));
    return { status: 200, body: JSON.stringify({ token, expires_in: 300 }) };
  }

  #blob({ method, headers }: SeenRequest, repository: string, digest: string): Reply {
    const bytes = this.owners.get(digest)?.has(repository) ? this.blobs.get(digest) : undefined;
    if (!bytes) return failure(404, "BLOB_UNKNOWN");
    const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
    if (method !== "GET" || start === undefined) {
      return { status: 200, body: bytes, headers: { "docker-content-digest": digest } };
    }
    const [from, to] = [Number(start), end ? Number(end) + 1 : bytes.length];
    const range = `bytes ${from}-${to - 1}/${bytes.length}`;
    return { status: 206, body: bytes.subarray(from, to), headers: { "content-range": range } };
  }

  #upload({ method, headers }: SeenRequest, job: UploadJob): Reply {
    const { url, repository, body } = job;
    const location = (id: string): Record<string, string> => ({
      location: `/v2/${repository}/blobs/uploads/${id}?_state=a%3Db`,
      range: `0-${Math.max(0, (this.#uploads.get(id)?.length ?? 0) - 1)}`,
    });
    if (method === "POST") {
      const mount = url.searchParams.get("mount") ?? "";
      if (this.owners.get(mount)?.has(url.searchParams.get("from") ?? "")) {
        this.owners.get(mount)?.add(repository);
        return { status: 201, headers: { location: `/v2/${repository}/blobs/${mount}` } };
      }
      this.#count += 1;
      this.#uploads.set(String(this.#count), Buffer.alloc(0));
      return { status: 202, headers: location(String(this.#count)) };
    }
    const known = this.#uploads.get(job.id);
    if (!known || url.searchParams.get("_state") !== "a=b") return failure(404, "BLOB_UPLOAD_UNKNOWN");
    if (method === "GET") return { status: 204, headers: location(job.id) };
    const start = /^(\d+)-/.exec(headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) !== known.length) return { status: 416, headers: location(job.id) };
    const bytes = Buffer.concat([known, body]);
    this.#uploads.set(job.id, bytes);
    if (method === "PATCH") return { status: 202, headers: location(job.id) };
    if (digestOf(bytes) !== url.searchParams.get("digest")) return failure(400, "DIGEST_INVALID");
    this.#uploads.delete(job.id);
    this.addBlob(repository, bytes);
    return { status: 201, headers: { location: `/v2/${repository}/blobs/${digestOf(bytes)}` } };
  }

  #manifest({ method, headers }: SeenRequest, job: { repository: string; name: string; body: Buffer }): Reply {
    const { repository, name, body } = job;
    if (method === "PUT") {
      const missing = blobsOf(body).find((digest) => !this.owners.get(digest)?.has(repository));
      if (missing !== undefined) return failure(400, "MANIFEST_BLOB_UNKNOWN");
      const digest = this.addManifest(repository, name, { bytes: body, mediaType: headers["content-type"] ?? "" });
      const { subject } = JSON.parse(body.toString()) as Referring;
      const listed = subject && this.#hasReferrers ? { "oci-subject": subject.digest } : {};
      return { status: 201, headers: { "docker-content-digest": digest, ...listed } };
    }
    const stored = this.manifests.get(`${repository}${name.startsWith("sha256:") ? "@" : ":"}${name}`);
    if (!stored) return failure(404, "MANIFEST_UNKNOWN");
    const digest = digestOf(stored.bytes);
    const facts = { "content-type": stored.mediaType, "docker-content-digest": digest };
    return { status: 200, body: stored.bytes, headers: facts };
  }

  get #hasReferrers(): boolean {
    return (this.#options.referrers ?? "none") !== "none";
  }

  #referrers(url: URL, repository: string, subject: string): Reply {
    if (!this.#hasReferrers) return { status: 404, body: "404 page not found" };
    const own = [...this.manifests].filter(([key]) => key.startsWith(`${repository}@`));
    const manifests = own.flatMap(([key, { bytes, mediaType }]) => {
      const value = JSON.parse(bytes.toString()) as Referring;
      if (value.subject?.digest !== subject) return [];
      const artifactType = value.artifactType ?? value.config?.mediaType;
      return [{ mediaType, digest: key.slice(repository.length + 1), size: bytes.length, artifactType }];
    });
    const at = Number(url.searchParams.get("at") ?? "0");
    const isPaged = this.#options.referrers === "pages";
    const next = `<${url.pathname}?at=${at + 1}>; rel="next"`;
    const page = isPaged ? manifests.slice(at, at + 1) : manifests;
    return {
      status: 200,
      body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: page }),
      headers: { "content-type": INDEX, ...(isPaged && at + 1 < manifests.length ? { link: next } : {}) },
    };
  }

  #tags(repository: string): Reply {
    const tags = [...this.manifests.keys()].flatMap((key) =>
      key.startsWith(`${repository}:`) ? [key.slice(repository.length + 1)] : [],
    );
    return {
      status: 200,
      body: JSON.stringify({ name: repository, tags: tags.filter((tag) => !tag.includes("sha")) }),
    };
  }
}

const INDEX = "application/vnd.oci.image.index.v1+json";

interface Referring {
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string };
}

interface UploadJob {
  readonly url: URL;
  readonly repository: string;
  readonly id: string;
  readonly body: Buffer;
}

function failure(status: number, code: string): Reply {
  return { status, body: JSON.stringify({ errors: [{ code, message: "said by the registry" }] }) };
}

function blobsOf(manifest: Buffer): readonly string[] {
  const value = JSON.parse(manifest.toString()) as { config?: { digest: string }; layers?: { digest: string }[] };
  return [value.config, ...(value.layers ?? [])].flatMap((blob) => (blob ? [blob.digest] : []));
}
