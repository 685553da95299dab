// SPDX-License-Identifier: Apache-2.0
export {
  MEDIA_TYPES,
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  layerCompression,
  layerMediaType,
} from "./media-types.ts";
export type { LayerCompression, MediaType } from "./media-types.ts";
export { isMembers } from "./codec.ts";
export { DOCUMENT_LIMIT, parseJson } from "./json.ts";
export type { Descriptor, Platform } from "./descriptor.ts";
export { parseManifest, serializeManifest } from "./manifest.ts";
export type { Manifest, ParseManifestOptions } from "./manifest.ts";
export { parseIndex, parseManifestOrIndex, serializeIndex } from "./index-manifest.ts";
export type { ImageIndex, ManifestOrIndex } from "./index-manifest.ts";
export { parseImageConfig, readContainerConfig, serializeImageConfig } from "./image-config.ts";
export type { ContainerConfig, Healthcheck, HistoryEntry, ImageConfig, RootFs } from "./image-config.ts";
export {
  compatiblePlatforms,
  equalPlatforms,
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
  selectManifest,
} from "./platform.ts";
export {
  familiarName,
  familiarReference,
  formatReference,
  imageIdPrefix,
  isDomain,
  isImageIdentifier,
  normalizeReference,
  parseAnyReference,
  parseCanonicalName,
  parseImageName,
  parseReference,
  referenceFromName,
  referenceName,
  splitDomain,
  withDefaultTag,
  withDigest,
  withTag,
} from "./reference.ts";
export type { AnyReference, Reference, ReferenceFault } from "./reference.ts";
export { matchesFamiliar, sortReferences } from "./reference-list.ts";
