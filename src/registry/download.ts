// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, messageOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import type { RegistrySession } from "./session.ts";
import type { RegistryCall } from "./types.ts";

/** Breaks in a row without one byte more, after which a transfer is given up. */
const TRIES = 5;

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/** The bytes of a blob; a transfer that breaks goes on with a range request from where it broke. */
export async function* downloadBlob(
  session: RegistrySession,
  repository: string,
  blob: Blob,
  call: RegistryCall,
): AsyncGenerator<Uint8Array> {
  const doing = `pulling \`${blob.digest}\` from \`${session.domain}/${repository}\``;
  const breaks = new Breaks(doing, blob.size);
  let received = 0;
  while (received < blob.size || blob.size === 0) {
    const before = received;
    let failure: unknown;
    try {
      const response = await openPart(session, { repository, blob, doing, from: received }, call);
      for await (const chunk of partBytes(response, received)) {
        received += chunk.length;
        yield chunk;
        // The store refuses what is too long; there is no need to fetch all of it.
        if (received > blob.size) return response.discard();
      }
    } catch (error) {
      if (!isTareError(error, "E_HTTP") && !isLost(error)) throw error;
      failure = error;
    }
    if (received >= blob.size) return;
    await session.pause(breaks.next(received, received > before, failure), call.signal);
  }
}

/** Counts how often a transfer broke, and gives it up. */
export class Breaks {
  readonly #doing: string;
  readonly #size: number;
  #failures = 0;

  constructor(doing: string, size: number) {
    this.#doing = doing;
    this.#size = size;
  }

  /** Which pause comes now. Throws `E_REGISTRY` when there were too many in a row without one byte more. */
  next(received: number, isFarther: boolean, failure: unknown): number {
    this.#failures = isFarther ? 1 : this.#failures + 1;
    if (this.#failures >= TRIES) throw broken(this.#doing, { received, size: this.#size }, failure);
    return this.#failures;
  }
}

/** Which bytes of which blob. */
export interface BlobPart {
  readonly repository: string;
  readonly blob: Blob;
  readonly doing: string;
  readonly from: number;
  /** The first byte that is not wanted; default: all are. */
  readonly to?: number;
}

/** Asks for a part of a blob: the answer is 206, or 200 with all of it, also where ranges are refused. */
export async function openPart(session: RegistrySession, part: BlobPart, call: RegistryCall): Promise<HttpResponse> {
  const { repository, blob, doing, from, to } = part;
  const range = from > 0 || to !== undefined ? `bytes=${from}-${to === undefined ? "" : to - 1}` : undefined;
  const request = {
    target: `/v2/${repository}/blobs/${blob.digest}`,
    scope: { repository, actions: "pull" },
    doing,
    ...call,
  } as const;
  const headers = { "accept-encoding": "identity" };
  if (range !== undefined) {
    const response = await session.request({ ...request, headers: { ...headers, range }, expect: [200, 206, 416] });
    if (response.status !== 416) return response;
    response.discard();
  }
  return session.request({ ...request, headers, expect: [200] });
}

/** The bytes from `from` on: a server without ranges sends the whole again. */
export async function* partBytes(response: HttpResponse, from: number): AsyncGenerator<Uint8Array> {
  let skip = from;
  if (response.status === 206) skip = from - rangeStart(response, from);
  for await (const chunk of response.body) {
    const part = skip >= chunk.length ? undefined : chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
    if (part) yield part;
  }
}

function rangeStart(response: HttpResponse, from: number): number {
  const start = Number(/^bytes (\d{1,15})-/.exec(response.headers["content-range"] ?? "")?.[1] ?? Number.NaN);
  if (start <= from) return start;
  response.discard();
  throw new TareError("E_REGISTRY", `reading \`${new URL(response.url).host}\`: it sends another range than was asked`);
}

/** The connection broke, so that another may have more luck. */
export function isLost(error: unknown): boolean {
  return isTareError(error, "E_REGISTRY") && error.details["connection"] === true;
}

function broken(
  doing: string,
  { received, size }: { readonly received: number; readonly size: number },
  failure: unknown,
): TareError {
  const why = failure === undefined ? "" : `: ${messageOf(failure)}`;
  return new TareError("E_REGISTRY", `${doing}: the transfer broke after ${received} of ${size} bytes${why}`, {
    hint: "check the network and try again",
    cause: failure,
  });
}
