// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as fs from "node:fs";
import { Hasher, TareError, hostEnvironment, messageOf, systemErrorCode } from "../base/index.ts";
import type { IncomingMessage } from "node:http";
import type { Digest } from "../base/index.ts";

/** How a file is fetched. */
export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Bytes so far and in all (0 when the server does not say). */
  readonly onProgress?: (current: number, total: number) => void;
}

const REDIRECT_LIMIT = 10;
const IDLE_MS = 60_000;

/** Fetches an http(s) URL to a new file. Follows redirects, never from https to http. Throws `E_HTTP`. */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const response = await request(new URL(url), options.signal, REDIRECT_LIMIT);
  const total = Number(response.headers["content-length"] ?? 0);
  const file = fs.createWriteStream(path, { flags: "wx", mode: 0o600 });
  const hasher = new Hasher();
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hasher.update(chunk);
      size += chunk.length;
      options.onProgress?.(size, total);
      if (!file.write(chunk)) await once(file, "drain");
    }
    if (total > 0 && size !== total)
      throw new TareError("E_HTTP", `fetching ${redact(url)}: got ${size} of ${total} bytes`);
  } catch (error) {
    throw failed(url, error);
  } finally {
    await new Promise((resolve) => file.end(resolve));
  }
  return { digest: hasher.digest(), size };
}

async function request(url: URL, signal: AbortSignal, redirects: number): Promise<IncomingMessage> {
  const response = await get(url, signal);
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined) {
    response.resume();
    const next = new URL(location, url);
    if (redirects === 0) throw new TareError("E_HTTP", `fetching ${redact(url.href)}: too many redirects`);
    if (url.protocol === "https:" && next.protocol !== "https:")
      throw new TareError("E_HTTP", `fetching ${redact(url.href)}: redirected to an insecure address`);
    return request(next, signal, redirects - 1);
  }
  if (status === 200) return response;
  response.resume();
  throw new TareError(
    "E_HTTP",
    `fetching ${redact(url.href)}: the server answered ${status} ${response.statusMessage ?? ""}`.trimEnd(),
  );
}

async function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const { Agent, get: send } = process.getBuiltinModule(isTls ? "node:https" : "node:http");
  const agent = new Agent({ proxyEnv: hostEnvironment() } as object);
  const sent = send(url, { agent, signal, headers: { "user-agent": "tare", accept: "*/*" } });
  sent.setTimeout(IDLE_MS, () => sent.destroy(new Error(`no data for ${IDLE_MS / 1000} seconds`)));
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return response;
  } catch (error) {
    throw failed(url.href, error);
  }
}

/** Nobody answered: there is no network, no such host, or nothing listens there. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
]);

function failed(url: string, error: unknown): TareError {
  if (error instanceof TareError) return error;
  return new TareError("E_HTTP", `fetching ${redact(url)}: ${messageOf(error)}`, {
    cause: error,
    hint: "check the address, the network and the proxy settings",
    details: { unreachable: UNREACHABLE.has(systemErrorCode(error) ?? "") },
  });
}

/** A URL without user name, password and query, fit for a message. */
export function redact(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : "the URL";
}
