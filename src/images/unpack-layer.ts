// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import { decompress, extractLayer, packTree } from "../archive/index.ts";
import type { ExtractResult } from "../archive/index.ts";
import { MEDIA_TYPES, layerCompression } from "../oci/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Layer, LayerStaging } from "../store/index.ts";
import { handOver } from "./hand-over.ts";
import type { ContentStore } from "./write-image.ts";

/** A layer as it comes from outside. */
export interface LayerSource {
  /** What the bytes are announced to be. */
  readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
  /** Digest of the uncompressed tar, from the image's config. */
  readonly diffId: DiffId;
  /** Streams the bytes; called again when they are needed a second time, never when the store has what is needed. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/**
 * Brings a layer into the store: compressed bytes are kept as a blob, checked, and unpacked; a plain tar is unpacked
 * and kept as a blob only when it can't be made again from the tree. What the store has already is not read again.
 * Throws `E_DIGEST_MISMATCH`, `E_TAR_*`, `E_WHITEOUT`, `E_COMPRESSION`, `E_BOMB`, `E_UNSUPPORTED`, `E_NOSPACE`.
 */
export async function unpackLayer(store: ContentStore, source: LayerSource): Promise<Layer> {
  const { descriptor, diffId } = source;
  requireKnownKind(descriptor);
  if (descriptor.digest === diffId) return unpackPlain(store, source);
  await store.blobs.write(source.open(), { digest: descriptor.digest, size: descriptor.size });
  const known = store.layers.get(diffId);
  if (known) return known;
  const path = store.blobs.path(descriptor.digest);
  return unpackInto(store, source, decompress(fs.createReadStream(path, { highWaterMark: 1 << 20 })), () => true);
}

/** Throws `E_UNSUPPORTED` for a layer that nobody here can read. */
export function requireKnownKind({ digest, mediaType }: LayerSource["descriptor"]): void {
  if (layerCompression(mediaType) !== undefined) return;
  throw new TareError("E_UNSUPPORTED", `unpacking layer \`${digest}\`: unknown kind \`${mediaType}\``);
}

/** A tar as it is: the digest is the diffID, so its bytes are known to be right when they are unpacked. */
async function unpackPlain(store: ContentStore, source: LayerSource): Promise<Layer> {
  const known = store.layers.get(source.diffId);
  if (known) return known;
  return unpackInto(store, source, source.open(), async (tree, facts) => {
    const packed = await packTree(tree, undefined, source.signal === undefined ? {} : { signal: source.signal });
    if (packed.diffId === facts.diffId) return false;
    await store.blobs.write(source.open(), { digest: source.diffId });
    return true;
  });
}

type KeepsBlob = (tree: string, facts: ExtractResult) => boolean | Promise<boolean>;

async function unpackInto(
  store: ContentStore,
  source: LayerSource,
  tar: AsyncIterable<Uint8Array>,
  keepsBlob: KeepsBlob,
): Promise<Layer> {
  const staging = store.layers.stage();
  try {
    const { signal } = source;
    const facts = await extractLayer(tar, staging.tree, {
      mode: "overlay",
      ...(signal === undefined ? {} : { signal }),
    });
    requireDiffId(source, facts);
    return await commitLayer(staging, source, { facts, keepsBlob: await keepsBlob(staging.tree, facts) });
  } catch (error) {
    staging.discard();
    throw error;
  }
}

type AnnouncedLayer = Pick<LayerSource, "descriptor" | "diffId">;

/** Throws `E_DIGEST_MISMATCH` when what was unpacked is not what the config says. */
export function requireDiffId(source: AnnouncedLayer, facts: ExtractResult): void {
  if (facts.diffId === source.diffId) return;
  const { digest } = source.descriptor;
  throw new TareError(
    "E_DIGEST_MISMATCH",
    `unpacking layer \`${digest}\`: its content has the digest \`${String(facts.diffId)}\`, the image says \`${source.diffId}\``,
    { details: { digest, expected: source.diffId, actual: facts.diffId } },
  );
}

/** Publishes an unpacked layer; its blob, when it is kept, is in the store. */
export function commitLayer(
  staging: LayerStaging,
  source: AnnouncedLayer,
  { facts, keepsBlob }: { readonly facts: ExtractResult; readonly keepsBlob: boolean },
): Promise<Layer> {
  const { size, contentSize, entries, opaque, whiteouts, hasXattrs } = facts;
  const { digest, mediaType } = source.descriptor;
  const blob = {
    digest,
    size: source.descriptor.size,
    mediaType: digest === source.diffId ? MEDIA_TYPES.ociLayer : mediaType,
  };
  return staging.commitLater({
    diffId: source.diffId,
    size,
    contentSize,
    entries,
    opaque,
    whiteouts,
    hasXattrs,
    ...(keepsBlob ? { blob } : {}),
  });
}

/**
 * The uncompressed tar of a layer, byte for byte: from the tree when that gives it, else from the blob that the layer
 * came as. Throws `E_BLOB_MISSING`, `E_DIGEST_MISMATCH` at the end when the tree was changed.
 */
export async function* layerTar(store: ContentStore, layer: Layer): AsyncGenerator<Uint8Array> {
  if (layer.blob === undefined) return yield* packedTree(layer);
  yield* decompress(fs.createReadStream(store.blobs.path(layer.blob.digest), { highWaterMark: 1 << 20 }));
}

function packedTree(layer: Layer): AsyncGenerator<Uint8Array> {
  return handOver(async (sink) => {
    const result = await packTree(layer.tree, sink, { xattrs: layer.hasXattrs || layer.opaque.length > 0 });
    if (result.diffId !== layer.diffId) throw changedTree(layer);
  });
}

/** The error for a tree that is not any more what its diffID says. */
export function changedTree(layer: Pick<Layer, "diffId">): TareError {
  return new TareError("E_STORE_DAMAGED", `packing layer \`${layer.diffId}\`: its files were changed in the store`, {
    hint: "run `tare system fsck --repair`, then build the image again",
  });
}
