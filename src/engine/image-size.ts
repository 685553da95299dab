// SPDX-License-Identifier: Apache-2.0
import { imageDetails, measureImage } from "../images/index.ts";
import type { ImageSize } from "../images/index.ts";
import { platformOf, requireImage } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** `image size`. */
export function sizeOfImage(
  rooms: Rooms,
  name: string,
  { platform, signal }: { readonly platform?: string; readonly signal?: AbortSignal } = {},
): ImageSize {
  const store = rooms.reader();
  const record = requireImage(store, name, "measuring the image");
  const details = imageDetails(store, record, platform === undefined ? undefined : platformOf(platform));
  return measureImage(store, details, signal);
}
