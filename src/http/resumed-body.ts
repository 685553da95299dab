// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { isTareError } from "../base/index.ts";
import type { HttpClient } from "./client.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

/** Breaks in a row without one byte more, after which a transfer is given up. */
const TRIES = 5;
const FIRST_WAIT_MS = 200;

/**
 * The body of an answer to `request`. When the connection breaks before its announced end, the rest is asked for with a
 * range (RFC 9110, 14.2), of the same version only: a server that has another file meanwhile, or no ranges, ends it
 * with the first error. Throws `E_HTTP`, `E_ABORTED`.
 */
export async function* resumedBody(
  client: HttpClient,
  request: HttpRequest,
  first: HttpResponse,
): AsyncGenerator<Uint8Array> {
  const total = Number(first.headers["content-length"] ?? Number.NaN);
  const validator = strongValidator(first);
  let received = 0;
  let response = first;
  for (let failures = 0; ;) {
    const before = received;
    try {
      for await (const chunk of response.body) {
        received += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      const canResume = isTareError(error, "E_HTTP") && validator !== undefined && received < total;
      failures = received > before ? 1 : failures + 1;
      if (!canResume || failures >= TRIES || request.signal?.aborted) throw error;
      const rest = await askForRest(client, request, { from: received, validator, failures });
      if (!rest) throw error;
      response = rest;
    }
  }
}

interface Rest {
  readonly from: number;
  readonly validator: string;
  readonly failures: number;
}

/** The answer with the rest, or undefined when the server does not give exactly that. */
async function askForRest(
  client: HttpClient,
  request: HttpRequest,
  { from, validator, failures }: Rest,
): Promise<HttpResponse | undefined> {
  const { signal } = request;
  await sleep(FIRST_WAIT_MS * 2 ** (failures - 1), undefined, signal === undefined ? {} : { signal });
  const headers = { ...request.headers, range: `bytes=${from}-`, "if-range": validator };
  const response = await client.request({ ...request, headers });
  const starts = response.headers["content-range"]?.startsWith(`bytes ${from}-`) ?? false;
  if (response.status === 206 && starts) return response;
  response.discard();
  return undefined;
}

/** What names this version of a file: a strong entity tag, or its time. */
function strongValidator({ headers }: HttpResponse): string | undefined {
  const tag = headers["etag"];
  return tag !== undefined && !tag.startsWith("W/") ? tag : headers["last-modified"];
}
