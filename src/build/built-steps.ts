// SPDX-License-Identifier: Apache-2.0
import type { DiffId, Digest } from "../base/index.ts";
import type { BuildCacheContent } from "../images/index.ts";
import { knownLayer } from "../python/index.ts";
import type { AbsentLayer, KeyedLayers } from "../solver/index.ts";
import type { Store } from "../store/index.ts";
import type { ImportedCaches } from "./imported-caches.ts";

type Records = BuildCacheContent["records"];

/** What the steps of a build made, for a cache that others read. */
export class BuiltSteps {
  readonly #made = new Map<string, { readonly layers: readonly DiffId[]; readonly keys: Set<Digest> }>();
  readonly #image = new Set<DiffId>();
  readonly #absent = new Map<DiffId, NonNullable<AbsentLayer["blob"]>>();

  /** Notes a step. */
  add({ layers, keys }: KeyedLayers): void {
    const id = layers.join();
    const known = this.#made.get(id) ?? { layers, keys: new Set() };
    this.#made.set(id, known);
    for (const key of keys) known.keys.add(key);
  }

  /** Forgets all steps: the graph is solved again. */
  clear(): void {
    this.#made.clear();
  }

  /** Notes the layers of an image that was built. */
  addImage(layers: readonly DiffId[], absent: ReadonlyMap<DiffId, AbsentLayer>): void {
    for (const layer of layers) this.#image.add(layer);
    for (const { diffId, blob } of absent.values()) if (blob) this.#absent.set(diffId, blob);
  }

  /** What a cache gets: all that is known of the steps, and the layers of the images (`min`) or of all steps (`max`). */
  async content(store: Store, mode: "min" | "max", imported: ImportedCaches | undefined): Promise<BuildCacheContent> {
    const made = new Set([...this.#made.values()].flatMap(({ layers }) => layers));
    const wanted = [...made].filter((layer) => mode === "max" || this.#image.has(layer)).toSorted();
    const lacked = wanted.filter((layer) => !store.layers.facts(layer));
    // Of those that only a cache has it is asked: what is not there is no reason for the new cache to fail.
    const there = imported ? await imported.confirmed(lacked) : new Set(lacked);
    const layers = lacked
      .filter((layer) => there.has(layer))
      .flatMap((layer) => imported?.layerOf(layer) ?? this.#elsewhere(store, layer) ?? []);
    const absent = new Map(layers.map((layer) => [layer.diffId, layer]));
    return { records: this.#records(store, made, imported), layers: wanted, absent };
  }

  /** How the registry that the image went to has a layer; of those of wheels this store knows the size. */
  #elsewhere(store: Store, diffId: DiffId): ReturnType<ImportedCaches["layerOf"]> {
    const blob = this.#absent.get(diffId);
    const known = [...(this.#made.get(diffId)?.keys ?? [])].map((key) => knownLayer(store, key));
    const size = known.find((layer) => layer?.diffId === diffId)?.size;
    return blob && { diffId, blob, ...(size === undefined ? {} : { size }) };
  }

  /** A step has several keys: this store and the caches may know others than this build asked for. */
  #records(store: Store, made: ReadonlySet<DiffId>, imported: Pick<ImportedCaches, "keysOf"> | undefined): Records {
    const own = store.cache.of(made);
    const records = [...this.#made].flatMap(([id, { layers, keys }]) => {
      const others = own.filter((record) => record.layers.join() === id).map(({ key }) => key);
      const all = new Set([...keys, ...others, ...(imported?.keysOf(layers) ?? [])]);
      return [...all].map((key) => ({ key, layers }));
    });
    return records.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }
}
