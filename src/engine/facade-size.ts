// SPDX-License-Identifier: Apache-2.0
/* Where the bytes of an image are: that part of the face. */
import type { ImageSize } from "../images/index.ts";

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
