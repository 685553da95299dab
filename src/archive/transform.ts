// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { Transform } from "node:stream";
import { TareError, messageOf } from "../base/index.ts";

/**
 * Sends a stream through a zlib transform. Its failures become `E_COMPRESSION`; the source's own errors pass as they
 * are. Both ends are closed when the reader stops early.
 */
export async function* through(
  transform: Transform,
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  kind: string,
): AsyncGenerator<Uint8Array> {
  const failure: { source?: { readonly error: unknown } } = {};
  const feeding = feed(transform, source).catch((error: unknown) => {
    failure.source = { error };
    transform.destroy();
  });
  try {
    for await (const chunk of transform) yield chunk as Buffer;
  } catch (error) {
    if (failure.source !== undefined) throw failure.source.error;
    throw compressionError(kind, messageOf(error));
  } finally {
    transform.destroy();
    await feeding;
  }
  if (failure.source !== undefined) throw failure.source.error;
}

async function feed(transform: Transform, source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) {
    if (transform.destroyed || transform.writableEnded) return;
    if (!transform.write(chunk)) await drained(transform);
  }
  if (!transform.destroyed) transform.end();
}

/** Resolves also when the transform is destroyed meanwhile. */
async function drained(transform: Transform): Promise<void> {
  const control = new AbortController();
  const { signal } = control;
  try {
    await Promise.race([once(transform, "drain", { signal }), once(transform, "close", { signal })]);
  } catch {
    // An error of the transform itself reaches the reader of its output.
  } finally {
    control.abort();
  }
}

/** The error for damaged compressed data. */
export function compressionError(kind: string, why: string): TareError {
  return new TareError("E_COMPRESSION", `decompressing ${kind} data: ${why}`, {
    hint: "the data is damaged or not complete: write or fetch it again",
  });
}
