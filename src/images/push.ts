// SPDX-License-Identifier: Apache-2.0
/*
 * An image of the store to a registry. Layers made here are plain tars in the local manifest and travel compressed, so
 * the pushed manifest is another one with the same config: image ID and diffIDs are equal, the digest is not. An image
 * that came from a registry is pushed byte for byte.
 */
import { Once, Semaphore, TareError, digestOf } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import {
  MEDIA_TYPES,
  formatPlatform,
  isConfig,
  isIndex,
  layerCompression,
  layerMediaType,
  matchesPlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  serializeIndex,
  serializeManifest,
} from "../oci/index.ts";
import type { Descriptor, ImageIndex, LayerCompression, Manifest, Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { NO_WHEELS } from "./compress-layer.ts";
import type { WheelLayers } from "./compress-layer.ts";
import { knownDescriptor, needsCompression, pushLayer, signalOf } from "./push-layer.ts";
import type { AbsentBlobs, LayerPlan, PushJob } from "./push-layer.ts";
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

interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

interface ManifestPlan {
  readonly kind: "manifest";
  readonly document: Document;
  readonly manifest: Manifest;
  /** Empty when it is no image: its blobs travel as they are. */
  readonly layers: readonly LayerPlan[];
}

interface IndexPlan {
  readonly kind: "index";
  readonly document: Document;
  readonly index: ImageIndex;
  readonly children: readonly { readonly descriptor: Descriptor; readonly plan: ManifestPlan | IndexPlan }[];
}

type Plan = ManifestPlan | IndexPlan;

const JOBS = 6;
const QUESTIONS = 16;
/** As many as can be written while as many are sent; the others have their wheels' disk space only. */
const SPOOLED = 14;
const MAX_DEPTH = 4;

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
  try {
    const job = jobOf({ store, remote: target, memo, scratch: lease.folder }, { ...options, signal: work.signal });
    const plan = planTarget(job, record.target, { options, depth: 0 });
    lease.keep(digestsOf(plan));
    const predicted = predict(job, plan);
    if (predicted && (await isThere(job, target.tag, predicted))) {
      return { ...resultOf(predicted, true), layers: tellAllThere(job, plan) };
    }
    const layers: PushedLayer[] = [];
    const document = await pushPlan(job, plan, { all: work.all, layers, tag: target.tag });
    return { ...resultOf(document, false), layers };
  } finally {
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
      sending: new Semaphore(options.jobs ?? JOBS),
    },
    ...(options.absent === undefined ? {} : { absent: options.absent }),
    listener: options.listener ?? ((): void => undefined),
    ...signalOf(options),
  };
}

function resultOf({ bytes, mediaType }: Document, wasThere: boolean): Omit<PushedImage, "layers"> {
  return { digest: digestOf(bytes), mediaType, size: bytes.length, wasThere };
}

interface Planning {
  readonly options: PushOptions;
  readonly depth: number;
}

function planTarget(job: PushJob, digest: Digest, planning: Planning): Plan {
  const bytes = job.store.blobs.read(digest);
  const text = bytes.toString("utf8");
  if (planning.depth > MAX_DEPTH) throw new TareError("E_MANIFEST", `pushing \`${digest}\`: indexes nest too deep`);
  return /^\s*\{/.test(text) && isIndexText(text)
    ? planIndex(job, { bytes, index: parseIndex(text) }, planning)
    : planManifest(job, { digest, bytes, manifest: parseManifest(text, { allowNoLayers: true }) }, planning);
}

function isIndexText(text: string): boolean {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null && "manifests" in value;
}

function planManifest(
  job: PushJob,
  { digest, bytes, manifest }: { readonly digest: Digest; readonly bytes: Buffer; readonly manifest: Manifest },
  { options, depth }: Planning,
): ManifestPlan {
  const document = { bytes, mediaType: manifest.mediaType ?? MEDIA_TYPES.ociManifest };
  const isImage = isConfig(manifest.config.mediaType);
  const diffIds = isImage ? diffIdsOf(job.store, manifest) : [];
  if (depth === 0 && isImage) requirePlatform(job.store, manifest, options.platforms ?? []);
  const keeps = options.compression === undefined && job.memo.hasOrigin(digest);
  const layers = manifest.layers.flatMap((local, index): LayerPlan[] => {
    const diffId = diffIds[index];
    if (diffId === undefined) return [];
    return [{ diffId, local, isCompressed: !keeps && needsCompression(local, job.compression) }];
  });
  return { kind: "manifest", document, manifest, layers: layers.length === manifest.layers.length ? layers : [] };
}

function diffIdsOf(store: Store, manifest: Manifest): ReturnType<typeof parseImageConfig>["rootfs"]["diff_ids"] {
  return parseImageConfig(store.blobs.read(manifest.config.digest).toString("utf8")).rootfs.diff_ids;
}

function requirePlatform(store: Store, manifest: Manifest, platforms: readonly Platform[]): void {
  if (platforms.length === 0) return;
  const config = parseImageConfig(store.blobs.read(manifest.config.digest).toString("utf8"));
  for (const platform of platforms) {
    if (matchesPlatform(platform, config)) continue;
    throw new TareError(
      "E_PLATFORM",
      `pushing for ${formatPlatform(platform)}: the image is for ${formatPlatform(config)}`,
    );
  }
}

/** Children that are not in the store belong to other platforms; one alone is pushed without an index. */
function planIndex(
  job: PushJob,
  { bytes, index }: { readonly bytes: Buffer; readonly index: ImageIndex },
  planning: Planning,
): Plan {
  const wanted = planning.options.platforms ?? [];
  const present = index.manifests.filter((child) => job.store.blobs.has(child.digest) && isWhole(job.store, child));
  const chosen = present.filter(
    ({ platform }) => wanted.length === 0 || (platform && wanted.some((each) => matchesPlatform(each, platform))),
  );
  if (chosen.length === 0 || chosen.length < wanted.length) throw noSuchPlatform(present, wanted);
  const next = { ...planning, depth: planning.depth + 1 };
  const children = chosen.map((descriptor) => ({ descriptor, plan: planTarget(job, descriptor.digest, next) }));
  const [only] = children;
  if (only && children.length === 1 && index.manifests.length > 1) return only.plan;
  return { kind: "index", document: { bytes, mediaType: index.mediaType ?? MEDIA_TYPES.ociIndex }, index, children };
}

/** A manifest can be in the store without its config: its index brought it. */
function isWhole(store: Store, child: Descriptor): boolean {
  if (isIndex(child.mediaType)) return true;
  const manifest = parseManifest(store.blobs.read(child.digest).toString("utf8"), { allowNoLayers: true });
  return store.blobs.has(manifest.config.digest);
}

function noSuchPlatform(present: readonly Descriptor[], wanted: readonly Platform[]): TareError {
  const there = present.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : [])).join(", ");
  const asked = wanted.map(formatPlatform).join(", ") || "any platform";
  return new TareError("E_PLATFORM", `pushing for ${asked}: the store has the image for ${there || "no platform"}`, {
    hint: "pull or build the image for that platform",
  });
}

function* manifestsOf(plan: Plan): Generator<ManifestPlan> {
  if (plan.kind === "manifest") yield plan;
  else for (const child of plan.children) yield* manifestsOf(child.plan);
}

function digestsOf(plan: Plan): Digest[] {
  return [...manifestsOf(plan)].flatMap(({ manifest, layers }) => [
    manifest.config.digest,
    ...manifest.layers.map((layer) => layer.digest),
    ...layers.map((layer) => layer.diffId),
  ]);
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
  /** What the manifest is written under; its digest when absent. */
  readonly tag?: string;
}

async function pushPlan(job: PushJob, plan: Plan, pushing: Pushing): Promise<Document> {
  const { tag, ...inner } = pushing;
  const document =
    plan.kind === "manifest"
      ? await pushManifest(job, plan, inner)
      : finishedIndex(plan, await inner.all(plan.children.map((child) => pushPlan(job, child.plan, inner))));
  const { client, repository } = job.remote;
  await client.putManifest(repository, tag ?? digestOf(document.bytes), document, signalOf(job));
  return document;
}

async function pushManifest(job: PushJob, plan: ManifestPlan, pushing: Pushing): Promise<Document> {
  const { config, layers } = plan.manifest;
  const { layers: pushedLayers, all } = pushing;
  const raw = [config, ...(plan.layers.length === 0 ? layers : [])];
  const once = new Once<PushedLayer>();
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
    const known = await job.slots.asking.run(() => client.headBlob(repository, digest, call));
    const upload = { digest, size, open: () => pieces(job, digest) };
    if (!known) await job.slots.sending.run(() => client.pushBlob(repository, upload, signalOf(job)));
    job.memo.seen(digest, job.remote);
    job.listener({ kind: "end", digest, outcome: known ? "exists" : "pushed", size });
  });
}

async function* pieces(job: PushJob, digest: Digest): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(job.store.blobs.read(digest));
}

/** The manifest with its layers as they travel; one whose layers did not change keeps its bytes. */
function finished(plan: ManifestPlan, layers: readonly Descriptor[]): Document {
  const isSame = layers.every((layer, index) => layer.digest === plan.manifest.layers[index]?.digest);
  if (isSame || layers.length === 0) return plan.document;
  const { manifest } = plan;
  const mediaType = MEDIA_TYPES.ociManifest;
  const config = { ...manifest.config, mediaType: MEDIA_TYPES.ociConfig };
  const bytes = Buffer.from(serializeManifest({ ...manifest, mediaType, config, layers: layers.map(asOci) }));
  return { bytes, mediaType };
}

/** An OCI manifest should not mix Docker's layer types with its own. */
export function asOci(layer: Descriptor): Descriptor {
  const compression = layerCompression(layer.mediaType);
  const isDocker = layer.mediaType.startsWith("application/vnd.docker.") && !/foreign/.test(layer.mediaType);
  return isDocker && compression ? { ...layer, mediaType: layerMediaType(compression) } : layer;
}

function finishedIndex(plan: IndexPlan, children: readonly Document[]): Document {
  const manifests = plan.children.flatMap(({ descriptor }, index): Descriptor[] => {
    const child = children[index];
    if (!child) return [];
    return [{ ...descriptor, mediaType: child.mediaType, digest: digestOf(child.bytes), size: child.bytes.length }];
  });
  const isSame =
    manifests.length === plan.index.manifests.length &&
    manifests.every((child, index) => child.digest === plan.index.manifests[index]?.digest);
  if (isSame) return plan.document;
  const bytes = Buffer.from(serializeIndex({ ...plan.index, mediaType: MEDIA_TYPES.ociIndex, manifests }));
  return { bytes, mediaType: MEDIA_TYPES.ociIndex };
}
