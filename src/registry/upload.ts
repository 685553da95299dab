// SPDX-License-Identifier: Apache-2.0
/*
 * Blob upload (distribution-spec, "Pushing blobs"):
 *
 *   a session that an earlier process left ─GET─▶ what it has ─▶ the rest in chunks
 *   POST /v2/<name>/blobs/uploads/[?mount=D&from=R] ──201──▶ mounted
 *        │ 202, Location
 *        ├─ digest and size known, small ─▶ PUT Location?digest=D with the bytes
 *        └─ large, or not known ─▶ PATCH Location, chunk after chunk ─▶ PUT Location?digest=D
 *
 * A failed upload begins again with a new session when the old one can't tell what it has. A registry that refuses a
 * second chunk gets the whole in one request.
 */
import { Hasher, TareError, isDigest, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { Scope } from "./authenticator.ts";
import type { RegistrySession } from "./session.ts";
import type { BlobReceipt, BlobUpload, RegistryCall } from "./types.ts";
import { isForChunks, sendChunks } from "./upload-chunks.ts";
import { begin, locationOf, opened, openingOf, requestOf, resume } from "./upload-session.ts";
import type { OpenedSession, UploadJob } from "./upload-session.ts";

const TRIES = 4;
/** What a registry says when a part of the bytes came twice or not at all. */
const BROKEN_SESSION: ReadonlySet<string> = new Set(["BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID"]);
const LARGEST_LEAST_CHUNK = 64 << 20;

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
  const job: UploadJob = { session, repository, upload, doing, scope, ...call };
  const start = (await leftSession(job)) ?? (await mount(job));
  if (start && "how" in start) return start;
  return send(job, start);
}

/** Sends the bytes, again where another try may have more luck. */
async function send(job: UploadJob, start: OpenedSession | undefined): Promise<BlobReceipt> {
  const { upload, session, signal } = job;
  let isChunked = isForChunks(upload);
  let place = start;
  for (let attempt = 1; ; attempt += 1) {
    try {
      place ??= await begin(job);
      return await sendTo(job, place, isChunked && place.leastChunk <= LARGEST_LEAST_CHUNK);
    } catch (error) {
      if (isRefusal(error)) upload.memory?.clear();
      if (attempt >= TRIES || !mayRepeat(error) || signal?.aborted) throw error;
      isChunked &&= isTareError(error) && error.details["connection"] === true;
      place = undefined;
      upload.onProgress?.(0);
      await session.pause(attempt, signal);
    }
  }
}

async function sendTo(job: UploadJob, place: OpenedSession, isChunked: boolean): Promise<BlobReceipt> {
  const { digest, size, memory } = job.upload;
  if (isChunked || place.offset > 0) {
    const sent = await sendChunks(job, place);
    return completed(job, sent.location, { digest: sent.digest ?? digest, size: sent.size });
  }
  const receipt =
    digest !== undefined && size !== undefined
      ? await sendWhole(job, place.location, { digest, size })
      : await sendStream(job, place.location);
  memory?.clear();
  return receipt;
}

async function completed(
  job: UploadJob,
  location: string,
  { digest, size }: { readonly digest: Digest | undefined; readonly size: number },
): Promise<BlobReceipt> {
  if (digest === undefined) throw new Error("bug: a blob was sent without its digest");
  if (job.upload.digest !== undefined && job.upload.digest !== digest) throw changed(job, digest);
  await finish(job, { location, digest }, {});
  job.upload.memory?.clear();
  return { how: "uploaded", digest, size };
}

/** The session that an earlier process left, when the registry keeps it. */
async function leftSession(job: UploadJob): Promise<OpenedSession | undefined> {
  const known = job.upload.memory?.get();
  if (!known) return undefined;
  const left = await resume(job, known);
  if (!left) job.upload.memory?.clear();
  return left;
}

/** A receipt when the blob could be mounted; the session that the registry opened instead; or nothing. */
async function mount(job: UploadJob): Promise<BlobReceipt | OpenedSession | undefined> {
  const { session, repository, upload } = job;
  if (upload.mount === undefined) return undefined;
  const { digest, size } = upload.mount;
  let place: OpenedSession | undefined;
  for (const from of upload.mount.from) {
    if (from === repository) continue;
    const target = `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    try {
      const response = await session.request({ ...openingOf(job), target, scope: { ...job.scope, mountFrom: from } });
      response.discard();
      if (response.status === 201) return { how: "mounted", digest, size };
      place = opened(response);
    } catch (error) {
      // The other repository may be gone or not ours to read: the bytes are sent then.
      if (!(error instanceof TareError) || !error.code.startsWith("E_REGISTRY")) throw error;
    }
  }
  return place;
}

async function sendWhole(
  job: UploadJob,
  location: string,
  blob: { readonly digest: Digest; readonly size: number },
): Promise<BlobReceipt> {
  const counted = new CountedBody(job.upload);
  await finish(job, { location, digest: blob.digest }, { body: counted.open, bodySize: blob.size });
  return { how: "uploaded", ...blob };
}

async function sendStream(job: UploadJob, location: string): Promise<BlobReceipt> {
  const counted = new CountedBody(job.upload);
  const response = await job.session.request({
    ...requestOf(job),
    method: "PATCH",
    target: location,
    headers: { "content-type": "application/octet-stream" },
    body: counted.open,
    ...(job.upload.size === undefined ? {} : { bodySize: job.upload.size }),
    expect: [202, 204],
  });
  response.discard();
  const digest = counted.digest();
  if (job.upload.digest !== undefined && job.upload.digest !== digest) throw changed(job, digest);
  await finish(job, { location: locationOf(response), digest }, {});
  return { how: "uploaded", digest, size: counted.size };
}

/** Throws `E_DIGEST_MISMATCH` when the registry says that it took something else. */
async function finish(
  job: UploadJob,
  { location, digest }: { readonly location: string; readonly digest: Digest },
  content: { readonly body?: () => AsyncIterable<Uint8Array>; readonly bodySize?: number },
): Promise<void> {
  const { doing } = job;
  const response = await job.session.request({
    ...requestOf(job),
    method: "PUT",
    target: withDigest(location, digest),
    headers: {
      "content-type": "application/octet-stream",
      ...(content.body ? {} : { "content-length": "0" }),
    },
    ...content,
    expect: [201, 204],
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

function changed(job: UploadJob, digest: Digest): TareError {
  return new TareError("E_DIGEST_MISMATCH", `${job.doing}: its bytes have the digest \`${digest}\``, {
    hint: "run `tare system fsck`",
    details: { expected: job.upload.digest, actual: digest },
  });
}

/** The registry itself said no: what it has of the blob is of no use. */
function isRefusal(error: unknown): boolean {
  return isTareError(error) && typeof error.details["status"] === "number";
}

/** A lost connection, a broken session or a troubled server; not a refusal. */
function mayRepeat(error: unknown): boolean {
  if (!isTareError(error)) return false;
  if (error.details["connection"] === true) return true;
  const { status, errors } = error.details;
  if (status === 400 && Array.isArray(errors)) return errors.some((code) => BROKEN_SESSION.has(String(code)));
  return typeof status === "number" && (status >= 500 || [404, 405, 408, 416].includes(status));
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
