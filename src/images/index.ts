// SPDX-License-Identifier: Apache-2.0
export { layerDescriptor, writeImage } from "./write-image.ts";
export type { ContentStore, ImageParts, WrittenImage } from "./write-image.ts";
