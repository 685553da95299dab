// SPDX-License-Identifier: Apache-2.0
import type { DiffId, Digest } from "../base/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { LongCall } from "./facade.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/**
 * Makes the trees of an image's deferred layers, before something reads its files; what is needed for that is loaded
 * only when there are any. Throws as `unpackDeferred` of the python room.
 */
export async function requireTrees(rooms: Rooms, diffIds: readonly Digest[], call: LongCall = {}): Promise<void> {
  const count = deferredCount(rooms.reader(), diffIds);
  if (count === 0) return;
  const { unpackDeferred } = await import("../python/index.ts");
  const place = { store: rooms.writer(), wheels: () => rooms.wheels() };
  const label = `unpack ${count} ${count === 1 ? "layer" : "layers"} of wheels`;
  await withVertex(call, label, () => unpackDeferred(place, diffIds, call.signal));
}

/** The same for the platforms of an image that are here. */
export async function requireImageTrees(
  rooms: Rooms,
  record: Pick<ImageRecord, "target" | "id">,
  call: LongCall = {},
): Promise<void> {
  await requireTrees(rooms, [...rooms.reader().contentOf(record).layers], call);
}

function deferredCount({ layers }: Store, diffIds: readonly (DiffId | Digest)[]): number {
  return [...new Set(diffIds)].filter((diffId) => !layers.get(diffId) && layers.facts(diffId)).length;
}
