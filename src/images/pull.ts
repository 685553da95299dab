// SPDX-License-Identifier: Apache-2.0
/* An image of a registry into the store: manifest or index → platform → config → layers, several at a time. */
import { availableParallelism } from "node:os";
import { Once, Semaphore, TareError, isDigest } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import {
  DOCUMENT_LIMIT,
  MEDIA_TYPES,
  formatPlatform,
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  matchesPlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectManifest,
} from "../oci/index.ts";
import type { Descriptor, ImageConfig, Manifest, Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { IdleThreads } from "./layer-thread.ts";
import type { LayerThreads } from "./layer-thread.ts";
import { receiveLayer } from "./receive-layer.ts";
import { TransferMemo, sometimes, stoppable, telling } from "./transfer.ts";
import type { LayerBlob, RemoteRepository, Stoppable, TransferListener } from "./transfer.ts";

/** How an image is pulled. */
export interface PullOptions {
  /** Default: this host's, chosen by the caller. */
  readonly platform: Platform;
  /** The platform was asked for: an image of one other platform is refused. */
  readonly isPlatformExplicit?: boolean;
  /** Full names that the image gets. */
  readonly names: readonly string[];
  readonly listener?: TransferListener;
  /** Layers at the same time. Default 4. */
  readonly jobs?: number;
  readonly signal?: AbortSignal;
}

/** What a pull brought. */
export interface PulledImage {
  readonly record: ImageRecord;
  /** The store had it under that name already. */
  readonly wasThere: boolean;
}

interface PullJob {
  readonly store: Store;
  readonly remote: RemoteRepository;
  readonly memo: TransferMemo;
  readonly options: PullOptions;
  readonly work: Stoppable;
  readonly signal: AbortSignal;
  /** Unpack layers. */
  readonly threads: LayerThreads;
}

interface Target {
  readonly digest: Digest;
  readonly mediaType: string;
  /** As an index announced it. */
  readonly size?: number;
}

const JOBS = 4;
/** More threads take 30 MB each, and one disk has no use for them. */
const MOST_THREADS = 4;
const MAX_DEPTH = 4;

/**
 * Pulls an image by tag or digest; what the store has is not fetched. Its names are written last. Throws
 * `E_REGISTRY*`, `E_DIGEST_MISMATCH`, `E_MANIFEST`, `E_PLATFORM`, what unpacking throws, and `E_ABORTED`.
 */
export async function pullImage(
  store: Store,
  source: RemoteRepository & { readonly tag: string },
  options: PullOptions,
): Promise<PulledImage> {
  const lease = store.lease();
  const work = stoppable(options.signal);
  const memo = new TransferMemo(store);
  const job = jobOf({ store, remote: source, memo, options, work });
  try {
    const target = await lookUp(job, source.tag);
    lease.keep([target.digest]);
    const known =
      options.names.length > 0 ? store.images.find(options.names[0] ?? "") : store.images.find(target.digest);
    const { manifest } = await findManifest(job, target);
    await fetchImage(job, manifest);
    const id = manifest.config.digest;
    const wasThere = known?.target === target.digest && known.id === id;
    memo.setOrigin(target.digest, source);
    const record = store.images.put({ target: target.digest, mediaType: target.mediaType, id }, options.names);
    return { record, wasThere };
  } finally {
    job.threads.idle.close();
    lease.release();
  }
}

function jobOf(parts: Omit<PullJob, "signal" | "threads">): PullJob {
  const { signal } = parts.work;
  const limit = new Semaphore(Math.min(MOST_THREADS, availableParallelism()));
  return { ...parts, signal, threads: { idle: new IdleThreads(), limit, signal } };
}

/** A HEAD costs no pull of a limited account; the document is fetched by its digest afterwards. */
async function lookUp(job: PullJob, tag: string): Promise<Target> {
  const { client, repository } = job.remote;
  const facts = isDigest(tag) ? undefined : await client.headManifest(repository, tag, { signal: job.signal });
  const digest = isDigest(tag) ? tag : facts?.digest;
  if (digest !== undefined && job.store.blobs.has(digest)) {
    const text = job.store.blobs.read(digest).toString("utf8");
    return { digest, mediaType: mediaTypeIn(text) ?? facts?.mediaType ?? "application/vnd.oci.image.manifest.v1+json" };
  }
  const remote = await client.getManifest(repository, digest ?? tag, { signal: job.signal });
  job.store.blobs.writeBytes(remote.bytes);
  return remote;
}

function mediaTypeIn(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  const own = typeof value === "object" && value !== null && "mediaType" in value ? value.mediaType : undefined;
  return typeof own === "string" ? own : undefined;
}

interface Found {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/** The manifest for the platform. */
async function findManifest(job: PullJob, target: Target, depth = 0): Promise<Found> {
  const text = await document(job, target);
  if (isIndex(target.mediaType)) {
    if (depth >= MAX_DEPTH) throw refused(job, "its indexes nest too deep");
    return findManifest(job, selectManifest(parseIndex(text), job.options.platform), depth + 1);
  }
  const isOld =
    target.mediaType === MEDIA_TYPES.dockerManifestV1 || target.mediaType === MEDIA_TYPES.dockerManifestV1Signed;
  if (!isManifest(target.mediaType) && !isOld) throw refused(job, `\`${target.mediaType}\` is no image`);
  // Of schema 1 it says so itself.
  const manifest = parseManifest(text, { allowNoLayers: true });
  if (!isConfig(manifest.config.mediaType))
    throw refused(job, `its config \`${manifest.config.mediaType}\` is no image's`);
  return { digest: target.digest, manifest };
}

/** A manifest's or index's text, from the store or the registry; kept. */
async function document(job: PullJob, { digest, size }: Target): Promise<string> {
  const { store, remote, signal } = job;
  if (store.blobs.has(digest)) return store.blobs.read(digest).toString("utf8");
  const { bytes } = await remote.client.getManifest(remote.repository, digest, { signal });
  if (size !== undefined && size !== bytes.length) {
    const but = `${bytes.length} bytes came, ${size} were announced`;
    throw new TareError("E_DIGEST_MISMATCH", `pulling \`${digest}\`: ${but}`, { details: { digest, size } });
  }
  store.blobs.writeBytes(bytes);
  return bytes.toString("utf8");
}

/** An image of a registry of which manifest and config are in the store. */
export interface PeekedImage {
  /** Of the platform's manifest. */
  readonly manifest: Digest;
  /** What the tag names: that manifest, or an index. */
  readonly target: Digest;
  /** Of its config. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly { readonly diffId: DiffId; readonly blob: LayerBlob }[];
}

/**
 * Looks at an image without its layers: for a build that may do without them. Nothing is named. Throws as `pullImage`.
 */
export async function peekImage(
  store: Store,
  source: RemoteRepository & { readonly tag: string },
  options: Omit<PullOptions, "names" | "jobs">,
): Promise<PeekedImage> {
  const work = stoppable(options.signal);
  const memo = new TransferMemo(store);
  const job = jobOf({ store, remote: source, memo, options: { ...options, names: [] }, work });
  const target = await lookUp(job, source.tag);
  const { digest, manifest } = await findManifest(job, target);
  const config = await fetchConfig(job, manifest.config);
  const diffIds = checkedLayers(job, manifest, config);
  for (const layer of manifest.layers) memo.seen(layer.digest, source);
  const layers = manifest.layers.map(({ mediaType, digest: blob, size }, index) => {
    return { diffId: diffIds[index] ?? refuse(job), blob: { mediaType, digest: blob, size } };
  });
  return { manifest: digest, target: target.digest, id: manifest.config.digest, config, layers };
}

function refuse(job: PullJob): never {
  throw refused(job, "manifest and config list different numbers of layers");
}

/** The diffIDs of the layers, when all of it is an image's. */
function checkedLayers(job: PullJob, manifest: Manifest, config: ImageConfig): readonly DiffId[] {
  requirePlatform(job, config);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) refuse(job);
  const foreign = manifest.layers.find((layer) => !isLayer(layer.mediaType));
  if (foreign) throw refused(job, `a layer is of the unknown kind \`${foreign.mediaType}\``);
  return diffIds;
}

async function fetchImage(job: PullJob, manifest: Manifest): Promise<void> {
  const { store, remote, signal } = job;
  const config = await fetchConfig(job, manifest.config);
  const diffIds = checkedLayers(job, manifest, config);
  store.requireSpace(
    missingBytes(store, manifest, diffIds),
    `pulling \`${remote.client.domain}/${remote.repository}\``,
  );
  const limit = new Semaphore(job.options.jobs ?? JOBS);
  // Empty layers are often listed several times.
  const once = new Once<void>();
  const layers = manifest.layers.flatMap((layer, index) => {
    const diffId = diffIds[index];
    if (diffId === undefined) return [];
    return [once.run(layer.digest, () => limit.run(() => fetchLayer(job, layer, diffId)))];
  });
  await job.work.all(layers);
  signal.throwIfAborted();
}

/** Bytes of layers that have yet to come, those of interrupted pulls left out. */
function missingBytes(store: Store, { layers }: Manifest, diffIds: readonly DiffId[]): number {
  let bytes = 0;
  const counted = new Set<Digest>();
  for (const [index, { digest, size }] of layers.entries()) {
    const isTreeEnough = digest === diffIds[index] && store.layers.get(digest) !== undefined;
    if (counted.has(digest) || isTreeEnough || store.blobs.has(digest)) continue;
    counted.add(digest);
    bytes += size - store.partials.received({ digest, size });
  }
  return bytes;
}

async function fetchConfig(job: PullJob, { digest, size }: Descriptor): Promise<ImageConfig> {
  const { store, remote, signal } = job;
  if (size > DOCUMENT_LIMIT) throw refused(job, `its config has ${size} bytes, at most ${DOCUMENT_LIMIT} are read`);
  const open = remote.client.openBlob(remote.repository, { digest, size }, { signal });
  await store.blobs.write(open, { digest, size });
  return parseImageConfig(store.blobs.read(digest).toString("utf8"));
}

/** An image without an index may be for another platform: Docker takes it unless a platform was asked for. */
function requirePlatform(job: PullJob, config: ImageConfig): void {
  const { platform, isPlatformExplicit = false } = job.options;
  if (!isPlatformExplicit || matchesPlatform(platform, config)) return;
  throw new TareError(
    "E_PLATFORM",
    `pulling \`${job.remote.client.domain}/${job.remote.repository}\` for ${formatPlatform(platform)}: it is for ${formatPlatform(config)}`,
    { hint: "leave out `--platform`, or take an image that is for it" },
  );
}

function refused(job: PullJob, why: string): TareError {
  const { client, repository } = job.remote;
  return new TareError("E_MANIFEST", `pulling \`${client.domain}/${repository}\`: ${why}`);
}

async function fetchLayer(job: PullJob, layer: Descriptor, diffId: DiffId): Promise<void> {
  const { store, remote, memo, signal, options } = job;
  signal.throwIfAborted();
  const { listener = (): void => undefined } = options;
  listener({ kind: "begin", digest: layer.digest, what: "layer" });
  await telling(listener, layer.digest, async () => {
    const fetched = await receiveLayer({
      store,
      descriptor: layer,
      diffId,
      fetch: (target, stop) => remote.client.fetchBlob(remote.repository, target, { signal: stop }),
      distrust: () => remote.client.distrust(remote.repository, layer.digest),
      onProgress: sometimes((current) =>
        listener({ kind: "progress", digest: layer.digest, current, total: layer.size }),
      ),
      threads: job.threads,
    });
    memo.seen(layer.digest, remote);
    listener({ kind: "end", digest: layer.digest, outcome: fetched ? "pulled" : "exists", size: layer.size });
  });
}
