// SPDX-License-Identifier: Apache-2.0
/*
 * The trees of deferred layers. A layer of wheels is measured when it is built: its diffID, its sizes, and the note of
 * what it is made of are all that a build, a push and the next image on top need. Its files are made here, when
 * something looks at them.
 */
import { TareError } from "../../base/index.ts";
import { installWheels } from "./install-wheels.ts";
import { wheelLayer, wheelsOfLayer } from "./layer-source.ts";
import type { Digest } from "../../base/index.ts";
import type { LayerFacts, Store } from "../../store/index.ts";
import type { WheelStore } from "../types.ts";

/** What deferred layers are made with. */
export interface DeferredPlace {
  readonly store: Store;
  readonly wheels: () => Promise<WheelStore>;
}

/** Which of the layers have no tree yet. */
export function deferredLayers(store: Store, diffIds: readonly Digest[]): readonly LayerFacts[] {
  const deferred = [...new Set(diffIds)].filter((diffId) => store.layers.get(diffId) === undefined);
  return deferred.flatMap((diffId) => store.layers.facts(diffId) ?? []);
}

/**
 * Makes the trees of those of the layers that have none, several at the same time; nothing when all are there. Wheels
 * that have gone are fetched again. Throws as `installWheels` and `WheelStore.require`, `E_STORE_DAMAGED`, `E_NOSPACE`.
 */
export async function unpackDeferred(
  place: DeferredPlace,
  diffIds: readonly Digest[],
  signal?: AbortSignal,
): Promise<void> {
  const layers = deferredLayers(place.store, diffIds);
  if (layers.length === 0) return;
  const size = layers.reduce((sum, { contentSize }) => sum + contentSize, 0);
  place.store.requireSpace(size, "unpacking layers of wheels");
  const settled = await Promise.allSettled(layers.map((layer) => unpackOne(place, layer, signal)));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}

async function unpackOne({ store, wheels }: DeferredPlace, facts: LayerFacts, signal?: AbortSignal): Promise<void> {
  const recipe = wheelLayer(store, facts.diffId);
  if (!recipe) throw damaged(facts, "nothing says what it is made of");
  const files = await wheelsOfLayer(store, await wheels(), recipe, signal);
  const staging = store.layers.stage();
  try {
    const { size } = await installWheels(files, staging.tree, recipe.settings, signal);
    if (size !== facts.contentSize) throw damaged(facts, `its files have ${size} bytes, not ${facts.contentSize}`);
    staging.commit(facts);
  } catch (error) {
    staging.discard();
    throw error;
  }
}

function damaged({ diffId }: LayerFacts, why: string): TareError {
  return new TareError("E_STORE_DAMAGED", `unpacking layer \`${diffId}\`: ${why}`, {
    hint: "build the image again with `--no-cache`",
  });
}
