// SPDX-License-Identifier: Apache-2.0
/* What a push leaves for the next machine: the repository's memo of the layers of wheels in it. */
import { isTareError } from "../base/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import type { MemoAdditions, PushedLayer, RemoteRepository, WheelMemo } from "../images/index.ts";
import type { NotedBase, WheelLayerFacts } from "../python/index.ts";
import type { LongCall } from "./facade.ts";
import type { Rooms } from "./rooms.ts";

/** What was pushed, and what is known besides. */
export interface SharedWheels {
  readonly layers: readonly PushedLayer[];
  /** The memo as it was read before, undefined for one that can't be read; absent: it is read now. */
  readonly memo?: WheelMemo | undefined;
  readonly additions?: MemoAdditions;
}

/**
 * Writes into a repository's memo what it does not know yet. The push is done then: a registry that refuses the memo
 * costs a warning.
 */
export async function shareWheels(
  rooms: Rooms,
  target: RemoteRepository,
  shared: SharedWheels & LongCall,
): Promise<void> {
  const { listener, signal } = shared;
  const made = await madeOfWheels(rooms, shared.layers);
  const bases = made.length > 0 && !shared.additions ? await basesBelow(rooms, shared.layers) : [];
  const additions = shared.additions ?? { layers: [], bases };
  const keys = new Set(made.map(({ key }) => key));
  const layers = [...made, ...additions.layers.filter(({ key }) => !keys.has(key))];
  if (layers.length === 0 && additions.bases.length === 0) return;
  if ("memo" in shared && shared.memo === undefined) return;
  const { addToMemo, readWheelMemo, writeWheelMemo } = await import("../images/index.ts");
  const call = signal === undefined ? {} : { signal };
  try {
    const memo = shared.memo ?? (await readWheelMemo(target, call));
    const next = addToMemo(memo, { layers, bases: additions.bases });
    if (next !== memo) await writeWheelMemo(target, next, call);
  } catch (error) {
    if (!isTareError(error) || error.code === "E_ABORTED") throw error;
    const message = `the image is pushed, the memo of its wheel layers is not: ${error.message}`;
    listener?.({ kind: "warning", rule: "WheelMemo", message, at: Date.now() });
  }
}

/** Images of the store that were looked at as bases, and that the pushed layers stand on. */
async function basesBelow(rooms: Rooms, pushed: readonly PushedLayer[]): Promise<readonly NotedBase[]> {
  const { knownBase } = await import("../python/index.ts");
  const store = rooms.writer();
  return store.images.list().flatMap((record): NotedBase[] => {
    const facts = knownBase(store, record.id);
    if (!facts) return [];
    const { diffIds } = store.contentOf(record);
    const isBelow = diffIds.length > 0 && diffIds.every((diffId, index) => pushed[index]?.diffId === diffId);
    return isBelow ? [{ id: record.id, facts }] : [];
  });
}

/** Facts of the layers that were made here from wheels and travel as gzip. */
async function madeOfWheels(rooms: Rooms, layers: readonly PushedLayer[]): Promise<readonly WheelLayerFacts[]> {
  const { wheelLayer } = await import("../python/index.ts");
  const store = rooms.writer();
  return layers.flatMap(({ diffId, blob }): WheelLayerFacts[] => {
    const key = wheelLayer(store, diffId)?.key;
    const size = store.layers.facts(diffId)?.size;
    if (key === undefined || size === undefined || blob.mediaType !== MEDIA_TYPES.ociLayerGzip) return [];
    return [{ key, diffId, size, blob: { digest: blob.digest, size: blob.size } }];
  });
}
