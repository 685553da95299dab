// SPDX-License-Identifier: Apache-2.0
/* What is pushed: the manifests of an image that are here, with their layers, and the documents that they become. */
import { TareError, digestOf } from "../base/index.ts";
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
import type { Store } from "../store/index.ts";
import { BUILD_CACHE_TYPE, parseCacheDocument } from "./build-cache/document.ts";
import { needsCompression } from "./push-layer.ts";
import type { LayerPlan, PushJob } from "./push-layer.ts";

/** A manifest or index as it is sent. */
export interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** A manifest with its layers. */
export interface ManifestPlan {
  readonly kind: "manifest";
  readonly document: Document;
  readonly manifest: Manifest;
  /** Empty when it is no image: its blobs travel as they are. */
  readonly layers: readonly LayerPlan[];
}

/** An index with those of its manifests that are pushed. */
export interface IndexPlan {
  readonly kind: "index";
  readonly document: Document;
  readonly index: ImageIndex;
  readonly children: readonly { readonly descriptor: Descriptor; readonly plan: ManifestPlan | IndexPlan }[];
}

/** What is pushed under a name. */
export type Plan = ManifestPlan | IndexPlan;

const MAX_DEPTH = 4;

/** How far planning has come, and what was asked for. */
export interface Planning {
  readonly options: { readonly platforms?: readonly Platform[]; readonly compression?: LayerCompression };
  readonly depth: number;
}

/** Plans what a digest stands for. Throws `E_PLATFORM`, `E_MANIFEST`, `E_BLOB_MISSING`. */
export function planTarget(job: PushJob, digest: Digest, planning: Planning): Plan {
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
  const diffIds = isImage ? diffIdsOf(job.store, manifest) : diffIdsOfCache(job.store, manifest);
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

/** A build cache's layers are compressed on the way as an image's are; other artifacts have none. */
function diffIdsOfCache(store: Store, { config }: Manifest): readonly DiffId[] {
  if (config.mediaType !== BUILD_CACHE_TYPE) return [];
  const document = parseCacheDocument(store.blobs.read(config.digest).toString("utf8"), config.digest);
  return document.layers.map(({ diffId }) => diffId);
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

/** All manifests of a plan. */
export function* manifestsOf(plan: Plan): Generator<ManifestPlan> {
  if (plan.kind === "manifest") yield plan;
  else for (const child of plan.children) yield* manifestsOf(child.plan);
}

/** Blobs and layers that must stay while a plan is pushed. */
export function digestsOf(plan: Plan): Digest[] {
  return [...manifestsOf(plan)].flatMap(({ manifest, layers }) => [
    manifest.config.digest,
    ...manifest.layers.map((layer) => layer.digest),
    ...layers.map((layer) => layer.diffId),
  ]);
}

/** The manifest with its layers as they travel; one whose layers did not change keeps its bytes. */
export function finished(plan: ManifestPlan, layers: readonly Descriptor[]): Document {
  const isSame = layers.every((layer, index) => layer.digest === plan.manifest.layers[index]?.digest);
  if (isSame || layers.length === 0) return plan.document;
  const { manifest } = plan;
  const mediaType = MEDIA_TYPES.ociManifest;
  const isImage = isConfig(manifest.config.mediaType);
  const config = { ...manifest.config, ...(isImage ? { mediaType: MEDIA_TYPES.ociConfig } : {}) };
  const bytes = Buffer.from(serializeManifest({ ...manifest, mediaType, config, layers: layers.map(asOci) }));
  return { bytes, mediaType };
}

/** An OCI manifest should not mix Docker's layer types with its own. */
export function asOci(layer: Descriptor): Descriptor {
  const compression = layerCompression(layer.mediaType);
  const isDocker = layer.mediaType.startsWith("application/vnd.docker.") && !/foreign/.test(layer.mediaType);
  return isDocker && compression ? { ...layer, mediaType: layerMediaType(compression) } : layer;
}

/** The index with its manifests as they were sent; one whose manifests did not change keeps its bytes. */
export function finishedIndex(plan: IndexPlan, children: readonly Document[]): Document {
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
