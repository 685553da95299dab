// SPDX-License-Identifier: Apache-2.0
import { arrayOf, encode, fail, isMembers, object } from "./codec.ts";
import type { Codec, Place } from "./codec.ts";
import { descriptorCodec, mediaTypeCodec, stringMap } from "./descriptor.ts";
import type { Descriptor } from "./descriptor.ts";
import { parseJson } from "./json.ts";
import { readManifest, refuseConfusion, schemaVersionCodec } from "./manifest.ts";
import type { Manifest, ParseManifestOptions } from "./manifest.ts";
import { isIndex } from "./media-types.ts";
import type { MediaType } from "./media-types.ts";

/** An image index (image-spec image-index.md; a Docker manifest list has the same fields). */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType?: MediaType;
  readonly artifactType?: MediaType;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A document that is either of the two things a reference can name. */
export type ManifestOrIndex =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly index: ImageIndex };

const indexCodec: Codec<ImageIndex> = object(
  { schemaVersion: schemaVersionCodec, manifests: arrayOf(descriptorCodec) },
  { mediaType: mediaTypeCodec, artifactType: mediaTypeCodec, subject: descriptorCodec, annotations: stringMap },
  ["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"],
);

/** Parses an image index. Throws `E_MANIFEST` with the JSON path; see `parseManifest`. */
export function parseIndex(text: string): ImageIndex {
  return readIndex(parseJson(text, "index"));
}

/** Parses a document that may be a manifest or an index, told apart by its fields. Throws `E_MANIFEST`. */
export function parseManifestOrIndex(text: string, options: ParseManifestOptions = {}): ManifestOrIndex {
  const value = parseJson(text, "manifest");
  refuseConfusion(value, { document: "manifest", path: "" });
  if (isMembers(value) && "manifests" in value) return { kind: "index", index: readIndex(value) };
  return { kind: "manifest", manifest: readManifest(value, options) };
}

function readIndex(value: unknown): ImageIndex {
  const at: Place = { document: "index", path: "" };
  refuseConfusion(value, at);
  if (isMembers(value) && "layers" in value) fail(at, "this is an image manifest, not an index");
  const index = indexCodec.read(value, at);
  if (index.mediaType !== undefined && !isIndex(index.mediaType)) {
    fail({ ...at, path: "mediaType" }, `\`${index.mediaType}\` is not that of an image index`);
  }
  return index;
}

/** The canonical compact JSON of an index: equal values give equal bytes, unknown fields are kept. */
export function serializeIndex(index: ImageIndex): string {
  return encode(indexCodec, index);
}
