// SPDX-License-Identifier: Apache-2.0
import { arrayOf, encode, fail, isMembers, object, scalar } from "./codec.ts";
import type { Codec, Place } from "./codec.ts";
import { descriptorCodec, mediaTypeCodec, stringMap } from "./descriptor.ts";
import type { Descriptor } from "./descriptor.ts";
import { parseJson } from "./json.ts";
import { MEDIA_TYPES, isManifest } from "./media-types.ts";
import type { MediaType } from "./media-types.ts";

/** An image manifest (image-spec manifest.md; Docker schema 2 has the same fields). */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: MediaType;
  readonly artifactType?: MediaType;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Leniency that a caller asks for when reading a manifest. */
export interface ParseManifestOptions {
  /** Accept `"layers": []`, which the specification advises against but builders write for empty images. */
  readonly allowNoLayers?: boolean;
}

/** Codec of `"schemaVersion": 2`. */
export const schemaVersionCodec: Codec<2> = scalar("2", (value): value is 2 => value === 2);

const manifestCodec: Codec<Manifest> = object(
  { schemaVersion: schemaVersionCodec, config: descriptorCodec, layers: arrayOf(descriptorCodec) },
  {
    mediaType: mediaTypeCodec,
    artifactType: mediaTypeCodec,
    subject: descriptorCodec,
    annotations: stringMap,
  },
  ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"],
);

/**
 * Parses an image manifest. Throws `E_MANIFEST` with the JSON path for anything malformed, for schema 1, for an index
 * in its place and for a document that could be read as both.
 */
export function parseManifest(text: string, options: ParseManifestOptions = {}): Manifest {
  return readManifest(parseJson(text, "manifest"), options);
}

/** Reads an already parsed manifest; as `parseManifest`. */
export function readManifest(value: unknown, options: ParseManifestOptions = {}): Manifest {
  const at: Place = { document: "manifest", path: "" };
  refuseConfusion(value, at);
  if (isMembers(value) && "manifests" in value) fail(at, "this is an image index, not a manifest");
  const manifest = manifestCodec.read(value, at);
  if (manifest.mediaType !== undefined && !isManifest(manifest.mediaType)) {
    fail({ ...at, path: "mediaType" }, `\`${manifest.mediaType}\` is not that of an image manifest`);
  }
  if (manifest.layers.length === 0 && options.allowNoLayers !== true) {
    fail({ ...at, path: "layers" }, "at least one layer is needed");
  }
  return manifest;
}

/** The canonical compact JSON of a manifest: equal values give equal bytes, unknown fields are kept. */
export function serializeManifest(manifest: Manifest): string {
  return encode(manifestCodec, manifest);
}

/** Refuses schema 1 and documents that are manifest and index at once (CVE-2021-41190). */
export function refuseConfusion(value: unknown, at: Place): void {
  if (!isMembers(value)) return;
  const mediaType = value["mediaType"];
  const isV1 = mediaType === MEDIA_TYPES.dockerManifestV1 || mediaType === MEDIA_TYPES.dockerManifestV1Signed;
  if (value["schemaVersion"] === 1 || isV1 || "fsLayers" in value) {
    fail(at, "Docker schema 1 manifests are not supported", "push the image again with a current tool");
  }
  if ("manifests" in value && ("layers" in value || "config" in value)) {
    fail(at, "the document is both a manifest and an index");
  }
}
