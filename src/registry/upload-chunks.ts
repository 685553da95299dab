// SPDX-License-Identifier: Apache-2.0
/*
 * Blobs in chunks, each a PATCH whose answer is remembered, so that another process goes on after it. What can be read
 * from any place is sent from there; what is made while it is sent is gathered, and made again after a break.
 */
import { Hasher, TareError, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { endOfRange, locationOf, requestOf, resume } from "./upload-session.ts";
import type { OpenedSession, UploadJob } from "./upload-session.ts";
import type { BlobUpload } from "./types.ts";

const CHUNK = 8 << 20;
const LARGEST_CHUNK = 64 << 20;
/** A chunk that is sent faster is followed by a larger one: waiting for answers would cost too much. */
const QUICK_MS = 1000;
const TRIES = 4;

/** True for what is worth more than one request. */
export function isForChunks({ size }: BlobUpload): boolean {
  return size === undefined || size >= 2 * CHUNK;
}

/** What was sent in all. */
export interface Sent {
  readonly location: string;
  readonly digest: Digest | undefined;
  readonly size: number;
}

/** Sends what a session lacks of a blob. Throws what `open` throws, and `E_REGISTRY*`. */
export function sendChunks(job: UploadJob, session: OpenedSession): Promise<Sent> {
  const { openRange, digest, size } = job.upload;
  if (openRange && digest !== undefined && size !== undefined) {
    return sendRanges(job, session, { openRange, digest, size });
  }
  return sendGathered(job, session);
}

type Whole = Required<Pick<BlobUpload, "openRange" | "digest" | "size">>;

async function sendRanges(job: UploadJob, session: OpenedSession, { openRange, digest, size }: Whole): Promise<Sent> {
  let { location, offset } = session;
  for (let length = Math.max(CHUNK, session.leastChunk); offset < size;) {
    const started = Date.now();
    const [start, end] = [offset, Math.min(size, offset + length)];
    const body = (from: number): AsyncIterable<Uint8Array> => told(openRange(from, end), from, job.upload);
    ({ location, offset } = await sendChunk(job, { location, start, end, body }));
    if (Date.now() - started < QUICK_MS) length = Math.min(LARGEST_CHUNK, length * 2);
  }
  return { location, digest, size };
}

async function* told(
  bytes: AsyncIterable<Uint8Array>,
  from: number,
  { onProgress }: BlobUpload,
): AsyncGenerator<Uint8Array> {
  let at = from;
  for await (const piece of bytes) {
    yield piece;
    at += piece.length;
    onProgress?.(at);
  }
}

/** The chunk's memory is used again by the next one, after its answer. */
async function sendGathered(job: UploadJob, session: OpenedSession): Promise<Sent> {
  const hasher = new Hasher();
  const room = Buffer.allocUnsafe(Math.max(CHUNK, session.leastChunk));
  let { location } = session;
  let [used, size] = [0, 0];
  const flush = async (): Promise<void> => {
    const chunk = room.subarray(0, used);
    const body = async function* (from: number): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(chunk.subarray(from - (size - used)));
    };
    ({ location } = await sendChunk(job, { location, start: size - used, end: size, body }));
    used = 0;
    job.upload.onProgress?.(size);
  };
  for await (const piece of job.upload.open()) {
    hasher.update(piece);
    // The session has these bytes: an earlier process sent them.
    let rest = piece.subarray(Math.min(piece.length, Math.max(0, session.offset - size)));
    size += piece.length - rest.length;
    while (rest.length > 0) {
      const part = rest.subarray(0, room.length - used);
      room.set(part, used);
      used += part.length;
      size += part.length;
      rest = rest.subarray(part.length);
      if (used === room.length) await flush();
    }
  }
  if (used > 0 || size === 0) await flush();
  return { location, digest: hasher.digest(), size };
}

interface Chunk {
  readonly location: string;
  readonly start: number;
  readonly end: number;
  /** The bytes from a place within the chunk on. */
  readonly body: (from: number) => AsyncIterable<Uint8Array>;
}

/** One chunk; when it breaks, the registry is asked how much of it arrived. */
async function sendChunk(
  job: UploadJob,
  chunk: Chunk,
): Promise<{ readonly location: string; readonly offset: number }> {
  const { upload, session } = job;
  let { location, start } = chunk;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const next = { location: await patch(job, { ...chunk, location, start }), offset: chunk.end };
      upload.memory?.set(next);
      return next;
    } catch (error) {
      if (attempt >= TRIES || !isBroken(error) || job.signal?.aborted) throw error;
      await session.pause(attempt, job.signal);
      const known = await resume(job, { location, offset: start });
      if (!known || known.offset < start || known.offset > chunk.end) throw error;
      ({ location, offset: start } = known);
      if (start === chunk.end) return { location, offset: start };
    }
  }
}

function isBroken(error: unknown): boolean {
  if (!isTareError(error)) return false;
  const { connection, status } = error.details;
  return connection === true || status === 416 || status === 408 || (typeof status === "number" && status >= 500);
}

async function patch(job: UploadJob, { location, start, end, body }: Chunk): Promise<string> {
  const response = await job.session.request({
    ...requestOf(job),
    method: "PATCH",
    target: location,
    headers: {
      "content-type": "application/octet-stream",
      ...(end > start ? { "content-range": `${start}-${end - 1}` } : {}),
    },
    body: () => body(start),
    bodySize: end - start,
    expect: [202, 204, 201],
  });
  response.discard();
  const reached = endOfRange(response);
  if (reached !== undefined && reached !== end && end > 1) throw shortChunk(job, { reached, end });
  return locationOf(response);
}

function shortChunk(
  { doing }: UploadJob,
  { reached, end }: { readonly reached: number; readonly end: number },
): TareError {
  return new TareError("E_REGISTRY", `${doing}: the registry has ${reached} bytes of ${end} that were sent`, {
    hint: "the registry, or a proxy before it, loses uploads: try again",
    details: { status: 416 },
  });
}
