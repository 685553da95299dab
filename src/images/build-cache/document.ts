// SPDX-License-Identifier: Apache-2.0
/*
 * A build cache as others get it: one OCI artifact.
 *
 *   config     { version, layers: [{ diffId, size? }], records: [{ key, layers: [diffID] }] }
 *   layers[]   the descriptors of the config's layers, in their order
 *
 * A record says which layers a step made; its key is the digest of what the step does and of the content that it uses.
 * It may name layers that the cache does not have: their diffIDs are enough to know what follows from them. Nothing else
 * is in it: no command, no path, no name. All of it is a claim.
 */
import { TareError, asDiffId, isDigest } from "../../base/index.ts";
import type { DiffId, Digest } from "../../base/index.ts";
import { DOCUMENT_LIMIT, MEDIA_TYPES, isLayer, isMembers, parseJson, parseManifest } from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";

/** What a step made. */
export interface CacheRecord {
  readonly key: Digest;
  /** Lowest first. */
  readonly layers: readonly DiffId[];
}

/** A layer that a cache has or speaks of. */
export interface CacheLayer {
  readonly diffId: DiffId;
  /** Bytes of its tar, when they are known. */
  readonly size?: number;
}

/** The config of the artifact. */
export interface CacheDocument {
  readonly layers: readonly CacheLayer[];
  readonly records: readonly CacheRecord[];
}

/** Of the manifest and of its config. */
export const BUILD_CACHE_TYPE = "application/vnd.tare.build-cache.v1+json";
const BUILDKIT_CONFIG = "application/vnd.buildkit.cacheconfig.v0";
const VERSION = 1;
/** A step makes one layer, or as many as the layer budget of Python distributions. */
const MOST_LAYERS_OF_RECORD = 512;
const MOST_LAYERS = 4096;

/** The text of a document; equal values give equal text. */
export function formatCacheDocument({ layers, records }: CacheDocument): string {
  return JSON.stringify({
    version: VERSION,
    layers: layers.map(({ diffId, size }) => ({ diffId, ...(size === undefined ? {} : { size }) })),
    records: records.map(({ key, layers: made }) => ({ key, layers: made })),
  });
}

/** Parses a document; records that are not whole are left out. Throws `E_MANIFEST` for what is none. */
export function parseCacheDocument(text: string, name: string): CacheDocument {
  const value = parseJson(text, `the build cache \`${name}\``);
  if (!isMembers(value) || value["version"] !== VERSION) {
    throw notACache(name, "its document is of another version", "write it again with the Tare that reads it");
  }
  const { layers, records } = value;
  if (!Array.isArray(layers) || !Array.isArray(records) || layers.length > MOST_LAYERS) {
    throw notACache(name, "its document is not whole");
  }
  const read = layers.map((layer) => layerOf(layer) ?? refuse(name));
  if (new Set(read.map(({ diffId }) => diffId)).size !== read.length) throw notACache(name, "it names a layer twice");
  return { layers: read, records: unambiguous(records.map(recordOf).filter((record) => record !== undefined)) };
}

function refuse(name: string): never {
  throw notACache(name, "its document is not whole");
}

function layerOf(value: unknown): CacheLayer | undefined {
  if (!isMembers(value)) return undefined;
  const { diffId, size } = value;
  if (!isDigestText(diffId)) return undefined;
  const isSize = typeof size === "number" && Number.isSafeInteger(size) && size > 0;
  return { diffId: asDiffId(diffId), ...(isSize ? { size } : {}) };
}

function recordOf(value: unknown): CacheRecord | undefined {
  if (!isMembers(value)) return undefined;
  const { key, layers } = value;
  if (!isDigestText(key) || !Array.isArray(layers) || layers.length > MOST_LAYERS_OF_RECORD) return undefined;
  const made = layers.filter(isDigestText).map(asDiffId);
  return made.length === layers.length ? { key, layers: made } : undefined;
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}

/** A step has one answer: two for one key are lies, both of them. */
function unambiguous(records: readonly CacheRecord[]): readonly CacheRecord[] {
  const answers = new Map<Digest, Set<string>>();
  for (const { key, layers } of records) answers.set(key, (answers.get(key) ?? new Set()).add(layers.join()));
  return records.filter(({ key }) => answers.get(key)?.size === 1);
}

/** Reads the artifact's manifest. Throws `E_MANIFEST` for anything else, and says what it is. */
export function parseCacheManifest(text: string, name: string): Manifest {
  const isIndexText = isIndexOf(text, name);
  if (isIndexText === "buildkit") throw foreign(name);
  if (isIndexText === "index") throw isAnImage(name);
  const manifest = parseManifest(text, { allowNoLayers: true });
  if (manifest.config.mediaType === BUILDKIT_CONFIG) throw foreign(name);
  if (manifest.artifactType !== BUILD_CACHE_TYPE || manifest.config.mediaType !== BUILD_CACHE_TYPE)
    throw isAnImage(name);
  if (manifest.config.size <= DOCUMENT_LIMIT) return manifest;
  throw notACache(name, `its document has ${manifest.config.size} bytes, at most ${DOCUMENT_LIMIT} are read`);
}

/** BuildKit writes its caches as indexes unless told otherwise. */
function isIndexOf(text: string, name: string): "buildkit" | "index" | undefined {
  const value = parseJson(text, `the build cache \`${name}\``);
  if (!isMembers(value) || !Array.isArray(value["manifests"])) return undefined;
  const isBuildKit = value["manifests"].some((each) => isMembers(each) && each["mediaType"] === BUILDKIT_CONFIG);
  return isBuildKit ? "buildkit" : "index";
}

/** The layers that the cache has, by diffID. Throws `E_MANIFEST` when manifest and document do not fit. */
export function layersOfCache(
  manifest: Manifest,
  document: CacheDocument,
  name: string,
): ReadonlyMap<DiffId, CacheLayer & { readonly blob: Descriptor }> {
  const blobs = document.layers.length === 0 ? [] : manifest.layers;
  if (blobs.length !== document.layers.length) {
    throw notACache(name, "manifest and document list different numbers of layers");
  }
  const pairs = document.layers.flatMap((layer, index) => {
    const blob = blobs[index];
    return blob && isLayer(blob.mediaType) ? [{ ...layer, blob }] : [];
  });
  const contents = new Map<Digest, number>();
  for (const { blob } of pairs) contents.set(blob.digest, (contents.get(blob.digest) ?? 0) + 1);
  // A blob has one content.
  return new Map(pairs.filter(({ blob }) => contents.get(blob.digest) === 1).map((pair) => [pair.diffId, pair]));
}

/** The manifest of a cache whose config is written; `layers` are in the order of the document's. */
export function cacheManifest(config: Pick<Descriptor, "digest" | "size">, layers: readonly Descriptor[]): Manifest {
  const { digest, size } = config;
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: BUILD_CACHE_TYPE,
    config: { mediaType: BUILD_CACHE_TYPE, digest, size },
    layers,
  };
}

function notACache(name: string, why: string, hint?: string): TareError {
  return new TareError("E_MANIFEST", `reading the build cache \`${name}\`: ${why}`, hint === undefined ? {} : { hint });
}

function foreign(name: string): TareError {
  const hint = "BuildKit's keys say nothing here: give Tare a ref of its own, written by `tare build --cache-to`";
  return notACache(name, "it is a cache of BuildKit", hint);
}

function isAnImage(name: string): TareError {
  const hint = "write a cache with `tare build --cache-to type=registry,ref=…`, beside the image";
  return notACache(name, "it is no build cache but an image or something else", hint);
}
