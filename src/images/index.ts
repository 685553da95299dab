// SPDX-License-Identifier: Apache-2.0
export { layerDescriptor, writeImage } from "./write-image.ts";
export type { ContentStore, ImageParts, WrittenImage } from "./write-image.ts";
export { layerTar, unpackLayer } from "./unpack-layer.ts";
export type { LayerSource } from "./unpack-layer.ts";
export { loadImages } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { saveImages, saveImagesToFile, saveLayoutFolder } from "./save.ts";
export type { SaveItem, SaveOptions } from "./save.ts";
export { loadIntoDocker } from "./docker-engine.ts";
export type { DockerEndpoint } from "./docker-engine.ts";
export { selectImage } from "./select-image.ts";
export type { PlatformImage } from "./select-image.ts";
export { imageDetails, imageHistory, imageInspect } from "./details.ts";
export type { HistoryRow, ImageDetails } from "./details.ts";
export { importImage } from "./import.ts";
export type { ImportOptions } from "./import.ts";
export { exportFlatTar } from "./export.ts";
export { applyChanges } from "./changes.ts";
