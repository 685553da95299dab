// SPDX-License-Identifier: Apache-2.0
import { cacheKey } from "../graph/index.ts";
import { knownLayer, noteClaim } from "../python/index.ts";
import { cachedLayers } from "./layer-cache.ts";
import type { DiffId } from "../base/index.ts";
import type { StepContext } from "./types.ts";

/**
 * The layer that the project's lock names for a step of wheels, when it is here: it came with an image or a bundle. So
 * wheels need not be read nor compiled. The answer counts for builds of this lock alone, so it is no record of the build
 * cache; what this machine made itself goes before it.
 */
export function lockedLayer({ vertex, resources }: StepContext): DiffId | undefined {
  const { store, python, remote } = resources;
  // What is pushed is made of the wheels, so that it is the blob that others have.
  if (vertex.op.type !== "wheels" || vertex.ignoreCache || remote !== undefined) return undefined;
  const key = cacheKey(vertex, []);
  const fact = python.layerFacts?.get(key);
  if (!fact || store.layers.facts(fact.diffId)?.size !== fact.size) return undefined;
  const known = knownLayer(store, key);
  if (known?.isClaim === false || cachedLayers(store, key)) return undefined;
  noteClaim(store, fact);
  return fact.diffId;
}
