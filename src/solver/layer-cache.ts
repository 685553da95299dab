// SPDX-License-Identifier: Apache-2.0
import { parseDiffId } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** The layers that a step with this key made before, when all are still there. */
export function cachedLayers(store: Store, key: Digest): readonly DiffId[] | undefined {
  const record = store.cache.get(key);
  if (typeof record !== "object" || record === null || !("layers" in record)) return undefined;
  if (!Array.isArray(record.layers)) return undefined;
  const layers = record.layers.map((layer) => parseDiffId(String(layer)));
  return layers.every((layer) => store.layers.facts(layer)) ? layers : undefined;
}

/** Remembers what a step made. */
export function rememberLayers(store: Store, key: Digest, layers: readonly DiffId[]): void {
  store.cache.put(key, { layers }, layers);
}
