// SPDX-License-Identifier: Apache-2.0
export { layerDescriptor, writeImage } from "./write-image.ts";
export type { ContentStore, ImageParts, WrittenImage } from "./write-image.ts";
export { layerTar, unpackLayer } from "./unpack-layer.ts";
export type { LayerSource } from "./unpack-layer.ts";
export { loadImages } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { saveImages, saveImagesToFile, saveLayoutFolder } from "./save.ts";
export type { SaveItem, SaveOptions } from "./save.ts";
export { planBundle, saveBundle } from "./bundle-plan.ts";
export type { BundleContent, BundlePlanOptions } from "./bundle-plan.ts";
export { loadBundle } from "./bundle-load.ts";
export type { BundleLoadOptions, LoadedBundle } from "./bundle-load.ts";
export type { BundleDocument, BundledFile, BundledStep, BundledWheel } from "./bundle-document.ts";
export { EMPTY } from "./wheel-artifact.ts";
export { chooseWheels, pullWheels, pushWheels } from "./share-wheels.ts";
export type {
  PullWheelsOptions,
  PulledWheels,
  PushedWheels,
  RemoteWheels,
  ShareWheelsOptions,
} from "./share-wheels.ts";
export { loadIntoDocker, readFromDocker, streamIntoDocker } from "./docker-engine.ts";
export type { DockerEndpoint } from "./docker-engine.ts";
export { selectImage } from "./select-image.ts";
export type { PlatformImage } from "./select-image.ts";
export { imageDetails, imageHistory, imageInspect } from "./details.ts";
export type { HistoryRow, ImageDetails } from "./details.ts";
export { measureImage } from "./size.ts";
export { scanLayers } from "./size-scan.ts";
export type { ScannedFile } from "./size-scan.ts";
export type {
  DeadWeight,
  DirectorySize,
  DistributionSize,
  Duplicate,
  HiddenBytes,
  ImageSize,
  LayerSize,
  OwnedBytes,
  OwnerKind,
  PackageSize,
  SharedObject,
} from "./size-types.ts";
export { importImage } from "./import.ts";
export type { ImportOptions } from "./import.ts";
export { handOver } from "./hand-over.ts";
export { commitImage } from "./commit.ts";
export type { CommitOptions } from "./commit.ts";
export { exportFlatTar } from "./export.ts";
export type { FlatTarPart } from "./export.ts";
export { applyChanges } from "./changes.ts";
export { pushImage } from "./push.ts";
export type { PushOptions, PushedImage, PushedLayer } from "./push.ts";
export type { AbsentBlobs } from "./push-layer.ts";
export { peekImage, pullImage } from "./pull.ts";
export type { PeekedImage, PullOptions, PulledImage } from "./pull.ts";
export { copyImage } from "./copy/copy-image.ts";
export type { CopiedImage, CopyOptions } from "./copy/copy-image.ts";
export type { PlatformChoice } from "./copy/choose.ts";
export type { ImageSource, ImageTarget } from "./copy/types.ts";
export { checkedBytes } from "./copy/checked-bytes.ts";
export { registrySource, registryTarget } from "./copy/registry-places.ts";
export { layoutSource } from "./copy/layout-source.ts";
export { dockerSource } from "./copy/docker-source.ts";
export { intoLayoutFolder } from "./copy/layout-target.ts";
export { intoArchive } from "./copy/archive-target.ts";
export { rememberOrigin, storeSource, storeTarget } from "./copy/store-places.ts";
export { openSource } from "./load.ts";
export type { ArchiveSource } from "./archive-source.ts";
export { NO_MEMO, WHEEL_MEMO_TAG, addToMemo, readWheelMemo, writeWheelMemo } from "./wheel-memo.ts";
export type { MemoAdditions, WheelMemo } from "./wheel-memo.ts";
export type { WheelLayers } from "./compress-layer.ts";
export { wheelLayersOf } from "./wheel-layers.ts";
export { convertImage, parseLayerForm } from "./convert.ts";
export type { ConvertOptions, LayerForm } from "./convert.ts";
export { pushBytes, pushFile } from "./push-file.ts";
export { TransferMemo } from "./transfer.ts";
export type { LayerBlob, RemoteRepository, TransferEvent, TransferListener, TransferOutcome } from "./transfer.ts";
export { readBuildCache } from "./build-cache/read.ts";
export type { CachedLayer, ReadBuildCache } from "./build-cache/read.ts";
export { folderCache, registryCache } from "./build-cache/sources.ts";
export type { CacheSource } from "./build-cache/sources.ts";
export { pushBuildCache } from "./build-cache/write.ts";
export type { BuildCacheContent } from "./build-cache/write.ts";
export { writeFolderCache } from "./build-cache/folder.ts";
