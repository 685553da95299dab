// SPDX-License-Identifier: Apache-2.0
import { imageDetails, measureImage } from "../images/index.ts";
import type { ImageSize } from "../images/index.ts";
import { requireImageTrees } from "./deferred.ts";
import { platformOf, requireImage } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** `image size`. */
export async function sizeOfImage(
  rooms: Rooms,
  name: string,
  { platform, signal }: { readonly platform?: string; readonly signal?: AbortSignal } = {},
): Promise<ImageSize> {
  const store = rooms.reader();
  const record = requireImage(store, name, "measuring the image");
  await requireImageTrees(rooms, record, signal === undefined ? {} : { signal });
  const details = imageDetails(store, record, platform === undefined ? undefined : platformOf(platform));
  return measureImage(store, details, signal);
}
