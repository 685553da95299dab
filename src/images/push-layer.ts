// SPDX-License-Identifier: Apache-2.0
/*
 * One layer to a registry, in the order of what it costs:
 *
 *   the blob is known (it came from outside, or was made before) ─HEAD─▶ there: done
 *                                                                 └─▶ mount, or send
 *   made of wheels: their own compressed bytes are spliced, so the digest is computed first, then as above; and so are
 *   small ones
 *   else: compressed while it is sent, its digest computed on the way, nothing written to disk
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Once, TareError, hexOf, fileChunks } from "../base/index.ts";
import type { DiffId, Digest, Semaphore } from "../base/index.ts";
import { layerCompression, layerMediaType } from "../oci/index.ts";
import type { Descriptor, LayerCompression } from "../oci/index.ts";
import type { BlobReceipt, BlobUpload, UploadMemory } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { compressedLayer, spoolLayer } from "./compress-layer.ts";
import type { WheelLayers } from "./compress-layer.ts";
import type { Doubts } from "./doubts.ts";
import type { IdleThreads } from "./layer-thread.ts";
import type { LayerBlob, RemoteRepository, TransferListener, TransferMemo, TransferOutcome } from "./transfer.ts";
import { sometimes, telling } from "./transfer.ts";
import { withUploadMemory } from "./upload-memory.ts";

/** What a store lacks of the image that is pushed from it. */
export interface AbsentBlobs {
  /** Blobs that the repository was seen to have a moment ago: it is not asked again. */
  readonly seen: ReadonlySet<Digest>;
  /** What became of a blob that was sent to the repository for this push before it began. */
  readonly sent: (digest: Digest) => Promise<TransferOutcome | undefined>;
  /** Opens a blob that waits in a file, or where it came from; undefined for others. */
  readonly open: (
    blob: Pick<Descriptor, "digest" | "size">,
    signal?: AbortSignal,
  ) => (() => AsyncIterable<Uint8Array>) | undefined;
}

/** A push under way. */
export interface PushJob {
  readonly store: Store;
  readonly remote: RemoteRepository;
  readonly memo: TransferMemo;
  readonly compression: LayerCompression;
  readonly wheels: WheelLayers;
  readonly slots: PushSlots;
  /** Compress layers. */
  readonly threads: IdleThreads;
  readonly absent?: AbsentBlobs;
  readonly doubts: Doubts;
  /** A private folder for what waits to be sent. */
  readonly scratch: string;
  readonly listener: TransferListener;
  readonly signal?: AbortSignal;
}

/** A layer of a manifest. */
export interface LayerPlan {
  readonly diffId: DiffId;
  /** As the local manifest has it. */
  readonly local: Descriptor;
  /** It is sent compressed, though the local manifest has a plain tar. */
  readonly isCompressed: boolean;
}

/** How the pushed manifest will describe the layer, when that is known beforehand. */
export function knownDescriptor(job: PushJob, layer: LayerPlan): Descriptor | undefined {
  if (!layer.isCompressed) return layer.local;
  const blob = job.memo.blobOf(layer.diffId, job.compression);
  return blob && describe(layer, blob);
}

/** A layer at the registry. */
export interface LayerReceipt {
  /** How the pushed manifest describes it. */
  readonly blob: Descriptor;
  readonly outcome: TransferOutcome;
}

/** How much goes on at the same time. */
export interface PushSlots {
  /** Questions without a body. */
  readonly asking: Semaphore;
  /** Layers that wait in a file or are written to one. */
  readonly spooled: Semaphore;
  /** Layers that are compressed while they are sent, each by a thread. */
  readonly compressing: Semaphore;
  readonly sending: Semaphore;
  /**
   * Large blobs by their bytes: many registries forget all of an upload that a kill ended in the middle of a chunk, and
   * this bounds how much that can be.
   */
  readonly atRisk: ByteBudget;
}

/** Sends what the registry lacks of a layer. Throws `E_REGISTRY*`, `E_BLOB_MISSING`. */
export async function pushLayer(job: PushJob, layer: LayerPlan): Promise<LayerReceipt> {
  const { listener, signal } = job;
  signal?.throwIfAborted();
  listener({ kind: "begin", digest: layer.diffId, what: "layer" });
  return telling(listener, layer.diffId, async () => {
    if (isForeign(layer.local)) return ended(job, layer, { blob: layer.local, outcome: "exists" });
    if (!layer.isCompressed) return pushAsItIs(job, layer);
    const known = job.memo.blobOf(layer.diffId, job.compression);
    const outcome = known && !job.doubts(known.digest) ? await job.absent?.sent(known.digest) : undefined;
    if (known && outcome) return ended(job, layer, { blob: known, outcome });
    if (known && (await hasBlob(job, known.digest))) return ended(job, layer, { blob: known, outcome: "exists" });
    if (await isCheap(job, layer)) return job.slots.spooled.run(() => pushSpooled(job, layer, known));
    const open = (): AsyncIterable<Uint8Array> => compressedLayer(job, layer.diffId);
    return job.slots.compressing.run(() => sendMade(job, layer, { open, known }));
  });
}

/** Layers whose digest costs little to know: the registry is asked before anything is sent. */
async function isCheap({ compression, store, wheels }: PushJob, { diffId }: LayerPlan): Promise<boolean> {
  if (compression !== "gzip") return false;
  const layer = store.layers.facts(diffId);
  return (layer !== undefined && layer.blob === undefined && layer.size <= SMALL) || wheels.has(diffId);
}

/** Up to this many bytes are compressed in a moment. */
const SMALL = 4 << 20;

/** Layers that may not be handed on are fetched from where their descriptor says. */
export function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /nondistributable|foreign/.test(mediaType);
}

async function pushAsItIs(job: PushJob, layer: LayerPlan): Promise<LayerReceipt> {
  const { digest, size } = layer.local;
  const outcome = job.doubts(digest) ? undefined : await job.absent?.sent(digest);
  if (outcome) return ended(job, layer, { blob: layer.local, outcome });
  if (await hasBlob(job, digest)) return ended(job, layer, { blob: layer.local, outcome: "exists" });
  const from = mountsOf(job, digest);
  const upload = {
    digest,
    size,
    open: () => bytesOf(job, layer),
    ...(job.store.blobs.has(digest) ? rangesOf(job.store.blobs.path(digest)) : {}),
    mount: { digest, size, from },
    onProgress: progress(job, layer, size),
  };
  const receipt = await sendBlob(job, { upload, name: digest, bytes: size });
  return ended(job, layer, { blob: layer.local, outcome: outcomeOf(receipt.how), ...origin(receipt.how, from) });
}

/** From this size on it is remembered how far an upload came. */
const REMEMBERED = 16 << 20;

interface Sending {
  readonly upload: BlobUpload;
  /** Stands for the bytes. */
  readonly name: string;
  /** About how many there are. */
  readonly bytes: number;
}

function sendBlob(job: PushJob, { upload, name, bytes }: Sending): Promise<BlobReceipt> {
  const { store, remote, slots } = job;
  const send = (memory?: UploadMemory): Promise<BlobReceipt> =>
    remote.client.pushBlob(remote.repository, { ...upload, ...(memory && { memory }) }, signalOf(job));
  if (bytes < REMEMBERED) return slots.sending.run(() => send());
  const remembered = (): Promise<BlobReceipt> => withUploadMemory(store, { remote, name }, send);
  // What is made while it is sent is seldom in the middle of a chunk.
  return slots.atRisk.run(upload.size ?? 0, () => slots.sending.run(remembered));
}

function rangesOf(path: string): Required<Pick<BlobUpload, "openRange">> {
  return { openRange: (start, end) => fileChunks(path, { start, end }) };
}

/** The bytes that the local manifest names, from here or from where they are. Throws `E_BLOB_MISSING`. */
function bytesOf(job: PushJob, { local, diffId }: LayerPlan): AsyncIterable<Uint8Array> {
  const { store, absent, signal } = job;
  if (store.blobs.has(local.digest)) {
    return fileChunks(store.blobs.path(local.digest));
  }
  if (local.digest === diffId && store.layers.facts(diffId)) {
    return compressedLayer({ ...job, compression: "none" }, diffId);
  }
  const remote = absent?.open(local, signal);
  if (remote) return remote();
  throw new TareError(
    "E_BLOB_MISSING",
    `pushing layer \`${local.digest}\`: its compressed bytes are not in the store`,
    {
      hint: "pull the image again",
      details: { digest: local.digest },
    },
  );
}

/** A layer that costs little to make waits in a file until the registry has said whether it lacks it. */
async function pushSpooled(job: PushJob, layer: LayerPlan, known: LayerBlob | undefined): Promise<LayerReceipt> {
  const path = join(job.scratch, `layer-${hexOf(layer.diffId)}`);
  const open = (): AsyncIterable<Uint8Array> => fileChunks(path);
  try {
    const waiting = known && job.absent?.open(known, job.signal);
    if (waiting) return await sendMade(job, layer, { open: waiting, known, isExact: true });
    if (known && mountsOf(job, known.digest).length > 0) {
      const spooled = new Once<LayerBlob>();
      const make = (): Promise<LayerBlob> => spooled.run("spool", () => spool(job, layer, path));
      return await sendMade(job, layer, { open: () => afterwards(make, open), known });
    }
    const blob = await spool(job, layer, path);
    const isNews = blob.digest !== known?.digest;
    if (isNews && (await hasBlob(job, blob.digest))) return ended(job, layer, { blob, outcome: "exists" });
    return await sendMade(job, layer, { open, known: blob, isExact: true, file: path });
  } finally {
    fs.rmSync(path, { force: true });
  }
}

async function spool(job: PushJob, layer: LayerPlan, path: string): Promise<LayerBlob> {
  const { digest, size } = await spoolLayer(job, layer.diffId, path);
  const blob = { digest, size, mediaType: layerMediaType("gzip") };
  job.memo.setBlob(layer.diffId, "gzip", blob);
  return blob;
}

async function* afterwards(
  first: () => Promise<unknown>,
  open: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  await first();
  yield* open();
}

interface Made {
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly known: LayerBlob | undefined;
  /** The bytes are at hand and are those of `known`. */
  readonly isExact?: boolean;
  /** They are in this file. */
  readonly file?: string;
}

/** A layer compressed here. What is made may differ from what is known (another zlib), so it is measured again. */
async function sendMade(job: PushJob, layer: LayerPlan, { open, known, isExact, file }: Made): Promise<LayerReceipt> {
  const from = known ? mountsOf(job, known.digest) : [];
  const exact = known && isExact === true ? { digest: known.digest, size: known.size } : {};
  const upload = {
    ...exact,
    open,
    onProgress: progress(job, layer, known?.size ?? 0),
    ...(exact.digest !== undefined && file !== undefined ? rangesOf(file) : {}),
    ...(known ? { mount: { digest: known.digest, size: known.size, from } } : {}),
  };
  const bytes = exact.size ?? job.store.layers.facts(layer.diffId)?.size ?? 0;
  const name = exact.digest ?? `${job.compression}:${layer.diffId}`;
  const receipt = await sendBlob(job, { upload, name, bytes });
  const { digest, size, how } = receipt;
  const blob = { digest, size, mediaType: layerMediaType(job.compression) };
  job.memo.setBlob(layer.diffId, job.compression, blob);
  return ended(job, layer, { blob, outcome: outcomeOf(how), ...origin(how, from) });
}

function mountsOf({ doubts, memo, remote }: PushJob, digest: Digest): readonly string[] {
  return doubts(digest) ? [] : memo.mountsFor(digest, remote);
}

async function hasBlob(job: PushJob, digest: Digest): Promise<boolean> {
  if (job.doubts(digest)) return false;
  if (job.absent?.seen.has(digest)) return true;
  const { client, repository } = job.remote;
  const call = { forPush: true, ...signalOf(job) };
  return (await job.slots.asking.run(() => client.headBlob(repository, digest, call))) !== undefined;
}

interface Ended {
  readonly blob: LayerBlob;
  readonly outcome: TransferOutcome;
  readonly from?: string;
}

function ended(job: PushJob, layer: LayerPlan, { blob, ...rest }: Ended): LayerReceipt {
  job.memo.seen(blob.digest, job.remote);
  job.listener({ kind: "end", digest: layer.diffId, size: blob.size, ...rest });
  return { blob: layer.isCompressed ? describe(layer, blob) : layer.local, outcome: rest.outcome };
}

function describe(layer: LayerPlan, { digest, size, mediaType }: LayerBlob): Descriptor {
  return { ...layer.local, mediaType, digest, size };
}

function outcomeOf(how: "uploaded" | "mounted"): TransferOutcome {
  return how === "mounted" ? "mounted" : "pushed";
}

function origin(how: "uploaded" | "mounted", from: readonly string[]): { readonly from?: string } {
  const [first] = from;
  return how === "mounted" && first !== undefined ? { from: first } : {};
}

function progress(job: PushJob, layer: LayerPlan, total: number): (sent: number) => void {
  const tell = sometimes((current) => job.listener({ kind: "progress", digest: layer.diffId, current, total }));
  return (current) => {
    job.signal?.throwIfAborted();
    tell(current);
  };
}

/** The call's signal as an option. */
export function signalOf(job: { readonly signal?: AbortSignal }): { readonly signal?: AbortSignal } {
  return job.signal === undefined ? {} : { signal: job.signal };
}

/** Whether a layer that a manifest describes so has to be compressed for the wire. */
export function needsCompression(local: Descriptor, wanted: LayerCompression): boolean {
  return wanted !== "none" && layerCompression(local.mediaType) === "none" && !isForeign(local);
}
