// SPDX-License-Identifier: Apache-2.0
/*
 * A blob into a file that keeps what came:
 *
 *   small, or nothing else is known ─▶ GET; when it breaks, GET of the rest (Range: bytes=N-)
 *   large ─▶ GET of the first piece ─206─▶ the other pieces over several connections
 *                                   └200─▶ the server has no ranges: its answer is all of it
 *
 * What an earlier download left is not asked for again.
 */
import { isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { Breaks, isLost, openPart, partBytes } from "./download.ts";
import type { RegistrySession } from "./session.ts";
import type { BlobTarget, RegistryCall } from "./types.ts";

const PIECE = 16 << 20;
/** From this size on pieces are fetched at the same time. */
const LARGE = 2 * PIECE;
const CONNECTIONS = 2;

/** From `start` to before `end`. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

interface Fetch {
  readonly session: RegistrySession;
  readonly repository: string;
  readonly blob: { readonly digest: Digest; readonly size: number };
  readonly doing: string;
  readonly target: BlobTarget;
  readonly call: RegistryCall;
  /** Fires for the other connections when one of them failed, or has all of it. */
  readonly stop: AbortController;
}

/** Fetches what a target lacks of a blob. Throws `E_REGISTRY*`, `E_ABORTED`, and what `write` throws. */
export async function fetchBlob(
  session: RegistrySession,
  repository: string,
  target: BlobTarget,
  call: RegistryCall,
): Promise<void> {
  const { digest, size, missing } = target;
  const doing = `pulling \`${digest}\` from \`${session.domain}/${repository}\``;
  const stop = new AbortController();
  const signal = call.signal === undefined ? stop.signal : AbortSignal.any([call.signal, stop.signal]);
  const fetch = { session, repository, blob: { digest, size }, doing, target, call: { ...call, signal }, stop };
  const pieces = size >= LARGE ? missing.flatMap(cut) : [...missing];
  const [first, ...others] = size === 0 ? [{ start: 0, end: 0 }] : pieces;
  if (!first) return;
  const isAll = await fetchPiece(fetch, first);
  if (!isAll) await fetchPieces(fetch, others);
}

function cut({ start, end }: Piece): readonly Piece[] {
  const count = Math.ceil((end - start) / PIECE);
  return Array.from({ length: count }, (_, index) => {
    return { start: start + index * PIECE, end: Math.min(end, start + (index + 1) * PIECE) };
  });
}

/** In order, so that who reads the file from its start has something to do. */
async function fetchPieces(fetch: Fetch, pieces: readonly Piece[]): Promise<void> {
  const queue = [...pieces];
  const failed: unknown[] = [];
  const connection = async (): Promise<void> => {
    for (let piece = queue.shift(); piece && !fetch.stop.signal.aborted; piece = queue.shift()) {
      const isAll = await fetchPiece(fetch, piece);
      if (isAll) queue.splice(0);
    }
  };
  const guarded = (): Promise<void> =>
    connection().catch((error: unknown) => {
      failed.push(error);
      fetch.stop.abort(error);
    });
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, queue.length) }, guarded));
  if (failed.length > 0) throw failed[0];
}

/** True when the server sent all that follows too, because it has no ranges. */
async function fetchPiece(fetch: Fetch, { start, end }: Piece): Promise<boolean> {
  const { session, blob, doing, call } = fetch;
  const breaks = new Breaks(doing, blob.size);
  const progress = { at: start };
  for (;;) {
    const before = progress.at;
    let failure: unknown;
    try {
      const response = await openPiece(fetch, { start: progress.at, end });
      const isWhole = response.status === 200;
      await takeBody(fetch, response, { progress, end: isWhole ? Number.POSITIVE_INFINITY : end });
      if (isWhole && progress.at >= blob.size) return true;
    } catch (error) {
      if (!isTareError(error, "E_HTTP") && !isLost(error)) throw error;
      failure = error;
    }
    if (progress.at >= end && end > 0) return false;
    await session.pause(breaks.next(progress.at, progress.at > before, failure), call.signal);
  }
}

function openPiece(fetch: Fetch, { start, end }: Piece): Promise<HttpResponse> {
  const { session, repository, blob, doing, call } = fetch;
  return openPart(session, { repository, blob, doing, from: start, ...(end < blob.size ? { to: end } : {}) }, call);
}

interface Taking {
  /** Moves with what was written. */
  readonly progress: { at: number };
  readonly end: number;
}

/** Writes a body to its place, at most up to `end`. */
async function takeBody({ target }: Fetch, response: HttpResponse, { progress, end }: Taking): Promise<void> {
  for await (const chunk of partBytes(response, progress.at)) {
    const room = end - progress.at;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    target.write(progress.at, part);
    progress.at += part.length;
    if (progress.at >= end) return response.discard();
  }
}
