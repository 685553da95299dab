// SPDX-License-Identifier: Apache-2.0
/*
 * One layer to a registry, in the order of what it costs:
 *
 *   the blob is known (it came from outside, or was made before) ─HEAD─▶ there: done
 *                                                                 └─▶ mount, or send
 *   made of wheels: their own compressed bytes are spliced, so the digest is computed first, then as above
 *   else: compressed while it is sent, its digest computed on the way, nothing written to disk
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, hexOf } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { layerCompression, layerMediaType } from "../oci/index.ts";
import type { Descriptor, LayerCompression } from "../oci/index.ts";
import type { Store } from "../store/index.ts";
import { compressedLayer, spoolLayer } from "./compress-layer.ts";
import type { WheelLayers } from "./compress-layer.ts";
import type { LayerBlob, RemoteRepository, TransferListener, TransferMemo, TransferOutcome } from "./transfer.ts";
import { telling } from "./transfer.ts";
import { layerTar } from "./unpack-layer.ts";

/** A push under way. */
export interface PushJob {
  readonly store: Store;
  readonly remote: RemoteRepository;
  readonly memo: TransferMemo;
  readonly compression: LayerCompression;
  readonly wheels: WheelLayers;
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

/** Sends what the registry lacks of a layer; how the pushed manifest describes it. Throws `E_REGISTRY*`, `E_BLOB_MISSING`. */
export async function pushLayer(job: PushJob, layer: LayerPlan): Promise<Descriptor> {
  const { listener, signal } = job;
  signal?.throwIfAborted();
  listener({ kind: "begin", digest: layer.diffId, what: "layer" });
  return telling(listener, layer.diffId, async () => {
    if (isForeign(layer.local)) return ended(job, layer, { blob: layer.local, outcome: "exists" });
    if (!layer.isCompressed) return pushAsItIs(job, layer);
    const known = job.memo.blobOf(layer.diffId, job.compression);
    const isCheap = !known && job.compression === "gzip" && (await job.wheels.has(layer.diffId));
    if (isCheap) return pushSpooled(job, layer);
    return pushMade(job, layer, { open: () => compressedLayer(job, layer.diffId), known });
  });
}

/** Layers that may not be handed on are fetched from where their descriptor says. */
function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /nondistributable|foreign/.test(mediaType);
}

async function pushAsItIs(job: PushJob, layer: LayerPlan): Promise<Descriptor> {
  const { digest, size } = layer.local;
  if (await hasBlob(job, digest)) return ended(job, layer, { blob: layer.local, outcome: "exists" });
  const from = job.memo.mountsFor(digest, job.remote);
  const receipt = await job.remote.client.pushBlob(
    job.remote.repository,
    {
      digest,
      size,
      open: () => localBytes(job.store, layer),
      mount: { digest, size, from },
      onProgress: progress(job, layer, size),
    },
    signalOf(job),
  );
  return ended(job, layer, { blob: layer.local, outcome: outcomeOf(receipt.how), ...origin(receipt.how, from) });
}

/** The bytes that the local manifest names. Throws `E_BLOB_MISSING`. */
function localBytes(store: Store, { local, diffId }: LayerPlan): AsyncIterable<Uint8Array> {
  if (store.blobs.has(local.digest)) {
    return fs.createReadStream(store.blobs.path(local.digest), { highWaterMark: 1 << 18 });
  }
  const [layer] = local.digest === diffId ? store.layers.getAll([diffId]) : [];
  if (layer) return layerTar(store, layer);
  throw new TareError(
    "E_BLOB_MISSING",
    `pushing layer \`${local.digest}\`: its compressed bytes are not in the store`,
    {
      hint: "pull the image again",
      details: { digest: local.digest },
    },
  );
}

/** A layer made of wheels costs little to make: it waits in a file until the registry has said whether it lacks it. */
async function pushSpooled(job: PushJob, layer: LayerPlan): Promise<Descriptor> {
  const path = join(job.scratch, `layer-${hexOf(layer.diffId)}`);
  const known = { ...(await spoolLayer(job, layer.diffId, path)), mediaType: layerMediaType("gzip") };
  job.memo.setBlob(layer.diffId, "gzip", known);
  try {
    return await pushMade(job, layer, { open: () => fs.createReadStream(path, { highWaterMark: 1 << 18 }), known });
  } finally {
    fs.rmSync(path, { force: true });
  }
}

interface Made {
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly known: LayerBlob | undefined;
}

/** A layer compressed here. What is made may differ from what is known (another zlib), so it is measured again. */
async function pushMade(job: PushJob, layer: LayerPlan, { open, known }: Made): Promise<Descriptor> {
  const { client, repository } = job.remote;
  if (known && (await hasBlob(job, known.digest))) return ended(job, layer, { blob: known, outcome: "exists" });
  const from = known ? job.memo.mountsFor(known.digest, job.remote) : [];
  const receipt = await client.pushBlob(
    repository,
    {
      open,
      onProgress: progress(job, layer, known?.size ?? 0),
      ...(known ? { mount: { digest: known.digest, size: known.size, from } } : {}),
    },
    signalOf(job),
  );
  const { digest, size, how } = receipt;
  const blob = { digest, size, mediaType: layerMediaType(job.compression) };
  job.memo.setBlob(layer.diffId, job.compression, blob);
  return ended(job, layer, { blob, outcome: outcomeOf(how), ...origin(how, from) });
}

async function hasBlob(job: PushJob, digest: Digest): Promise<boolean> {
  const { client, repository } = job.remote;
  return (await client.headBlob(repository, digest, { forPush: true, ...signalOf(job) })) !== undefined;
}

interface Ended {
  readonly blob: LayerBlob;
  readonly outcome: TransferOutcome;
  readonly from?: string;
}

function ended(job: PushJob, layer: LayerPlan, { blob, ...rest }: Ended): Descriptor {
  job.memo.seen(blob.digest, job.remote);
  job.listener({ kind: "end", digest: layer.diffId, size: blob.size, ...rest });
  return layer.isCompressed ? describe(layer, blob) : layer.local;
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

/** At most some ten events a second for each layer. */
function progress(job: PushJob, layer: LayerPlan, total: number): (sent: number) => void {
  let last = 0;
  return (current) => {
    job.signal?.throwIfAborted();
    const at = Date.now();
    if (at - last < 100) return;
    last = at;
    job.listener({ kind: "progress", digest: layer.diffId, current, total });
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
