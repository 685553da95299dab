// SPDX-License-Identifier: Apache-2.0
/*
 * An image whose layers made here have another form: compressed blobs that the store keeps, and a manifest that names
 * them. Layers that came compressed stay as they are. Pushing and saving the new image is pushing and saving any other.
 *
 *   gzip, gzip:single, zstd   the same tar, so config and image ID stay
 *   estargz                   the tar ends with a table of contents: other diffIDs, another config, another image ID
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, hexOf, readPieces, suggest } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { MEDIA_TYPES, isConfig, layerMediaType, parseImageConfig, parseManifestOrIndex } from "../oci/index.ts";
import { serializeIndex, serializeManifest } from "../oci/index.ts";
import type { Descriptor, ImageIndex, Manifest } from "../oci/index.ts";
import type { DocumentStore, ImageRecord, Lease, Store } from "../store/index.ts";
import { compressedLayer, spoolLayer } from "./compress-layer.ts";
import type { CompressJob, WheelLayers } from "./compress-layer.ts";
import { needsCompression } from "./push-layer.ts";
import { asOci } from "./push-plan.ts";

/** How layers made here travel. `gzip:single` has one gzip member, for readers that stop after the first. */
export type LayerForm = "none" | "gzip" | "gzip:single" | "estargz" | "zstd";

const FORMS: Readonly<Record<string, LayerForm>> = {
  gzip: "gzip",
  "gzip:single": "gzip:single",
  estargz: "estargz",
  zstd: "zstd",
  none: "none",
  uncompressed: "none",
};

/** A form by its name; BuildKit's `uncompressed` is `none`. Throws `E_USAGE`. */
export function parseLayerForm(text: string): LayerForm {
  const form = FORMS[text];
  if (form) return form;
  const near = suggest(text, Object.keys(FORMS));
  throw new TareError("E_USAGE", `choosing how layers are compressed: \`${text}\` is unknown`, {
    hint: near === undefined ? `choose one of ${Object.keys(FORMS).join(", ")}` : `did you mean \`${near}\``,
  });
}

/** What converting needs. */
export interface ConvertOptions {
  readonly form: LayerForm;
  readonly wheels: WheelLayers;
  /** Keeps what is written until its holder is done. */
  readonly lease: Lease;
  readonly signal?: AbortSignal;
}

type ImageTarget = Pick<ImageRecord, "target" | "mediaType" | "id">;

/** A layer in another form, remembered by form and diffID. */
interface ConvertedLayer {
  readonly blob: Pick<Descriptor, "mediaType" | "digest" | "size" | "annotations">;
  readonly diffId: DiffId;
}

interface ConvertJob extends ConvertOptions {
  readonly store: Store;
  readonly memo: DocumentStore<ConvertedLayer>;
  /** New config digests by old ones. */
  readonly configs: Map<Digest, Digest>;
}

/**
 * The image with its layers in a form; the same image when nothing changes. No name is set. Throws `E_LAYER_MISSING`,
 * `E_STORE_DAMAGED`, `E_NOSPACE`, and what fetching wheels again throws.
 */
export async function convertImage(store: Store, image: ImageTarget, options: ConvertOptions): Promise<ImageTarget> {
  if (options.form === "none") return image;
  const memo = store.documents<ConvertedLayer>("layer-form", { lasting: false });
  const job: ConvertJob = { ...options, store, memo, configs: new Map() };
  const { digest, mediaType } = await convertTarget(job, image.target);
  return { target: digest, mediaType, id: job.configs.get(image.id) ?? image.id };
}

type Written = Pick<Descriptor, "mediaType" | "digest" | "size">;

async function convertTarget(job: ConvertJob, digest: Digest): Promise<Written> {
  const bytes = job.store.blobs.read(digest);
  const document = parseManifestOrIndex(bytes.toString("utf8"), { allowNoLayers: true });
  const own = (mediaType: string | undefined, usual: string): Written => {
    return { digest, size: bytes.length, mediaType: mediaType ?? usual };
  };
  if (document.kind === "manifest") {
    const { manifest } = document;
    return (await convertManifest(job, manifest)) ?? own(manifest.mediaType, MEDIA_TYPES.ociManifest);
  }
  const { index } = document;
  return (await convertIndex(job, index)) ?? own(index.mediaType, MEDIA_TYPES.ociIndex);
}

/** Undefined when nothing changes. Children that are not in the store belong to other platforms. */
async function convertIndex(job: ConvertJob, index: ImageIndex): Promise<Written | undefined> {
  const manifests: Descriptor[] = [];
  for (const child of index.manifests) {
    const isHere = job.store.blobs.has(child.digest);
    manifests.push(isHere ? { ...child, ...(await convertTarget(job, child.digest)) } : child);
  }
  if (manifests.every((child, at) => child.digest === index.manifests[at]?.digest)) return undefined;
  return write(job, MEDIA_TYPES.ociIndex, serializeIndex({ ...index, mediaType: MEDIA_TYPES.ociIndex, manifests }));
}

async function convertManifest(job: ConvertJob, manifest: Manifest): Promise<Written | undefined> {
  const isImage = isConfig(manifest.config.mediaType) && job.store.blobs.has(manifest.config.digest);
  if (!isImage) return undefined;
  const text = job.store.blobs.read(manifest.config.digest).toString("utf8");
  const diffIds = [...parseImageConfig(text).rootfs.diff_ids];
  const layers = [...manifest.layers];
  for (const [at, layer] of layers.entries()) {
    const diffId = diffIds[at];
    if (diffId === undefined || !needsCompression(layer, "gzip")) continue;
    const converted = await convertLayer(job, diffId);
    layers[at] = { ...layer, ...converted.blob };
    diffIds[at] = converted.diffId;
  }
  if (layers.every((layer, at) => layer.digest === manifest.layers[at]?.digest)) return undefined;
  const config = { ...manifest.config, ...writeConfig(job, manifest.config.digest, { text, diffIds }) };
  const mediaType = MEDIA_TYPES.ociManifest;
  return write(job, mediaType, serializeManifest({ ...manifest, mediaType, config, layers: layers.map(asOci) }));
}

/** The config with these diffIDs; all else in it stays. */
function writeConfig(
  job: ConvertJob,
  old: Digest,
  { text, diffIds }: { readonly text: string; readonly diffIds: readonly DiffId[] },
): Written {
  const config = JSON.parse(text) as Record<string, unknown>;
  const changed = JSON.stringify({ ...config, rootfs: { type: "layers", diff_ids: diffIds } });
  const isSame = parseImageConfig(text).rootfs.diff_ids.every((diffId, at) => diffId === diffIds[at]);
  const written = write(job, MEDIA_TYPES.ociConfig, isSame ? text : changed);
  job.configs.set(old, written.digest);
  return written;
}

function write({ store, lease }: ConvertJob, mediaType: string, text: string): Written {
  const { digest, size } = store.blobs.writeBytes(text);
  lease.keep([digest]);
  return { mediaType, digest, size };
}

async function convertLayer(job: ConvertJob, diffId: DiffId): Promise<ConvertedLayer> {
  const { store, memo, form, lease } = job;
  const id = `${form}:${diffId}`;
  const known = memo.get(id);
  if (known) {
    lease.keep([known.blob.digest]);
    if (store.blobs.has(known.blob.digest)) return known;
  }
  const made = await makeLayer(job, diffId);
  lease.keep([made.blob.digest]);
  memo.put(id, made);
  return made;
}

/** A tree from outside does not give its tar again: the tar's own bytes are compressed, as they are for zstd. */
async function makeLayer(job: ConvertJob, diffId: DiffId): Promise<ConvertedLayer> {
  const { form, store } = job;
  const isForeign = store.layers.get(diffId)?.blob !== undefined;
  if (form !== "zstd" && (form === "estargz" || !isForeign)) return spliced(job, diffId);
  const compression = form === "zstd" ? "zstd" : "gzip";
  const { digest, size } = await store.blobs.write(compressedLayer({ ...compressJob(job), compression }, diffId));
  return { blob: { mediaType: layerMediaType(compression), digest, size }, diffId };
}

const LAYOUTS = { gzip: "ms", "gzip:single": "m1", estargz: "estargz" } as const;

async function spliced(job: ConvertJob, diffId: DiffId): Promise<ConvertedLayer> {
  const { form, store, lease } = job;
  if (form === "none" || form === "zstd") throw new Error(`${form} is not spliced`);
  const path = join(lease.folder, `convert-${hexOf(diffId)}`);
  const spool = { ...compressJob(job), compression: "gzip", layout: LAYOUTS[form] } as const;
  const { digest, size, diffIdSize, toc } = await spoolLayer(spool, diffId, path);
  try {
    await store.blobs.write(readPieces(path), { digest, size });
  } finally {
    fs.rmSync(path, { force: true });
  }
  const blob = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size };
  if (!toc) return { blob, diffId };
  const annotations = {
    "containerd.io/snapshot/stargz/toc.digest": toc.digest,
    "io.containers.estargz.uncompressed-size": String(diffIdSize),
  };
  return { blob: { ...blob, annotations }, diffId: toc.diffId };
}

function compressJob({ store, wheels, signal }: ConvertJob): Omit<CompressJob, "compression"> {
  return { store, wheels, ...(signal === undefined ? {} : { signal }) };
}
