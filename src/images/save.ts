// SPDX-License-Identifier: Apache-2.0
/*
 * Images as one archive, as Docker ≥ 25 writes it, so that old and new readers find what they know:
 *
 *   oci-layout  index.json      OCI: containerd, skopeo, umoci, podman, Docker ≥ 25
 *   manifest.json repositories  docker archive: every Docker, podman (format "docker" only)
 *   blobs/sha256/<hex>          manifests, configs, layers; both kinds point here
 *
 * The bytes depend on the images and names alone. Everything's size is known beforehand, so the archive is a stream.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, hexOf, randomHex, writeAll, writeToPath } from "../base/index.ts";
import type { ByteSink } from "../base/index.ts";
import { TarWriter } from "../archive/index.ts";
import { MEDIA_TYPES, parseReference, serializeIndex } from "../oci/index.ts";
import type { Descriptor, Platform } from "../oci/index.ts";
import type { ImageRecord, Layer } from "../store/index.ts";
import { nameAnnotations, shortName } from "./image-names.ts";
import { selectImage } from "./select-image.ts";
import type { PlatformImage } from "./select-image.ts";
import { layerTar } from "./unpack-layer.ts";
import type { ContentStore } from "./write-image.ts";

/** An image to save and the names that it has in the archive (full, with tag). */
export interface SaveItem {
  readonly record: ImageRecord;
  readonly names: readonly string[];
}

/** How images are saved. */
export interface SaveOptions {
  /** "docker" archives hold the OCI layout too; "oci" is the layout alone. */
  readonly format: "docker" | "oci";
  /** Save these instead of the image for this host. */
  readonly platforms?: readonly Platform[];
  /** Files besides, which readers of images pass over; blobs among them join the images' own. */
  readonly extra?: readonly SavedFile[];
  readonly signal?: AbortSignal;
}

/** A file of the archive. */
export interface SavedFile {
  readonly name: string;
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Writes a tar archive of images to a sink, which is not closed. Throws `E_PLATFORM`, `E_BLOB_MISSING`, `E_IO`. */
export async function saveImages(
  store: ContentStore,
  items: readonly SaveItem[],
  sink: ByteSink,
  options: SaveOptions,
): Promise<void> {
  const files = planFiles(store, items, options);
  const writer = new TarWriter(sink);
  for (const name of ["blobs", "blobs/sha256"]) await writer.entry({ type: "directory", name, mode: 0o755, mtime: 0 });
  for (const file of files) await writeEntry(writer, file, options.signal);
  await writer.finish();
}

/** Writes images as an OCI layout folder, which is made; files that are there already stay, index.json is replaced. */
export async function saveLayoutFolder(
  store: ContentStore,
  items: readonly SaveItem[],
  folder: string,
  options: Omit<SaveOptions, "format"> = {},
): Promise<void> {
  ensureDirectory(join(folder, "blobs/sha256"), 0o755);
  const files = planFiles(store, items, { ...options, format: "oci" });
  // index.json last: a layout without it is not one yet.
  for (const file of files.toReversed()) await writeLayoutFile(folder, file, options.signal);
}

async function writeEntry(writer: TarWriter, file: SavedFile, signal: AbortSignal | undefined): Promise<void> {
  await writer.entry({ type: "file", name: file.name, mode: 0o644, mtime: 0, size: file.size });
  let left = file.size;
  for await (const chunk of file.open()) {
    signal?.throwIfAborted();
    left -= chunk.length;
    if (left < 0) break;
    await writer.write(chunk);
  }
  if (left !== 0) throw new TareError("E_STORE_DAMAGED", `saving \`${file.name}\`: it has not the recorded size`);
}

async function writeLayoutFile(folder: string, file: SavedFile, signal: AbortSignal | undefined): Promise<void> {
  const path = join(folder, file.name);
  if (file.name.startsWith("blobs/") && fs.statSync(path, { throwIfNoEntry: false })?.size === file.size) return;
  const partial = `${path}.${randomHex(6)}.${process.pid}.partial`;
  const descriptor = fs.openSync(partial, "w", 0o644);
  try {
    for await (const chunk of file.open()) {
      signal?.throwIfAborted();
      writeAll(descriptor, chunk);
    }
    fs.fsyncSync(descriptor);
    fs.renameSync(partial, path);
  } catch (error) {
    fs.rmSync(partial, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

interface Planned {
  readonly image: PlatformImage;
  readonly names: readonly string[];
  /** Undefined where the manifest's blob is all that the store has. */
  readonly layers: readonly (Layer | undefined)[];
}

function planFiles(store: ContentStore, items: readonly SaveItem[], options: SaveOptions): readonly SavedFile[] {
  const planned = mergeItems(items).flatMap((item) => planItem(store, item, options));
  const documents = [
    document("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    document("index.json", indexJson(planned, (options.platforms ?? []).length > 1)),
    ...(options.format === "docker" ? dockerDocuments(planned) : []),
  ];
  const { extra = [] } = options;
  const isBlob = ({ name }: SavedFile): boolean => name.startsWith("blobs/");
  const all = [...extra.filter(isBlob), ...planned.flatMap((each) => blobFiles(store, each))];
  const blobs = new Map(all.map((file) => [file.name, file]));
  return [
    ...documents,
    ...extra.filter((file) => !isBlob(file)),
    ...[...blobs.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}

/** One item for each image, in the order given. */
function mergeItems(items: readonly SaveItem[]): readonly SaveItem[] {
  const merged = new Map<string, SaveItem>();
  for (const item of items) {
    const names = [...(merged.get(item.record.target)?.names ?? []), ...item.names];
    merged.set(item.record.target, { record: item.record, names: [...new Set(names)].sort() });
  }
  return [...merged.values()];
}

function planItem(store: ContentStore, item: SaveItem, options: SaveOptions): Planned[] {
  const platforms = options.platforms?.length ? options.platforms : [undefined];
  return platforms.map((platform) => {
    const image = selectImage(store.blobs, item.record, platform);
    return { image, names: item.names, layers: image.config.rootfs.diff_ids.map((id) => store.layers.get(id)) };
  });
}

/** A small file. */
export function document(name: string, content: string | Buffer): SavedFile {
  const bytes = Buffer.from(content);
  return { name, size: bytes.length, open: () => pieces(bytes) };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** An entry for each name; an image without one is listed too. */
function indexJson(planned: readonly Planned[], withPlatform: boolean): string {
  const manifests = planned.flatMap(({ image, names }): Descriptor[] => {
    const { architecture, os, variant } = image.config;
    const platform = { architecture, os, ...(variant ? { variant } : {}) };
    const base = { ...image.descriptor, ...(withPlatform ? { platform } : {}) };
    if (names.length === 0) return [base];
    return names.map((name) => ({ ...base, annotations: nameAnnotations(name) }));
  });
  return serializeIndex({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
}

/** Where a blob is in a layout. */
export function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice("sha256:".length)}`;
}

function dockerDocuments(planned: readonly Planned[]): readonly SavedFile[] {
  const manifest = planned.map(({ image, names }) => ({
    Config: blobPath(image.manifest.config.digest),
    RepoTags: names.length > 0 ? names.map(shortName) : null,
    Layers: image.manifest.layers.map((layer) => blobPath(layer.digest)),
  }));
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, names } of planned) {
    const top = image.config.rootfs.diff_ids.at(-1);
    for (const name of top === undefined ? [] : names) {
      const { tag = "latest" } = parseReference(name);
      const repository = shortName(name).slice(0, -tag.length - 1);
      repositories[repository] = { ...repositories[repository], [tag]: hexOf(top ?? image.descriptor.digest) };
    }
  }
  const files = [document("manifest.json", JSON.stringify(manifest))];
  if (Object.keys(repositories).length > 0) files.push(document("repositories", JSON.stringify(repositories)));
  return files;
}

function blobFiles(store: ContentStore, { image, layers }: Planned): readonly SavedFile[] {
  const { manifest, descriptor, configBytes } = image;
  const files: SavedFile[] = [
    {
      name: blobPath(descriptor.digest),
      size: descriptor.size,
      open: () => pieces(store.blobs.read(descriptor.digest)),
    },
    { name: blobPath(manifest.config.digest), size: configBytes.length, open: () => pieces(configBytes) },
  ];
  for (const [index, layer] of manifest.layers.entries()) {
    files.push(layerFile(store, layer, layers[index]));
  }
  return files;
}

/** A layer's bytes as the manifest has them: the blob, or the tar that the tree or a compressed blob gives. */
export function layerFile(store: ContentStore, descriptor: Descriptor, layer: Layer | undefined): SavedFile {
  const { digest, size } = descriptor;
  const name = blobPath(digest);
  if (store.blobs.has(digest)) {
    const path = store.blobs.path(digest);
    return { name, size, open: () => fs.createReadStream(path, { highWaterMark: 1 << 20 }) };
  }
  if (layer && digest === layer.diffId) return { name, size, open: () => layerTar(store, layer) };
  throw new TareError("E_BLOB_MISSING", `saving layer \`${digest}\`: its compressed bytes are not in the store`, {
    hint: "pull the image again",
  });
}

/** Writes an archive to a file so that a reader or a crash sees all of it or nothing. */
export async function saveImagesToFile(
  store: ContentStore,
  items: readonly SaveItem[],
  path: string,
  options: SaveOptions,
): Promise<void> {
  await writeToPath(path, (sink) => saveImages(store, items, sink, options));
}
