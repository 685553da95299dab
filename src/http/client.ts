// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "../base/index.ts";
import { openAnswer } from "./answer.ts";
import { connectionFailure, isTransient } from "./failure.ts";
import { retryAfter } from "./retry-after.ts";
import { redactUrl } from "./url.ts";
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { SecureContextOptions } from "node:tls";
import type { HostCertificateFiles, HttpClientOptions, HttpRequest, HttpResponse } from "./types.ts";

const RETRIES = 4;
const FIRST_WAIT_MS = 250;
const REDIRECTS = 10;
const IDLE_MS = 60_000;
const CONNECTIONS = 8;
const RETRY_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const LONGEST_WAIT_MS = 60_000;
/** Headers that belong to one host. */
const CREDENTIALS: readonly string[] = ["authorization", "cookie", "proxy-authorization"];
/** Variables that name files with certificates, as other tools read them. */
const CA_VARIABLES: readonly string[] = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
];

/** An HTTP client with kept connections. Cheap to make: Node's modules load with the first request. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #files = new Map<string, HostCertificateFiles>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Sends a request and gives the answer, whatever its status. Throws `E_HTTP` when there is none, `E_ABORTED`. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const retries = canRepeat(request) ? (this.#options.retries ?? RETRIES) : 0;
    for (let attempt = 0; ; attempt += 1) {
      const backoff = (this.#options.firstWaitMs ?? FIRST_WAIT_MS) * 2 ** attempt * (0.75 + Math.random() / 2);
      const wait = (asked?: number): Promise<void> => pause(asked ?? backoff, request.signal);
      try {
        const response = await this.#follow(request);
        if (attempt >= retries || !RETRY_STATUS.has(response.status)) return response;
        const asked = retryAfter(response);
        // Who asks for more is told to the user, who may have something better to do.
        if (asked !== undefined && asked > LONGEST_WAIT_MS) return response;
        response.discard();
        await wait(asked);
      } catch (error) {
        if (request.signal?.aborted) throw aborted(request, error);
        if (attempt >= retries || !isTransient(error)) throw connectionFailure(request.url, error);
        await wait();
      }
    }
  }

  /** Ends idle connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #follow(request: HttpRequest): Promise<HttpResponse> {
    const method = request.method ?? "GET";
    let left = request.redirects ?? (method === "GET" || method === "HEAD" ? REDIRECTS : 0);
    let url = new URL(request.url);
    let headers = request.headers ?? {};
    for (;;) {
      const response = openAnswer(await this.#send({ ...request, headers }, url), url.href);
      const location = response.headers["location"];
      if (!REDIRECT_STATUS.has(response.status) || location === undefined || request.redirects === 0) return response;
      if (left === 0) {
        if (method !== "GET" && method !== "HEAD") return response;
        response.discard();
        throw badRedirect(request.url, "too many redirects");
      }
      response.discard();
      left -= 1;
      const next = new URL(location, url);
      if (url.protocol === "https:" && next.protocol !== "https:") {
        throw badRedirect(url.href, "redirected to an insecure address");
      }
      if (next.host !== url.host) headers = withoutCredentials(headers);
      url = next;
    }
  }

  async #send(request: HttpRequest, url: URL): Promise<IncomingMessage> {
    const isTls = url.protocol === "https:";
    if (!isTls && url.protocol !== "http:") {
      throw new TareError(
        "E_HTTP",
        `fetching ${redactUrl(url.href)}: ${url.protocol.slice(0, -1)} is not http or https`,
      );
    }
    const { request: open } = process.getBuiltinModule(isTls ? "node:https" : "node:http");
    const { body, signal } = request;
    const sent = open(url, {
      method: request.method ?? "GET",
      agent: this.#agent(url),
      headers: headersOf(request),
      ...(signal === undefined ? {} : { signal }),
    });
    const idle = this.#options.idleMs ?? IDLE_MS;
    let answer: IncomingMessage | undefined;
    sent.once("response", (message) => (answer = message));
    // The answer's reader would otherwise be told "aborted" only.
    sent.setTimeout(idle, () => (answer ?? sent).destroy(new Error(`no data for ${idle / 1000} seconds`)));
    const response = answerOf(sent);
    if (body === undefined) sent.end();
    else if (typeof body === "function")
      void writeBody(sent, body()).catch((error: unknown) => sent.destroy(asError(error)));
    else sent.end(body);
    return response;
  }

  #agent(url: URL): Agent {
    const isInsecure = this.#options.insecureHosts?.some((each) => each === url.host || each === url.hostname) ?? false;
    const isTls = url.protocol === "https:";
    const files = isTls ? this.#filesFor(url.host) : undefined;
    const isSpecial = isInsecure || files?.client !== undefined || (files?.authorities.length ?? 0) > 0;
    const key = `${url.protocol}${isSpecial ? url.host : ""}`;
    const known = this.#agents.get(key);
    if (known) return known;
    const { Agent: NodeAgent } = process.getBuiltinModule(isTls ? "node:https" : "node:http");
    const agent = new NodeAgent({
      keepAlive: true,
      maxSockets: this.#options.connections ?? CONNECTIONS,
      proxyEnv: definedOnly(this.#options.env),
      ...(isTls ? { ...this.#tls(files), rejectUnauthorized: !isInsecure } : {}),
    } as object);
    this.#agents.set(key, agent);
    return agent;
  }

  #filesFor(host: string): HostCertificateFiles | undefined {
    const known = this.#files.get(host);
    if (known || !this.#options.certificates) return known;
    const found = this.#options.certificates(host);
    this.#files.set(host, found);
    return found;
  }

  /** The built-in authorities and the user's; and who we are to the host. */
  #tls(own: HostCertificateFiles | undefined): SecureContextOptions {
    const { env, caFiles = [] } = this.#options;
    const required = [...caFiles, ...(own?.authorities ?? [])];
    const named = CA_VARIABLES.flatMap((name) => env[name] ?? []).filter((path) => path !== "");
    const files = [...new Set([...required, ...named])];
    const texts = files.flatMap((path) => readCertificates(path, required.includes(path)));
    const { rootCertificates } = process.getBuiltinModule("node:tls");
    const ca = texts.length === 0 ? {} : { ca: [...rootCertificates, ...texts] };
    const client = own?.client;
    if (!client) return ca;
    const [cert = "", key = ""] = [client.certificate, client.key].flatMap((path) => readCertificates(path, true));
    return { ...ca, cert, key };
  }
}

/** A file of the configuration must be there; one that a variable names may be for another tool. */
function readCertificates(path: string, isRequired: boolean): string[] {
  try {
    return [fs.readFileSync(path, "utf8")];
  } catch (error) {
    if (!isRequired) return [];
    throw new TareError("E_HTTP", `reading certificates of \`${path}\`: they can't be read`, {
      cause: error,
      hint: "set the option or variable that names the file to one that exists",
    });
  }
}

function definedOnly(env: HttpClientOptions["env"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function canRepeat({ method = "GET", body }: HttpRequest): boolean {
  return method === "GET" || method === "HEAD" || method === "PUT" || (method === "DELETE" && body === undefined);
}

function headersOf({ headers, body, bodySize }: HttpRequest): Record<string, string> {
  const size = body instanceof Uint8Array ? body.length : bodySize;
  return {
    "user-agent": "tare",
    accept: "*/*",
    ...headers,
    ...(size === undefined ? {} : { "content-length": String(size) }),
  };
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name.toLowerCase())));
}

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.once("response", resolve);
  });
}

async function writeBody(sent: ClientRequest, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (sent.destroyed) return;
    // A chunk's memory may be used again by its maker, so it is waited for.
    await new Promise<void>((done, fail) => {
      sent.write(chunk, (error) => (error ? fail(error) : done()));
    });
  }
  sent.end();
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(Math.min(LONGEST_WAIT_MS, milliseconds), undefined, signal === undefined ? {} : { signal });
}

/** Asking again changes nothing. */
function badRedirect(url: string, why: string): TareError {
  return new TareError("E_HTTP", `fetching ${redactUrl(url)}: ${why}`, { details: { redirect: true } });
}

function aborted(request: HttpRequest, cause: unknown): TareError {
  return new TareError("E_ABORTED", `fetching ${redactUrl(request.url)}: interrupted`, { cause, exitCode: 130 });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
