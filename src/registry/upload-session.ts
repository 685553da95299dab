// SPDX-License-Identifier: Apache-2.0
/*
 * Upload sessions: one answer's `Location` leads to the next request. What a session holds is asked with GET, which
 * registries answer with `Range: 0-<last byte>` (distribution-spec, "Pushing a blob in chunks"). Some can't tell any
 * more once a chunk broke off: such a session is given up.
 */
import { TareError } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import type { Scope } from "./authenticator.ts";
import { numberHeader } from "./body.ts";
import { resolveLocation } from "./endpoint.ts";
import type { RegistrySession, SessionRequest } from "./session.ts";
import type { BlobUpload, RegistryCall, UploadSession } from "./types.ts";

/** An upload under way. */
export interface UploadJob extends RegistryCall {
  readonly session: RegistrySession;
  readonly repository: string;
  readonly upload: BlobUpload;
  readonly doing: string;
  readonly scope: Scope;
}

/** A session as the registry opened it. */
export interface OpenedSession extends UploadSession {
  /** The registry wants no smaller chunks. */
  readonly leastChunk: number;
}

/** What all requests of an upload have. */
export function requestOf({ scope, doing, signal }: UploadJob): Pick<SessionRequest, "scope" | "doing" | "signal"> {
  return { scope, doing, ...(signal === undefined ? {} : { signal }) };
}

/** Opens a session. */
export async function begin(job: UploadJob): Promise<OpenedSession> {
  const response = await job.session.request(openingOf(job));
  response.discard();
  return opened(response);
}

/** The request that opens a session. */
export function openingOf(job: UploadJob): SessionRequest {
  return {
    ...requestOf(job),
    method: "POST",
    target: `/v2/${job.repository}/blobs/uploads/`,
    headers: { "content-length": "0" },
    expect: [201, 202],
  };
}

/** The session that an answer leads to. */
export function opened(response: HttpResponse): OpenedSession {
  const leastChunk = numberHeader(response, "oci-chunk-min-length") ?? 0;
  return { location: locationOf(response), offset: 0, leastChunk };
}

/** Where the next request goes. */
export function locationOf(response: HttpResponse): string {
  return resolveLocation(response.headers["location"], response.url);
}

/** What a session holds; undefined for one that can't be gone on with. */
export async function resume(job: UploadJob, known: UploadSession): Promise<OpenedSession | undefined> {
  try {
    const response = await job.session.request({
      ...requestOf(job),
      target: known.location,
      expect: [204, 200, 202],
    });
    response.discard();
    const next = response.headers["location"];
    const location = next === undefined ? known.location : resolveLocation(next, response.url);
    const offset = endOfRange(response);
    return offset === undefined ? undefined : { location, offset, leastChunk: 0 };
  } catch (error) {
    if (!(error instanceof TareError) || !error.code.startsWith("E_REGISTRY")) throw error;
    if (error.details["connection"] === true) throw error;
    return undefined;
  }
}

/** The number of bytes of `Range: 0-<last>`. `0-0` says nothing, in the words of many, and one byte, in those of others. */
export function endOfRange(response: HttpResponse): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers["range"] ?? "")?.[1];
  if (last === undefined) return undefined;
  return last === "0" ? 0 : Number(last) + 1;
}
