// SPDX-License-Identifier: Apache-2.0
import type { Store } from "../store/index.ts";
import type { WheelStore } from "../python/index.ts";
import type { WheelLayers } from "./compress-layer.ts";

/** The layers of a store that are made of wheels. What reads wheels is loaded when a layer has to be made. */
export function wheelLayersOf(store: Store, wheels: () => Promise<WheelStore>): WheelLayers {
  const python = (): Promise<typeof import("../python/index.ts")> => import("../python/index.ts");
  return {
    has: async (diffId) => (await python()).wheelLayer(store, diffId) !== undefined,
    open: async (diffId, signal) => {
      const { openLayerSource, wheelLayer } = await python();
      if (wheelLayer(store, diffId) === undefined) return undefined;
      return openLayerSource(store, await wheels(), diffId, signal);
    },
    unpack: async (diffIds, signal) => (await python()).unpackDeferred({ store, wheels }, diffIds, signal),
    files: async (diffId, signal) => {
      const { wheelLayer, wheelsOfLayer } = await python();
      const layer = wheelLayer(store, diffId);
      if (layer === undefined) return undefined;
      return { wheels: await wheelsOfLayer(store, await wheels(), layer, signal), settings: layer.settings };
    },
  };
}
