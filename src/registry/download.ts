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
  let received = 0;
  for (let failures = 0; received < blob.size || blob.size === 0;) {
    const before = received;
    let failure: unknown;
    try {
      const response = await open(session, { repository, blob, doing, from: received }, call);
      for await (const chunk of fromOffset(response, received)) {
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
    failures = received > before ? 1 : failures + 1;
    if (failures >= TRIES) throw broken(doing, { received, size: blob.size }, failure);
    await session.pause(failures, call.signal);
  }
}

interface Part {
  readonly repository: string;
  readonly blob: Blob;
  readonly doing: string;
  readonly from: number;
}

function open(session: RegistrySession, part: Part, call: RegistryCall): Promise<HttpResponse> {
  const { repository, blob, doing, from } = part;
  return session.request({
    target: `/v2/${repository}/blobs/${blob.digest}`,
    scope: { repository, actions: "pull" },
    headers: { "accept-encoding": "identity", ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
    doing,
    expect: from > 0 ? [200, 206] : [200],
    ...call,
  });
}

/** The bytes from `from` on: a server without ranges sends the whole again. */
async function* fromOffset(response: HttpResponse, from: number): AsyncGenerator<Uint8Array> {
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

function isLost(error: unknown): boolean {
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
