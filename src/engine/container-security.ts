// SPDX-License-Identifier: Apache-2.0
import { containerSecurity, imageSecurity } from "../containers/index.ts";
import type { SecurityReport } from "../containers/index.ts";
import { configFor } from "./containers.ts";
import { requireImage } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** What a container may do, or one of an image. Throws `E_CONTAINER_NOTFOUND`, `E_IMAGE_NOTFOUND`. */
export async function security(rooms: Rooms, name: string, of: "container" | "image"): Promise<SecurityReport> {
  const context = await rooms.containersToRead();
  if (of === "container") return containerSecurity(context, name);
  const store = rooms.reader();
  const record = requireImage(store, name, "inspecting");
  const { id, config } = await configFor(store, record, undefined);
  const { target } = record;
  const diffIds = config.rootfs.diff_ids;
  return imageSecurity(context, { reference: name, id, target, diffIds, defaults: config.config ?? {} });
}
