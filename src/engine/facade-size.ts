// SPDX-License-Identifier: Apache-2.0
/* Where the bytes of an image are, and images with their wheels as one archive: the part of the face for both. */
import type { ImageSize } from "../images/index.ts";
import type { ByteSink, ByteSource, LongCall } from "./facade.ts";

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
} from "../images/index.ts";

/** Questions about sizes. */
export interface SizeApi {
  /** Throws `E_IMAGE_NOTFOUND`, `E_PLATFORM`. */
  measure(name: string, options?: { readonly platform?: string; readonly signal?: AbortSignal }): Promise<ImageSize>;
}

/** `bundle`. */
export interface BundleRequest extends LongCall {
  /** At least one. */
  readonly images: readonly string[];
  /** The wheels that the images' layers were made of go along, those that aren't here any more are fetched. */
  readonly wheels: boolean;
  /** Locks and project files that go along, relative to the engine's `cwd`. */
  readonly files: readonly string[];
  readonly output: ByteSink;
}

/** What a bundle has, or what came out of one. */
export interface BundleReport {
  readonly images: readonly { readonly name?: string; readonly id: string }[];
  readonly wheels: readonly { readonly fileName: string; readonly size: number }[];
  /** Layers known by the wheels they are made of. */
  readonly wheelLayers: number;
  /** Records of the build cache. */
  readonly cacheRecords: number;
  /** Names of locks and project files. */
  readonly files: readonly string[];
}

/** `bundle --load`. */
export interface LoadBundleRequest extends LongCall {
  readonly input: ByteSource;
  /** Folder for the locks and project files in it; absent: they stay in the archive. */
  readonly files?: string;
}

/** Images with all that a build on another machine needs. */
export interface BundleApi {
  /** Writes a bundle; any tool that reads OCI archives finds the images in it. Throws as `save`, `E_WHEEL_MISSING`. */
  create(request: BundleRequest): Promise<BundleReport>;
  /** Loads a bundle, or any other archive of images. Throws as `load`, `E_BUNDLE`. */
  load(request: LoadBundleRequest): Promise<BundleReport>;
}
