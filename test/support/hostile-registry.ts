// SPDX-License-Identifier: Apache-2.0
/*
 * A small internet whose hosts a test scripts: the client reaches every name through a proxy of this process, by http
 * and by https with a certificate that the client trusts.
 *
 *   client ──CONNECT registry.test:443──▶ proxy ──▶ TLS ──┐
 *          ──GET http://evil.test/x────▶ proxy ───────────┴─▶ recorded ─▶ script ─▶ else: an honest registry
 *                                                                            (registry.test, auth.test) or 404
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { join } from "node:path";
import { HttpClient } from "../../src/http/index.ts";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import type { FakeOptions } from "../../src/registry/fixture.ts";

/** A request that reached a host. */
export interface Visit {
  /** `GET https://registry.test/v2/`, without the query. */
  readonly line: string;
  /** `registry.test`, as the client named it. */
  readonly host: string;
  readonly isTls: boolean;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** How often a script's rule has met such a request, this one included. */
  readonly count: number;
}

/** Answers a request, or destroys its connection. */
export type Act = (visit: Visit, response: ServerResponse, message: IncomingMessage) => void | Promise<void>;

/** What becomes of requests whose line fits; undefined: the next rule is asked. */
export type Rule = readonly [pattern: RegExp, act: Act];

/** A certificate for all names of the small internet, and its key. */
export interface Certificate {
  readonly path: string;
  readonly key: string;
}

/** The hosts that the certificate is for. */
const HOSTS: readonly string[] = [
  "registry.test",
  "auth.test",
  "cdn.test",
  "evil.test",
  "registry-1.docker.io",
  "auth.docker.io",
];

/** Why there can be no such internet here; undefined when there can. */
export function whyNoHostileRegistry(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not installed";
}

/** Makes a certificate that is its own authority. */
export function makeHostileCertificate(folder: string): Certificate {
  const [path, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const names = `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}`;
  const fresh = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const made = spawnSync("openssl", [
    ...fresh,
    "-subj",
    "/CN=registry.test",
    "-addext",
    names,
    "-keyout",
    key,
    "-out",
    path,
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`);
  return { path, key };
}

/** How a small internet is set up. */
export interface HostileOptions extends Pick<FakeOptions, "auth"> {
  readonly certificate: Certificate;
  readonly rules?: readonly Rule[];
  /** Name of the registry; default `registry.test`. */
  readonly name?: string;
}

/** A running small internet. */
export class HostileRegistry {
  /** What `registry.test` is when no rule says otherwise. */
  readonly honest: FakeRegistry;
  readonly name: string;
  readonly visits: Visit[] = [];
  rules: readonly Rule[];
  readonly #certificate: Certificate;
  readonly #proxy: Server;
  readonly #tls: Server;
  readonly #tunnels = new Set<Duplex>();
  readonly #counts = new Map<Rule, number>();

  private constructor(honest: FakeRegistry, { certificate, rules = [], name = "registry.test" }: HostileOptions) {
    this.honest = honest;
    this.name = name;
    this.rules = rules;
    this.#certificate = certificate;
    this.#proxy = createServer((message, response) => this.#take(message, response, false));
    const files = { cert: fs.readFileSync(certificate.path), key: fs.readFileSync(certificate.key) };
    this.#tls = createTlsServer(files, (message, response) => this.#take(message, response, true));
    this.#proxy.on("connect", (_message, socket) => this.#tunnel(socket));
  }

  static async open(options: HostileOptions): Promise<HostileRegistry> {
    const { auth = "token", name = "registry.test" } = options;
    const realm = `https://${name === "registry.test" ? "auth.test" : "auth.docker.io"}/token`;
    const opened = new HostileRegistry(await FakeRegistry.open({ auth, realm }), options);
    opened.#proxy.listen(0, "127.0.0.1");
    await once(opened.#proxy, "listening");
    return opened;
  }

  /** A client that reaches the small internet and nothing else, and is impatient. */
  client(): HttpClient {
    const proxy = `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
    const env = { http_proxy: proxy, https_proxy: proxy };
    return new HttpClient({ env, caFiles: [this.#certificate.path], retries: 1, idleMs: 400, firstWaitMs: 5 });
  }

  async close(): Promise<void> {
    for (const socket of this.#tunnels) socket.destroy();
    this.#proxy.closeAllConnections();
    this.#proxy.close();
    await Promise.all([once(this.#proxy, "close"), this.honest.close()]);
  }

  #tunnel(socket: Duplex): void {
    this.#tunnels.add(socket);
    socket.on("close", () => this.#tunnels.delete(socket)).on("error", () => undefined);
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    this.#tls.emit("connection", socket);
  }

  #take(message: IncomingMessage, response: ServerResponse, isTls: boolean): void {
    message.on("error", () => undefined);
    this.#answer(message, response, isTls).catch((error: unknown) => response.destroy(error as Error));
  }

  async #answer(message: IncomingMessage, response: ServerResponse, isTls: boolean): Promise<void> {
    const { method = "", headers } = message;
    const url = new URL(message.url ?? "", `https://${headers.host ?? ""}`);
    const line = `${method} ${isTls ? "https" : "http"}://${url.host}${url.pathname}`;
    const rule = this.rules.find(([pattern]) => pattern.test(line));
    const count = rule ? (this.#counts.get(rule) ?? 0) + 1 : 0;
    if (rule) this.#counts.set(rule, count);
    const visit = { line, host: url.host, isTls, method, path: `${url.pathname}${url.search}`, headers, count };
    this.visits.push(visit);
    if (rule) return rule[1](visit, response, message);
    message.url = visit.path;
    const isKnown = url.host === this.name || url.host.startsWith("auth.");
    if (isKnown && isTls) return this.honest.handle(message, response);
    response.writeHead(404).end();
  }
}

/** Answers. */
export function reply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
): Act {
  return ({ method }, response, message) => {
    message.resume();
    response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
    response.end(method === "HEAD" ? undefined : body);
  };
}

/** Answers with an error as the distribution specification has it. */
export function refuse(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Act {
  return reply(status, headers, JSON.stringify({ errors: [{ code, message: "no" }] }));
}

/** Leads elsewhere. */
export function redirect(location: string, status = 307): Act {
  return reply(status, { location });
}

/** Ends the connection without a word. */
export const hangUp: Act = (_visit, response) => void response.destroy();

/** Never answers. */
export const silence: Act = () => undefined;

/** Writes bytes that need not be HTTP. */
export function raw(text: string): Act {
  return (_visit, response) => void response.socket?.end(text);
}

/** Announces all of the bytes, sends the first `sent`, and breaks off; `stalls`: keeps still instead. */
export function cut(bytes: Uint8Array, sent: number, stalls = false): Act {
  return (_visit, response) => {
    response.writeHead(200, { "content-length": String(bytes.length) });
    response.flushHeaders();
    response.write(bytes.subarray(0, sent), () => void (stalls || response.destroy()));
  };
}

/** The first requests are met by these, one each; later ones by the last. */
export function inTurn(...acts: readonly [Act, ...Act[]]): Act {
  return (visit, response, message) => (acts[visit.count - 1] ?? acts.at(-1) ?? silence)(visit, response, message);
}
