// SPDX-License-Identifier: Apache-2.0
/*
 * The archive of `docker save` up to Docker 24, and of podman and skopeo: manifest.json lists for each image its
 * config, names and layer tars (moby, image/spec/v1.2.md "Combined Image JSON + Filesystem Changeset Format").
 */
import { TareError, digestOf, hexOf } from "../base/index.ts";
import { decompress, detectCompression } from "../archive/index.ts";
import { MEDIA_TYPES, parseImageConfig, parseJson, serializeManifest } from "../oci/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { Hasher } from "../base/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { malformed } from "./archive-source.ts";
import { fullName } from "./image-names.ts";
import type { LoadOptions } from "./load.ts";
import { unpackLayer } from "./unpack-layer.ts";
import { layerDescriptor } from "./write-image.ts";

/** One image of a manifest.json. */
export interface DockerEntry {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/** Loads every image of a docker archive. Throws `E_ARCHIVE`, `E_MANIFEST`, `E_DIGEST_MISMATCH`. */
export async function loadDockerArchive(
  store: Store,
  source: ArchiveSource,
  options: LoadOptions,
): Promise<readonly ImageRecord[]> {
  const records: ImageRecord[] = [];
  for (const entry of readDockerManifest(source)) records.push(await loadEntry(store, source, entry, options));
  return records;
}

/** Parses manifest.json. Throws `E_ARCHIVE`, `E_MANIFEST`. */
export function readDockerManifest(source: ArchiveSource): readonly DockerEntry[] {
  const text = source.read("manifest.json")?.toString("utf8") ?? "[]";
  const value = parseJson(text, "manifest.json");
  if (!Array.isArray(value)) throw malformed(source.label, "manifest.json is not a list");
  return value.map((item: unknown) => readEntry(item, source));
}

function readEntry(item: unknown, source: ArchiveSource): DockerEntry {
  const fields: Readonly<Record<string, unknown>> = typeof item === "object" && item !== null ? { ...item } : {};
  const config = fields["Config"];
  if (typeof config !== "string") throw malformed(source.label, "an image of manifest.json has no Config");
  return { config, names: strings(fields, "RepoTags", source), layers: strings(fields, "Layers", source) };
}

function strings(fields: Readonly<Record<string, unknown>>, name: string, source: ArchiveSource): readonly string[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw malformed(source.label, `${name} of an image of manifest.json is not a list of strings`);
}

async function loadEntry(
  store: Store,
  source: ArchiveSource,
  entry: DockerEntry,
  options: LoadOptions,
): Promise<ImageRecord> {
  const bytes = source.read(entry.config);
  if (!bytes) throw malformed(source.label, `the config \`${entry.config}\` is missing`);
  requireNamedDigest(source, entry.config, digestOf(bytes));
  const config = parseImageConfig(bytes.toString("utf8"));
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== entry.layers.length) {
    throw malformed(source.label, `${entry.layers.length} layers, but the config lists ${diffIds.length}`);
  }
  const layers: Descriptor[] = [];
  for (const [index, diffId] of diffIds.entries()) {
    layers.push(await loadLayer(store, source, { name: entry.layers[index] ?? "", diffId }, options));
  }
  const written = store.blobs.writeBytes(bytes);
  const manifest = store.blobs.writeBytes(
    serializeManifest({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, ...written },
      layers,
    }),
  );
  const image = { target: manifest.digest, mediaType: MEDIA_TYPES.ociManifest, id: written.digest };
  return store.images.put(image, entry.names.map(fullName));
}

/** A file named after a digest must have it; old archives use other names for layers, which say nothing. */
function requireNamedDigest(source: ArchiveSource, name: string, actual: Digest): void {
  const named = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  if (named === undefined || named === hexOf(actual)) return;
  throw malformed(source.label, `\`${name}\` has the digest \`${actual}\``);
}

async function loadLayer(
  store: Store,
  source: ArchiveSource,
  layer: { readonly name: string; readonly diffId: DiffId },
  options: LoadOptions,
): Promise<Descriptor> {
  const { name, diffId } = layer;
  const known = store.layers.get(diffId);
  if (known) return layerDescriptor(known);
  const { isOther, ...announced } = await describeLayer(source, layer);
  const open = (): AsyncIterable<Uint8Array> => (isOther ? decompress(source.open(name)) : source.open(name));
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return layerDescriptor(await unpackLayer(store, { descriptor: announced, diffId, open, ...signal }));
}

/** What a layer's file in an archive is. Throws `E_UNSUPPORTED` for a compression that no manifest can tell. */
export async function archivedLayer(
  source: ArchiveSource,
  layer: { readonly name: string; readonly diffId: DiffId },
): Promise<Descriptor> {
  const { isOther, ...descriptor } = await describeLayer(source, layer);
  if (!isOther) return descriptor;
  throw new TareError("E_UNSUPPORTED", `reading image archive \`${source.label}\`: \`${layer.name}\` is xz or bzip2`, {
    hint: "load it with `tare load`, and push or copy it from the store",
  });
}

async function describeLayer(
  source: ArchiveSource,
  { name, diffId }: { readonly name: string; readonly diffId: DiffId },
): Promise<Descriptor & { readonly isOther: boolean }> {
  const size = source.size(name);
  const kind = await compressionOf(source, name);
  const isOther = kind === "xz" || kind === "bzip2";
  if (kind !== "gzip" && kind !== "zstd") return { mediaType: MEDIA_TYPES.ociLayer, digest: diffId, size, isOther };
  const mediaType = kind === "gzip" ? MEDIA_TYPES.ociLayerGzip : MEDIA_TYPES.ociLayerZstd;
  return { mediaType, digest: await digestIn(source, name), size, isOther };
}

async function compressionOf(source: ArchiveSource, name: string): Promise<ReturnType<typeof detectCompression>> {
  for await (const chunk of source.open(name)) return detectCompression(chunk);
  return "none";
}

async function digestIn(source: ArchiveSource, name: string): Promise<Digest> {
  const hasher = new Hasher();
  for await (const chunk of source.open(name)) hasher.update(chunk);
  return hasher.digest();
}
