// SPDX-License-Identifier: Apache-2.0
/* One registry's API: where it is, who we are, and which answers are worth another try. */
import { setTimeout as sleep } from "node:timers/promises";
import { TareError, isTareError, messageOf, randomBelow } from "../base/index.ts";
import { retryAfter } from "../http/index.ts";
import type { HttpRequest, HttpResponse } from "../http/index.ts";
import { Authenticator } from "./authenticator.ts";
import type { Scope } from "./authenticator.ts";
import { readBytes } from "./body.ts";
import { parseChallenges } from "./challenge.ts";
import { apiHost, candidates, isFrom, isHub } from "./endpoint.ts";
import { connectionLost, refusal } from "./errors.ts";
import type { RegistryCall, RegistryOptions } from "./types.ts";

/** A request to a registry. */
export interface SessionRequest extends RegistryCall {
  readonly method?: HttpRequest["method"];
  /** Below the registry's base (`/v2/…`), or a whole URL that the registry gave. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest["body"];
  readonly bodySize?: number;
  readonly scope?: Scope;
  /** Statuses that are an answer; any other is thrown. */
  readonly expect: readonly number[];
  /** For messages: `pulling \`x\``. */
  readonly doing: string;
}

interface Endpoint {
  readonly base: string;
  readonly authenticator: Authenticator;
}

const CONNECT_MS = 15_000;
const TRIES = 4;
const LONGEST_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 500;

/** A conversation with one registry. Safe to use from several callers at once. */
export class RegistrySession {
  /** As users write it. */
  readonly domain: string;
  readonly #options: RegistryOptions;
  #endpoint: Promise<Endpoint> | undefined;
  /** Requests sent so far, for measurements. */
  requests = 0;

  constructor(domain: string, options: RegistryOptions) {
    this.domain = domain;
    this.#options = options;
  }

  /** Finds the registry and how it authenticates. Throws `E_REGISTRY` when nothing that is a registry answers. */
  async connect(signal?: AbortSignal): Promise<string> {
    this.#endpoint ??= this.#find(signal);
    try {
      return (await this.#endpoint).base;
    } catch (error) {
      this.#endpoint = undefined;
      throw error;
    }
  }

  /** Sends a request; authenticates when asked to. Throws `E_REGISTRY*` for a status that was not expected. */
  async request(request: SessionRequest): Promise<HttpResponse> {
    await this.connect(request.signal);
    const endpoint = await this.#connected();
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#authorized(endpoint, request);
      if (request.expect.includes(response.status)) return response;
      const isOurs = request.method === "POST" || request.method === "PATCH";
      const isPutOff = attempt < TRIES && response.status === 429 && isOurs;
      const wait = isPutOff ? (retryAfter(response) ?? this.#backoff(attempt)) : Number.POSITIVE_INFINITY;
      const redact = (text: string): string => endpoint.authenticator.redact(text);
      const error = await refusal(response, { domain: this.domain, doing: request.doing, redact });
      // The transport repeats what may be repeated without a thought (GET, HEAD, PUT) by itself.
      if (wait > LONGEST_WAIT_MS) throw error;
      await pause(wait, request.signal);
    }
  }

  /** Waits before another try. Throws `E_ABORTED`. */
  async pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
    await pause(this.#backoff(attempt), signal);
  }

  /** 0.25 to 0.5 s, twice as long each time: clients that failed together should not come back together. */
  #backoff(attempt: number): number {
    const most = ((this.#options.firstWaitMs ?? FIRST_WAIT_MS) / 2) * 2 ** attempt;
    return most / 2 + randomBelow(Math.ceil(most / 2));
  }

  /** Sends a request and reads the answer; when that breaks off, both are done again. Throws as `request`. */
  async read(
    request: SessionRequest,
    limit: number,
  ): Promise<{ readonly response: HttpResponse; readonly bytes: Buffer }> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.request(request);
      try {
        return { response, bytes: await readBytes(response, limit) };
      } catch (error) {
        if (!isTareError(error, "E_HTTP")) throw error;
        if (attempt >= TRIES || request.signal?.aborted) throw connectionLost(request.doing, error);
        await this.pause(attempt, request.signal);
      }
    }
  }

  async #connected(): Promise<Endpoint> {
    if (!this.#endpoint) throw new Error("the registry is not connected");
    return this.#endpoint;
  }

  /** A second time with a new token when the first was not good any more, or the registry wants one by now. */
  async #authorized(endpoint: Endpoint, request: SessionRequest): Promise<HttpResponse> {
    const url = request.target.startsWith("/") ? `${endpoint.base}${request.target}` : request.target;
    const isOwn = new URL(url).origin === new URL(endpoint.base).origin;
    const { authenticator } = endpoint;
    for (let attempt = 1; ; attempt += 1) {
      const authorization = isOwn ? await authenticator.header(request.scope, request.signal) : undefined;
      const response = await this.#send(url, request, authorization);
      if (response.status !== 401 || !isOwn || attempt > 1) return response;
      // Another host that the registry led to does not say where our password goes.
      if (!isFrom(response.url, endpoint.base)) return response;
      if (!authenticator.learn(response.headers["www-authenticate"])) return response;
      authenticator.forget(request.scope);
      const next = await authenticator.header(request.scope, request.signal);
      if (next === undefined || (next === authorization && next.startsWith("Basic "))) return response;
      response.discard();
    }
  }

  async #send(url: string, request: SessionRequest, authorization: string | undefined): Promise<HttpResponse> {
    this.requests += 1;
    const { method, headers, body, bodySize, signal } = request;
    try {
      return await this.#options.transport.request({
        url,
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(method === undefined ? {} : { method }),
        ...(body === undefined ? {} : { body }),
        ...(bodySize === undefined ? {} : { bodySize }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (isTareError(error, "E_HTTP")) throw connectionLost(request.doing, error);
      throw error;
    }
  }

  async #find(signal: AbortSignal | undefined): Promise<Endpoint> {
    const failures: unknown[] = [];
    for (const base of candidates(this.domain, this.#options.insecure ?? false)) {
      try {
        const response = await this.#ping(base, signal);
        const authenticator = new Authenticator(this.domain, base, this.#options);
        const challenge = response.headers["www-authenticate"];
        // Some lead to the host that has the images; what that one asks for is its own business.
        const wantsLogin = response.status === 401 && (!isFrom(response.url, base) || authenticator.learn(challenge));
        response.discard();
        if (response.status === 200 || wantsLogin) return { base, authenticator };
        failures.push(new Error(noRegistry(response.status, challenge)));
      } catch (error) {
        if (isTareError(error, "E_ABORTED")) throw error;
        failures.push(error);
      }
    }
    throw this.#unreachable(failures);
  }

  async #ping(base: string, signal: AbortSignal | undefined): Promise<HttpResponse> {
    this.requests += 1;
    const limit = this.#options.connectMs ?? CONNECT_MS;
    const timeout = AbortSignal.timeout(limit);
    const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      return await this.#options.transport.request({ url: `${base}/v2/`, signal: both });
    } catch (error) {
      if (timeout.aborted && signal?.aborted !== true) throw silent(limit, error);
      throw error;
    }
  }

  #unreachable(failures: readonly unknown[]): TareError {
    const why = [...new Set(failures.map(messageOf))].join("; ").slice(0, 500);
    const host = apiHost(this.domain);
    return new TareError("E_REGISTRY", `connecting to the registry \`${this.domain}\`: ${why}`, {
      hint: isHub(this.domain)
        ? "check the network and the proxy; `tare load` and `tare base` bring images without a registry"
        : `check that \`${host}\` is the registry's name and that it runs; one without TLS must be in TARE_INSECURE_REGISTRIES`,
      cause: failures[0],
      details: { registry: this.domain, unreachable: true },
    });
  }
}

function noRegistry(status: number, challenge: string | undefined): string {
  const [first] = status === 401 ? parseChallenges(challenge ?? "") : [];
  if (first) return `it wants to authenticate by \`${first.scheme.slice(0, 40)}\`, which is not known here`;
  return `it answers ${status} at /v2/ and is no registry`;
}

function silent(limit: number, cause: unknown): Error {
  return new Error(`no answer within ${limit / 1000} s`, { cause });
}

/** Waits. Throws `E_ABORTED`. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new TareError("E_ABORTED", "waiting for the registry: interrupted", { exitCode: 130 });
  }
}
