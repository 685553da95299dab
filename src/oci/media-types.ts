// SPDX-License-Identifier: Apache-2.0

/** A media type as it stands in a descriptor, manifest or HTTP header. */
export type MediaType = string;

/** Every OCI (image-spec 1.1) and Docker schema-2 media type that Tare reads or writes. */
export const MEDIA_TYPES = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerManifestV1: "application/vnd.docker.distribution.manifest.v1+json",
  dockerManifestV1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerForeignLayerGzip: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
} as const;

/** How a layer blob is compressed. */
export type LayerCompression = "none" | "gzip" | "zstd";

const NON_DISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar";

const LAYERS: ReadonlyMap<string, LayerCompression> = new Map([
  [MEDIA_TYPES.ociLayer, "none"],
  [MEDIA_TYPES.ociLayerGzip, "gzip"],
  [MEDIA_TYPES.ociLayerZstd, "zstd"],
  [NON_DISTRIBUTABLE, "none"],
  [`${NON_DISTRIBUTABLE}+gzip`, "gzip"],
  [`${NON_DISTRIBUTABLE}+zstd`, "zstd"],
  [MEDIA_TYPES.dockerLayer, "none"],
  [MEDIA_TYPES.dockerLayerGzip, "gzip"],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"],
  [MEDIA_TYPES.dockerForeignLayerGzip, "gzip"],
]);

/** True for an image manifest of OCI or Docker schema 2. */
export function isManifest(mediaType: MediaType): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** True for an OCI index or a Docker manifest list. */
export function isIndex(mediaType: MediaType): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerIndex;
}

/** True for an image config of OCI or Docker. */
export function isConfig(mediaType: MediaType): boolean {
  return mediaType === MEDIA_TYPES.ociConfig || mediaType === MEDIA_TYPES.dockerConfig;
}

/** True for a file-system layer of a kind that can be unpacked. */
export function isLayer(mediaType: MediaType): boolean {
  return LAYERS.has(mediaType);
}

/** The compression of a layer's media type, undefined when it is not a layer that Tare knows. */
export function layerCompression(mediaType: MediaType): LayerCompression | undefined {
  return LAYERS.get(mediaType);
}

/** The OCI media type of a layer with this compression. */
export function layerMediaType(compression: LayerCompression): MediaType {
  if (compression === "gzip") return MEDIA_TYPES.ociLayerGzip;
  return compression === "zstd" ? MEDIA_TYPES.ociLayerZstd : MEDIA_TYPES.ociLayer;
}
