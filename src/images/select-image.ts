// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import {
  formatPlatform,
  isConfig,
  matchesPlatform,
  parseImageConfig,
  parseManifestOrIndex,
  selectManifest,
} from "../oci/index.ts";
import type { Descriptor, ImageConfig, Manifest, Platform } from "../oci/index.ts";
import type { BlobStore, ImageRecord } from "../store/index.ts";

/** An image for one platform, read and checked. */
export interface PlatformImage {
  /** Of the manifest. */
  readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The config's bytes: unknown fields and its digest survive. */
  readonly configBytes: Buffer;
}

/**
 * The image of a record for a platform; without one, that whose config is the record's id. Throws `E_PLATFORM` when
 * the image is not for it, `E_BLOB_MISSING`, `E_MANIFEST`.
 */
export function selectImage(blobs: BlobStore, record: ImageRecord, platform?: Platform): PlatformImage {
  const images = [...imagesOf(blobs, record.target, platform)];
  const chosen = platform ? images[0] : images.find((image) => image.manifest.config.digest === record.id);
  if (chosen && (!platform || matchesPlatform(platform, chosen.config))) return chosen;
  const there = images.map((image) => formatPlatform(image.config)).join(", ");
  const wanted = platform ? formatPlatform(platform) : record.id;
  const name = record.names[0] ?? record.id;
  throw new TareError("E_PLATFORM", `choosing ${wanted} of image \`${name}\`: it is for ${there || "no platform"}`, {
    hint: "pull or build the image for that platform",
  });
}

function* imagesOf(blobs: BlobStore, target: Digest, platform?: Platform): Generator<PlatformImage> {
  const bytes = blobs.read(target);
  const document = parseManifestOrIndex(bytes.toString("utf8"), { allowNoLayers: true });
  if (document.kind === "manifest") {
    const { manifest } = document;
    if (!isConfig(manifest.config.mediaType)) return;
    const configBytes = blobs.read(manifest.config.digest);
    const config = parseImageConfig(configBytes.toString("utf8"));
    const mediaType = manifest.mediaType ?? "application/vnd.oci.image.manifest.v1+json";
    yield { descriptor: { mediaType, digest: target, size: bytes.length }, manifest, config, configBytes };
    return;
  }
  const present = document.index.manifests.filter((child) => blobs.has(child.digest));
  const children = platform ? [selectManifest({ ...document.index, manifests: present }, platform)] : present;
  for (const child of children) yield* imagesOf(blobs, child.digest, platform);
}
