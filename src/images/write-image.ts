// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { MEDIA_TYPES, serializeImageConfig, serializeManifest } from "../oci/index.ts";
import type { Descriptor, ImageConfig } from "../oci/index.ts";
import type { BlobStore, LayerFacts, LayerStore } from "../store/index.ts";
import type { LayerBlob } from "./transfer.ts";

/** An image to write: its layers are in the store, or absent as is said. */
export interface ImageParts {
  /** Everything but the layers' digests, which are taken from `layers`. */
  readonly config: Omit<ImageConfig, "rootfs">;
  /** Lowest first. */
  readonly layers: readonly DiffId[];
  /** How the registry has those that the store lacks. */
  readonly absent?: ReadonlyMap<DiffId, LayerBlob>;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where a written image is. */
export interface WrittenImage {
  /** Digest of the manifest: what names point to. */
  readonly manifest: Digest;
  readonly mediaType: string;
  /** Digest of the config: Docker's image ID. */
  readonly config: Digest;
}

/** The parts of a store that images are written to. */
export interface ContentStore {
  readonly blobs: BlobStore;
  readonly layers: LayerStore;
}

/**
 * Writes the config and the manifest of an image whose layers are in the store. Layers made here are described as
 * plain tars, which are not kept as blobs: a push or a save makes the bytes again from the tree, and compresses then.
 * Layers from outside are described as they came. Throws `E_LAYER_MISSING`.
 */
export function writeImage(store: ContentStore, parts: ImageParts): WrittenImage {
  const layers = parts.layers.map((diffId) => parts.absent?.get(diffId) ?? describe(store, diffId));
  const rootfs = { type: "layers", diff_ids: parts.layers } as const;
  const config = store.blobs.writeBytes(serializeImageConfig({ ...parts.config, rootfs }));
  const manifest = store.blobs.writeBytes(
    serializeManifest({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, ...config },
      layers,
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
    }),
  );
  return { manifest: manifest.digest, mediaType: MEDIA_TYPES.ociManifest, config: config.digest };
}

function describe({ layers }: ContentStore, diffId: DiffId): Descriptor {
  const layer = layers.facts(diffId);
  if (layer) return layerDescriptor(layer);
  throw new TareError("E_LAYER_MISSING", `writing an image: layer \`${diffId}\` is not in the store`);
}

/** How a manifest in the local store describes a layer. */
export function layerDescriptor(layer: LayerFacts): Descriptor {
  if (layer.blob === undefined) return { mediaType: MEDIA_TYPES.ociLayer, digest: layer.diffId, size: layer.size };
  const { mediaType, digest, size } = layer.blob;
  return { mediaType: OCI_TWINS.get(mediaType) ?? mediaType, digest, size };
}

/** The OCI names of Docker's layer types: an OCI manifest should not mix the two. */
const OCI_TWINS: ReadonlyMap<string, string> = new Map<string, string>([
  [MEDIA_TYPES.dockerLayer, MEDIA_TYPES.ociLayer],
  [MEDIA_TYPES.dockerLayerGzip, MEDIA_TYPES.ociLayerGzip],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_TYPES.ociLayerZstd],
]);
