// SPDX-License-Identifier: Apache-2.0
/*
 * Blob upload (distribution-spec, "Pushing blobs"):
 *
 *   POST /v2/<name>/blobs/uploads/[?mount=D&from=R] ──201──▶ mounted
 *        │ 202, Location
 *        ├─ digest and size known ─▶ PUT Location?digest=D with the bytes
 *        └─ not known ────────────▶ PATCH Location with the bytes ─▶ PUT Location?digest=D
 *
 * A failed upload begins again with a new session: a session's offset can't be trusted after an error.
 */
import { Hasher, TareError, isDigest, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import type { Scope } from "./authenticator.ts";
import { resolveLocation } from "./endpoint.ts";
import type { RegistrySession } from "./session.ts";
import type { BlobReceipt, BlobUpload, RegistryCall } from "./types.ts";

const TRIES = 4;
/** What a registry says when a part of the bytes came twice or not at all. */
const BROKEN_SESSION: ReadonlySet<string> = new Set(["BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID"]);

interface Job extends RegistryCall {
  readonly session: RegistrySession;
  readonly repository: string;
  readonly upload: BlobUpload;
  readonly doing: string;
  readonly scope: Scope;
}

/** Brings a blob into a repository. Throws `E_REGISTRY*`, `E_DIGEST_MISMATCH`, and what reading the bytes throws. */
export async function uploadBlob(
  session: RegistrySession,
  repository: string,
  upload: BlobUpload,
  call: RegistryCall = {},
): Promise<BlobReceipt> {
  const name = upload.digest === undefined ? "a layer" : `\`${upload.digest}\``;
  const doing = `pushing ${name} to \`${session.domain}/${repository}\``;
  const scope: Scope = { repository, actions: "pull,push" };
  const job: Job = { session, repository, upload, doing, scope, ...call };
  let location = await mount(job);
  if (location !== undefined && typeof location !== "string") return location;
  for (let attempt = 1; ; attempt += 1) {
    try {
      location ??= await begin(job);
      return upload.digest !== undefined && upload.size !== undefined
        ? await sendWhole(job, location, { digest: upload.digest, size: upload.size })
        : await sendStream(job, location);
    } catch (error) {
      if (attempt >= TRIES || !mayRepeat(error) || call.signal?.aborted) throw error;
      location = undefined;
      upload.onProgress?.(0);
      await session.pause(attempt, call.signal);
    }
  }
}

/** A receipt when the blob could be mounted; the session that the registry opened instead; or nothing. */
async function mount(job: Job): Promise<BlobReceipt | string | undefined> {
  const { session, repository, upload } = job;
  if (upload.mount === undefined) return undefined;
  const { digest, size } = upload.mount;
  let location: string | undefined;
  for (const from of upload.mount.from) {
    if (from === repository) continue;
    const target = `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    try {
      const response = await session.request({ ...post(job), target, scope: { ...job.scope, mountFrom: from } });
      response.discard();
      if (response.status === 201) return { how: "mounted", digest, size };
      location = locationOf(response);
    } catch (error) {
      // The other repository may be gone or not ours to read: the bytes are sent then.
      if (!(error instanceof TareError) || !error.code.startsWith("E_REGISTRY")) throw error;
    }
  }
  return location;
}

async function begin(job: Job): Promise<string> {
  const response = await job.session.request(post(job));
  response.discard();
  return locationOf(response);
}

function post(job: Job): Parameters<RegistrySession["request"]>[0] {
  const { scope, doing, signal } = job;
  return {
    method: "POST",
    target: `/v2/${job.repository}/blobs/uploads/`,
    headers: { "content-length": "0" },
    scope,
    doing,
    expect: [201, 202],
    ...(signal === undefined ? {} : { signal }),
  };
}

function locationOf(response: HttpResponse): string {
  return resolveLocation(response.headers["location"], response.url);
}

async function sendWhole(
  job: Job,
  location: string,
  blob: { readonly digest: Digest; readonly size: number },
): Promise<BlobReceipt> {
  const counted = new CountedBody(job.upload);
  await finish(job, { location, digest: blob.digest }, { body: counted.open, bodySize: blob.size });
  return { how: "uploaded", ...blob };
}

async function sendStream(job: Job, location: string): Promise<BlobReceipt> {
  const counted = new CountedBody(job.upload);
  const { scope, doing, signal } = job;
  const response = await job.session.request({
    method: "PATCH",
    target: location,
    headers: { "content-type": "application/octet-stream" },
    body: counted.open,
    ...(job.upload.size === undefined ? {} : { bodySize: job.upload.size }),
    scope,
    doing,
    expect: [202, 204],
    ...(signal === undefined ? {} : { signal }),
  });
  response.discard();
  const digest = counted.digest();
  if (job.upload.digest !== undefined && job.upload.digest !== digest) throw changed(job, digest);
  await finish(job, { location: locationOf(response), digest }, {});
  return { how: "uploaded", digest, size: counted.size };
}

/** Throws `E_DIGEST_MISMATCH` when the registry says that it took something else. */
async function finish(
  job: Job,
  { location, digest }: { readonly location: string; readonly digest: Digest },
  content: { readonly body?: () => AsyncIterable<Uint8Array>; readonly bodySize?: number },
): Promise<void> {
  const { scope, doing, signal } = job;
  const response = await job.session.request({
    method: "PUT",
    target: withDigest(location, digest),
    headers: {
      "content-type": "application/octet-stream",
      ...(content.body ? {} : { "content-length": "0" }),
    },
    ...content,
    scope,
    doing,
    expect: [201, 204],
    ...(signal === undefined ? {} : { signal }),
  });
  response.discard();
  const stored = response.headers["docker-content-digest"] ?? digest;
  if (stored === digest || !isDigest(stored)) return;
  throw new TareError("E_DIGEST_MISMATCH", `${doing}: the registry stored it as \`${stored}\``, {
    details: { expected: digest, actual: stored },
  });
}

/** Appended as text: the registry's own query must stay as it is. */
function withDigest(location: string, digest: Digest): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}

function changed(job: Job, digest: Digest): TareError {
  return new TareError("E_DIGEST_MISMATCH", `${job.doing}: its bytes have the digest \`${digest}\``, {
    hint: "run `tare system fsck`",
    details: { expected: job.upload.digest, actual: digest },
  });
}

/** A lost connection, a broken session or a troubled server; not a refusal. */
function mayRepeat(error: unknown): boolean {
  if (!isTareError(error)) return false;
  if (error.details["connection"] === true) return true;
  const { status, errors } = error.details;
  if (status === 400 && Array.isArray(errors)) return errors.some((code) => BROKEN_SESSION.has(String(code)));
  return typeof status === "number" && (status >= 500 || status === 404 || status === 408 || status === 416);
}

/** Hashes and counts a body while it is sent; each start begins anew. */
class CountedBody {
  size = 0;
  #hasher = new Hasher();
  readonly #upload: BlobUpload;

  constructor(upload: BlobUpload) {
    this.#upload = upload;
  }

  readonly open = (): AsyncIterable<Uint8Array> => {
    this.size = 0;
    this.#hasher = new Hasher();
    return this.#count(this.#hasher);
  };

  digest(): Digest {
    return this.#hasher.digest();
  }

  async *#count(hasher: Hasher): AsyncGenerator<Uint8Array> {
    const { open, onProgress, digest } = this.#upload;
    for await (const chunk of open()) {
      // Of bytes whose digest is known the registry checks it.
      if (digest === undefined || this.#upload.size === undefined) hasher.update(chunk);
      this.size += chunk.length;
      yield chunk;
      onProgress?.(this.size);
    }
  }
}
