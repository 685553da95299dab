// SPDX-License-Identifier: Apache-2.0
/*
 * The OCI image layout (image-spec image-layout.md): index.json → manifests or indexes → configs and layers, all in
 * blobs/. Manifests are kept byte for byte, so digests survive.
 */
import { TareError, digestOf, hexOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import {
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  parseImageConfig,
  parseIndex,
  parseJson,
  parseManifest,
  selectManifest,
} from "../oci/index.ts";
import type { Descriptor, ImageIndex, Manifest, Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { annotatedNames, fullName } from "./image-names.ts";
import { readDockerManifest } from "./load-docker.ts";
import type { LoadOptions } from "./load.ts";
import { unpackLayer } from "./unpack-layer.ts";

const MAX_DEPTH = 4;

interface Loading {
  readonly store: Store;
  readonly source: ArchiveSource;
  readonly options: LoadOptions;
}

/** Loads every image of an OCI layout. Throws `E_LAYOUT`, `E_MANIFEST`, `E_DIGEST_MISMATCH`, `E_PLATFORM`. */
export async function loadLayout(
  store: Store,
  source: ArchiveSource,
  options: LoadOptions,
): Promise<readonly ImageRecord[]> {
  requireLayoutVersion(source);
  const loading = { store, source, options };
  const index = parseIndex(source.read("index.json")?.toString("utf8") ?? "");
  if (index.manifests.length === 0) throw damaged(source, "index.json lists no image");
  const records = new Map<Digest, ImageRecord>();
  for (const [target, entry] of groupByTarget(index.manifests)) {
    const record = await loadTarget(loading, entry.descriptor, entry.names);
    if (record) records.set(target, record);
  }
  if (records.size === 0) throw damaged(source, "index.json lists nothing that is an image");
  return [...records.values()];
}

/** Throws `E_LAYOUT` for what is no layout of version 1.0.0. */
export function requireLayoutVersion(source: ArchiveSource): void {
  const text = source.read("oci-layout")?.toString("utf8");
  if (text === undefined) throw damaged(source, "the file oci-layout is missing");
  const value = parseJson(text, "oci-layout");
  const version =
    typeof value === "object" && value !== null && "imageLayoutVersion" in value ? value.imageLayoutVersion : undefined;
  if (version !== "1.0.0") throw damaged(source, `layout version \`${String(version)}\` is not 1.0.0`);
}

/** One entry for each image, with all names that index.json and a manifest.json beside it give it. */
function groupByTarget(
  descriptors: readonly Descriptor[],
): ReadonlyMap<Digest, { readonly descriptor: Descriptor; readonly names: readonly string[] }> {
  const groups = new Map<Digest, { readonly descriptor: Descriptor; readonly names: readonly string[] }>();
  for (const descriptor of descriptors) {
    const known = groups.get(descriptor.digest);
    const names = [...new Set([...(known?.names ?? []), ...annotatedNames(descriptor.annotations)])];
    groups.set(descriptor.digest, { descriptor, names });
  }
  return groups;
}

async function loadTarget(
  loading: Loading,
  descriptor: Descriptor,
  names: readonly string[],
): Promise<ImageRecord | undefined> {
  const { store, options } = loading;
  const ids = await loadDescriptor(loading, descriptor, 0);
  if (ids.length === 0) return undefined;
  const id = chooseId(loading, descriptor, options.platforms?.[0] ?? options.host) ?? ids[0];
  if (id === undefined) return undefined;
  const image = { target: descriptor.digest, mediaType: descriptor.mediaType, id };
  if (options.withoutNames) return { ...image, names: [], addedAt: Date.now() };
  return store.images.put(image, [...new Set([...names, ...dockerNames(loading.source, id)])]);
}

function dockerNames(source: ArchiveSource, id: Digest): readonly string[] {
  if (!source.has("manifest.json")) return [];
  const entries = readDockerManifest(source).filter((entry) => entry.config.includes(hexOf(id)));
  return entries.flatMap((entry) => entry.names.map(fullName));
}

/** Loads what a descriptor reaches; returns the config digests of the images, none for what is not in the archive. */
async function loadDescriptor(loading: Loading, descriptor: Descriptor, depth: number): Promise<readonly Digest[]> {
  if (depth > MAX_DEPTH) throw damaged(loading.source, `indexes are nested more than ${MAX_DEPTH} levels deep`);
  if (depth > 0 && !loading.source.has(blobName(descriptor.digest))) return [];
  if (isIndex(descriptor.mediaType)) {
    const index = parseIndex(keepDocument(loading, descriptor));
    const ids: Digest[] = [];
    for (const child of index.manifests) ids.push(...(await loadDescriptor(loading, child, depth + 1)));
    return ids;
  }
  if (!isManifest(descriptor.mediaType)) return [];
  const manifest = parseManifest(keepDocument(loading, descriptor), { allowNoLayers: true });
  return loadManifest(loading, descriptor, manifest);
}

async function loadManifest(loading: Loading, descriptor: Descriptor, manifest: Manifest): Promise<readonly Digest[]> {
  if (!isConfig(manifest.config.mediaType) || !manifest.layers.every((layer) => isLayer(layer.mediaType))) {
    for (const blob of [manifest.config, ...manifest.layers]) await keepBlob(loading, blob);
    return [];
  }
  const config = parseImageConfig(keepDocument(loading, manifest.config));
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw damaged(loading.source, `manifest \`${descriptor.digest}\` and its config list different numbers of layers`);
  }
  for (const [index, layer] of manifest.layers.entries()) {
    const diffId = diffIds[index];
    if (diffId === undefined) continue;
    const open = (): AsyncIterable<Uint8Array> => checkedOpen(loading.source, layer);
    if (!loading.store.layers.get(diffId) || layer.digest !== diffId) {
      await unpackLayer(loading.store, { descriptor: layer, diffId, open, ...signalOf(loading.options) });
    }
  }
  return [manifest.config.digest];
}

function signalOf(options: LoadOptions): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

/** The config of the manifest for this platform; undefined for an image of one manifest, or when none suits. */
function chooseId(loading: Loading, descriptor: Descriptor, platform: Platform): Digest | undefined {
  if (!isIndex(descriptor.mediaType)) return undefined;
  const index = parseIndex(loading.store.blobs.read(descriptor.digest).toString("utf8"));
  const present = index.manifests.filter((child) => loading.store.blobs.has(child.digest));
  try {
    const chosen = selectManifest({ ...index, manifests: present } satisfies ImageIndex, platform);
    return chooseId(loading, chosen, platform) ?? configOf(loading, chosen);
  } catch (error) {
    if (error instanceof TareError && error.code === "E_PLATFORM") return undefined;
    throw error;
  }
}

function configOf(loading: Loading, descriptor: Descriptor): Digest {
  const text = loading.store.blobs.read(descriptor.digest).toString("utf8");
  return parseManifest(text, { allowNoLayers: true }).config.digest;
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** Reads a JSON blob, checks it and puts it into the store; returns its text. */
function keepDocument(loading: Loading, descriptor: Descriptor): string {
  const name = blobName(descriptor.digest);
  const bytes = loading.source.read(name);
  if (!bytes) throw damaged(loading.source, `blob \`${descriptor.digest}\` is missing`);
  const actual = digestOf(bytes);
  if (actual !== descriptor.digest || bytes.length !== descriptor.size) {
    throw damaged(
      loading.source,
      `blob \`${descriptor.digest}\` has ${bytes.length} bytes and the digest \`${actual}\``,
    );
  }
  loading.store.blobs.writeBytes(bytes);
  return bytes.toString("utf8");
}

async function keepBlob(loading: Loading, descriptor: Descriptor): Promise<void> {
  if (!loading.source.has(blobName(descriptor.digest))) return;
  await loading.store.blobs.write(checkedOpen(loading.source, descriptor), {
    digest: descriptor.digest,
    size: descriptor.size,
  });
}

function checkedOpen(source: ArchiveSource, descriptor: Descriptor): AsyncIterable<Uint8Array> {
  const name = blobName(descriptor.digest);
  if (!source.has(name)) throw damaged(source, `blob \`${descriptor.digest}\` is missing`);
  const size = source.size(name);
  if (size === descriptor.size) return source.open(name);
  throw damaged(source, `blob \`${descriptor.digest}\` has ${size} bytes, its descriptor says ${descriptor.size}`);
}

function damaged(source: ArchiveSource, why: string): TareError {
  return new TareError("E_LAYOUT", `reading OCI layout \`${source.label}\`: ${why}`);
}
