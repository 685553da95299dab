// SPDX-License-Identifier: Apache-2.0
/*
 * A layer from a registry into the store:
 *
 *   claim ─▶ another command fetches it: wait, then look again
 *     └─▶ fetch into a file of the store ─┐
 *           read, hash, unpack that file ─┴─▶ digest and diffID are right ─▶ blob, layer
 *
 * A kill leaves the file, and the next pull goes on with it. Bytes are unpacked before their digest is known, into a
 * private folder; when unpacking fails, the rest is fetched all the same, since a wrong digest is the better reason.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { packTree } from "../archive/index.ts";
import { isTareError } from "../base/index.ts";
import type { DiffId, ErrorCode } from "../base/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { BlobTarget } from "../registry/index.ts";
import type { LayerStaging, PartialBlob, Store } from "../store/index.ts";
import { FileFrontier } from "./file-frontier.ts";
import { unpackOnThread } from "./layer-thread.ts";
import type { UnpackReport } from "./layer-job.ts";
import type { LayerThreads } from "./layer-thread.ts";
import { commitLayer, requireDiffId, requireKnownKind, unpackLayer } from "./unpack-layer.ts";

/** A layer that a registry has. */
export interface ReceiveJob {
  readonly store: Store;
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  /** Fetches what the target lacks. */
  readonly fetch: (target: BlobTarget, signal: AbortSignal) => Promise<void>;
  /** True when wrong bytes came from a mirror, so that another try asks somebody else. */
  readonly distrust: () => boolean;
  /** Bytes that are here, those of earlier tries included. */
  readonly onProgress: (received: number) => void;
  readonly threads: LayerThreads;
}

const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 500;

/**
 * Brings a layer into the store; false when all of it was there. Throws `E_REGISTRY*`, `E_DIGEST_MISMATCH`, what
 * unpacking throws, `E_ABORTED`.
 */
export async function receiveLayer(job: ReceiveJob): Promise<boolean> {
  const { store, descriptor, diffId } = job;
  requireKnownKind(descriptor);
  if (isWhole(job)) return false;
  const partial = await claimed(job);
  try {
    if (isWhole(job)) {
      partial.discard();
      return false;
    }
    if (descriptor.digest !== diffId && store.blobs.has(descriptor.digest)) {
      partial.discard();
      await unpackLayer(store, { descriptor, diffId, open: nothing, signal: job.threads.signal });
      return false;
    }
    await receive(job, partial);
    return true;
  } finally {
    partial.close();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // The blob is there and read from there.
}

function isWhole({ store, descriptor: { digest }, diffId }: ReceiveJob): boolean {
  return store.layers.get(diffId) !== undefined && (digest === diffId || store.blobs.has(digest));
}

/** Waits while another command fetches the same blob. */
async function claimed({ store, descriptor: { digest, size }, threads: { signal } }: ReceiveJob): Promise<PartialBlob> {
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(LONGEST_LOOK_MS, pause * 2)) {
    signal.throwIfAborted();
    const partial = store.partials.claim({ digest, size });
    if (partial) return partial;
    await sleep(pause);
  }
}

/** Bytes that a power cut or a mirror spoiled show in the digest; then all of it is fetched once more. */
async function receive(job: ReceiveJob, partial: PartialBlob): Promise<void> {
  try {
    await receiveOnce(job, partial);
  } catch (error) {
    if (!isTareError(error, "E_DIGEST_MISMATCH")) throw leave(partial, error);
    const isMirrors = job.distrust();
    if (partial.kept === 0 && !isMirrors) throw leave(partial, error);
    partial.reset();
    try {
      await receiveOnce(job, partial);
    } catch (again) {
      throw leave(partial, again);
    }
  }
}

/** What another try may go on with stays: bytes that came right before something outside stopped it. */
const KEEPS: ReadonlySet<ErrorCode> = new Set(["E_ABORTED", "E_NOSPACE", "E_IO", "E_SYSCALL"]);

function leave(partial: PartialBlob, error: unknown): unknown {
  const isOutside = isTareError(error) ? KEEPS.has(error.code) || error.code.startsWith("E_REGISTRY") : true;
  if (!isOutside || partial.received === 0) partial.discard();
  return error;
}

async function receiveOnce(job: ReceiveJob, partial: PartialBlob): Promise<void> {
  const { store, diffId } = job;
  const staging = store.layers.get(diffId) === undefined ? store.layers.stage() : undefined;
  try {
    const report = await fetchAndUnpack(job, partial, staging);
    if (report.digest !== partial.digest) await partial.publish(report.digest);
    await settle(job, { partial, staging, report });
  } catch (error) {
    staging?.discard();
    throw error;
  }
}

async function fetchAndUnpack(
  job: ReceiveJob,
  partial: PartialBlob,
  staging: LayerStaging | undefined,
): Promise<UnpackReport> {
  const { descriptor, diffId, threads } = job;
  const stop = new AbortController();
  const signal = AbortSignal.any([threads.signal, stop.signal]);
  const frontier = new FileFrontier();
  partial.open();
  const fetching = fetchInto(job, { partial, frontier, signal });
  let hasEnded = false;
  fetching.catch(() => {
    hasEnded = true;
    frontier.fail();
  });
  const file = { path: partial.path, size: partial.size, shared: frontier.shared };
  const isPlain = descriptor.digest === diffId;
  const unpacking = unpackOnThread({ file, isPlain, ...(staging && { tree: staging.tree }) }, threads);
  unpacking.catch((error: unknown) => {
    if (!hasEnded && isTareError(error) && KEEPS.has(error.code)) stop.abort(error);
  });
  const [fetched, unpacked] = await Promise.allSettled([fetching, unpacking]);
  if (unpacked.status === "rejected" && stop.signal.aborted) throw unpacked.reason;
  if (fetched.status === "rejected") throw fetched.reason;
  if (unpacked.status === "fulfilled") return unpacked.value;
  const { digest } = await unpackOnThread({ file, isPlain }, threads);
  if (digest !== partial.digest) await partial.publish(digest);
  throw unpacked.reason;
}

interface Fetching {
  readonly partial: PartialBlob;
  readonly frontier: FileFrontier;
  readonly signal: AbortSignal;
}

async function fetchInto(job: ReceiveJob, { partial, frontier, signal }: Fetching): Promise<void> {
  const { digest, size } = partial;
  frontier.advance(partial.frontier);
  const write = (at: number, chunk: Uint8Array): void => {
    partial.write(at, chunk);
    frontier.advance(partial.frontier);
    job.onProgress(partial.received);
  };
  const missing = partial.missing();
  if (missing.length > 0 || size === 0) await job.fetch({ digest, size, missing, write }, signal);
}

interface Received {
  readonly partial: PartialBlob;
  readonly staging: LayerStaging | undefined;
  readonly report: UnpackReport;
}

/** A tar that its tree gives again is not kept as a blob. */
async function settle({ descriptor, diffId, threads }: ReceiveJob, received: Received): Promise<void> {
  const { partial, staging, report } = received;
  const { facts } = report;
  const source = { descriptor, diffId };
  if (facts) requireDiffId(source, facts);
  let keepsBlob = true;
  if (descriptor.digest === diffId && staging) {
    const packed = await packTree(staging.tree, undefined, { signal: threads.signal });
    keepsBlob = packed.diffId !== diffId;
  }
  if (keepsBlob) await partial.publish(report.digest);
  else partial.discard();
  if (staging && facts) await commitLayer(staging, source, { facts, keepsBlob });
}
