// SPDX-License-Identifier: Apache-2.0
/*
 * An image of the store to a registry. Layers made here are plain tars in the local manifest and travel compressed, so
 * the pushed manifest is another one with the same config: image ID and diffIDs are equal, the digest is not. An image
 * that came from a registry is pushed byte for byte.
 */
import { availableParallelism } from "node:os";
import { Once, Semaphore, digestOf } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { Descriptor, LayerCompression, Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { ByteBudget } from "./byte-budget.ts";
import { NO_WHEELS } from "./compress-layer.ts";
import type { WheelLayers } from "./compress-layer.ts";
import { doubtsOf } from "./doubts.ts";
import { IdleThreads } from "./layer-thread.ts";
import { knownDescriptor, pushLayer, signalOf } from "./push-layer.ts";
import type { AbsentBlobs, LayerPlan, PushJob } from "./push-layer.ts";
import { digestsOf, finished, finishedIndex, manifestsOf, planTarget } from "./push-plan.ts";
import type { Document, ManifestPlan, Plan } from "./push-plan.ts";
import { TransferMemo, stoppable, telling } from "./transfer.ts";
import type { LayerBlob, RemoteRepository, Stoppable, TransferListener } from "./transfer.ts";

/** How an image is pushed. */
export interface PushOptions {
  /** Of several platforms only these; default: all that are in the store. */
  readonly platforms?: readonly Platform[];
  /** How layers made here travel. Default gzip, and images that came from a registry as they came. */
  readonly compression?: LayerCompression;
  /** Layers made of wheels travel with the wheels' own compressed bytes. */
  readonly wheels?: WheelLayers;
  readonly absent?: AbsentBlobs;
  readonly listener?: TransferListener;
  /** Layers sent at the same time. Default 6. */
  readonly jobs?: number;
  readonly signal?: AbortSignal;
}

/** What a push left at the registry. */
export interface PushedImage {
  /** Of the manifest or index that the tag names now. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The tag named it already: nothing was sent. */
  readonly wasThere: boolean;
  /** Its layers as they are there. */
  readonly layers: readonly PushedLayer[];
}

/** A layer of a pushed image. */
export interface PushedLayer {
  readonly diffId: DiffId;
  readonly blob: LayerBlob;
  /** The repository had it before. */
  readonly wasThere: boolean;
}
const JOBS = 6;
const QUESTIONS = 16;
/** As many as can be written while as many are sent; the others have their wheels' disk space only. */
const SPOOLED = 14;
/** Each takes some 17 MB with its chunk. */
const MOST_THREADS = 5;
/** A kill may cost one part in so many. */
const RISK = 10;

/**
 * Pushes an image under a tag: layers at the same time, those that the registry has are not sent, manifests last. A
 * second push of the same image asks one question. Throws `E_REGISTRY*`, `E_PLATFORM`, `E_BLOB_MISSING`, `E_ABORTED`.
 */
export async function pushImage(
  store: Store,
  record: Pick<ImageRecord, "target" | "mediaType">,
  target: RemoteRepository & { readonly tag: string },
  options: PushOptions = {},
): Promise<PushedImage> {
  const memo = new TransferMemo(store);
  const lease = store.lease();
  const work = stoppable(options.signal);
  const opened = jobOf({ store, remote: target, memo, scratch: lease.folder }, { ...options, signal: work.signal });
  try {
    const plan = planTarget(opened, record.target, { options, depth: 0 });
    const job = { ...opened, slots: { ...opened.slots, atRisk: new ByteBudget(bytesOf(plan) / RISK) } };
    lease.keep(digestsOf(plan));
    const predicted = predict(job, plan);
    if (predicted && (await isThere(job, target.tag, predicted))) {
      return { ...resultOf(predicted, true), layers: tellAllThere(job, plan) };
    }
    const layers: PushedLayer[] = [];
    const document = await pushPlan(job, plan, { all: work.all, layers, once: new Once(), tag: target.tag });
    return { ...resultOf(document, false), layers };
  } finally {
    opened.threads.close();
    lease.release();
  }
}

function jobOf(place: Pick<PushJob, "store" | "remote" | "memo" | "scratch">, options: PushOptions): PushJob {
  return {
    ...place,
    compression: options.compression ?? "gzip",
    wheels: options.wheels ?? NO_WHEELS,
    slots: {
      asking: new Semaphore(QUESTIONS),
      spooled: new Semaphore(SPOOLED),
      compressing: new Semaphore(Math.min(MOST_THREADS, availableParallelism())),
      sending: new Semaphore(options.jobs ?? JOBS),
      atRisk: new ByteBudget(0),
    },
    ...(options.absent === undefined ? {} : { absent: options.absent }),
    threads: new IdleThreads(),
    doubts: () => false,
    listener: options.listener ?? ((): void => undefined),
    ...signalOf(options),
  };
}

function bytesOf(plan: Plan): number {
  const layers = [...manifestsOf(plan)].flatMap(({ manifest }) => manifest.layers);
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function resultOf({ bytes, mediaType }: Document, wasThere: boolean): Omit<PushedImage, "layers"> {
  return { digest: digestOf(bytes), mediaType, size: bytes.length, wasThere };
}

/** The document that the push will end with, when every layer's blob is known. */
function predict(job: PushJob, plan: Plan): Document | undefined {
  if (plan.kind === "manifest") {
    const layers = plan.layers.map((layer) => knownDescriptor(job, layer));
    const known = layers.filter((layer) => layer !== undefined);
    return known.length === layers.length ? finished(plan, known) : undefined;
  }
  const children = plan.children.map((child) => predict(job, child.plan));
  const known = children.filter((child) => child !== undefined);
  return known.length === children.length ? finishedIndex(plan, known) : undefined;
}

async function isThere(job: PushJob, tag: string, { bytes }: Document): Promise<boolean> {
  const { client, repository } = job.remote;
  const facts = await client.headManifest(repository, tag, { ...signalOf(job), forPush: true });
  return facts?.digest === digestOf(bytes);
}

function tellAllThere(job: PushJob, plan: Plan): readonly PushedLayer[] {
  return [...manifestsOf(plan)].flatMap(({ layers }) =>
    layers.map((layer) => {
      const { mediaType, digest, size } = knownDescriptor(job, layer) ?? layer.local;
      job.listener({ kind: "begin", digest: layer.diffId, what: "layer" });
      job.listener({ kind: "end", digest: layer.diffId, outcome: "exists", size });
      return { diffId: layer.diffId, blob: { mediaType, digest, size }, wasThere: true };
    }),
  );
}

interface Pushing {
  readonly all: Stoppable["all"];
  /** Filled while layers are pushed. */
  readonly layers: PushedLayer[];
  /** Layers by diffID: platforms often share some. */
  readonly once: Once<PushedLayer>;
  /** What the manifest is written under; its digest when absent. */
  readonly tag?: string;
}

async function pushPlan(job: PushJob, plan: Plan, pushing: Pushing): Promise<Document> {
  const document = await pushContent(job, plan, pushing);
  const { tag = digestOf(document.bytes) } = pushing;
  const { client, repository } = job.remote;
  try {
    await client.putManifest(repository, tag, document, signalOf(job));
    return document;
  } catch (error) {
    const doubts = doubtsOf(error);
    if (!doubts) throw error;
    // It said of a blob that it has it, and does not: its collection of garbage may have come between.
    const again = await pushContent({ ...job, doubts }, plan, { ...pushing, once: new Once() });
    await client.putManifest(repository, tag, again, signalOf(job));
    return again;
  }
}

async function pushContent(job: PushJob, plan: Plan, { tag: _tag, ...inner }: Pushing): Promise<Document> {
  if (plan.kind === "manifest") return pushManifest(job, plan, inner);
  return finishedIndex(plan, await inner.all(plan.children.map((child) => pushPlan(job, child.plan, inner))));
}

async function pushManifest(job: PushJob, plan: ManifestPlan, pushing: Pushing): Promise<Document> {
  const { config, layers } = plan.manifest;
  const { layers: pushedLayers, all, once } = pushing;
  const raw = [config, ...(plan.layers.length === 0 ? layers : [])];
  const started = new Map<LayerPlan, Promise<PushedLayer>>();
  // The largest begins first, so that it does not end alone.
  for (const layer of plan.layers.toSorted((a, b) => b.local.size - a.local.size)) {
    started.set(
      layer,
      once.run(layer.diffId, () => pushOne(job, layer, pushedLayers)),
    );
  }
  const others = raw.map((blob) => pushRaw(job, blob, blob === config ? "config" : "layer"));
  const pushed = plan.layers.map(async (layer) => {
    const done = await started.get(layer);
    return done ? { ...layer.local, ...done.blob } : layer.local;
  });
  const [described] = await Promise.all([all(pushed), all(others)]);
  return finished(plan, described);
}

async function pushOne(job: PushJob, layer: LayerPlan, layers: PushedLayer[]): Promise<PushedLayer> {
  const { outcome, blob } = await pushLayer(job, layer);
  const { mediaType, digest, size } = blob;
  const pushed = { diffId: layer.diffId, blob: { mediaType, digest, size }, wasThere: outcome === "exists" };
  layers.push(pushed);
  return pushed;
}

/** A blob that travels as it is: configs, and what is in manifests of other things than images. */
async function pushRaw(job: PushJob, blob: Descriptor, what: "layer" | "config"): Promise<void> {
  const { client, repository } = job.remote;
  const { digest, size } = blob;
  job.listener({ kind: "begin", digest, what });
  await telling(job.listener, digest, async () => {
    const call = { forPush: true, ...signalOf(job) };
    const known = !job.doubts(digest) && (await job.slots.asking.run(() => client.headBlob(repository, digest, call)));
    const upload = { digest, size, open: () => pieces(job, digest) };
    if (!known) await job.slots.sending.run(() => client.pushBlob(repository, upload, signalOf(job)));
    job.memo.seen(digest, job.remote);
    job.listener({ kind: "end", digest, outcome: known ? "exists" : "pushed", size });
  });
}

async function* pieces(job: PushJob, digest: Digest): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(job.store.blobs.read(digest));
}
