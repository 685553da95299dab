// SPDX-License-Identifier: Apache-2.0
/* The build caches that a build may use, in the order in which the user named them. */
import { TareError, isTareError, messageOf } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { AbsentBlobs, CachedLayer, ReadBuildCache } from "../images/index.ts";
import type { BuildListener, ImportedSteps } from "../solver/index.ts";
import type { Store } from "../store/index.ts";

/** What caches are used with. */
export interface ImportedCachesOptions {
  readonly store: Store;
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** A cache that promised so often what it does not have is not asked any more. */
const MOST_BROKEN = 3;

/** Caches as the steps of a build see them. */
export class ImportedCaches implements ImportedSteps {
  readonly #caches: ReadBuildCache[];
  readonly #options: ImportedCachesOptions;
  readonly #forgotten = new Set<Digest>();
  /** Keys that a step was answered by, and by whom. */
  readonly #used = new Map<Digest, ReadBuildCache>();
  readonly #broken = new Map<ReadBuildCache, number>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(caches: readonly ReadBuildCache[], options: ImportedCachesOptions) {
    this.#caches = [...caches];
    this.#options = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  find(key: Digest): readonly CachedLayer[] | undefined {
    if (this.#forgotten.has(key)) return undefined;
    const answers = this.#caches.map((cache) => ({ cache, layers: cache.find(key) }));
    const known = answers.filter(({ layers }) => layers !== undefined);
    // One that has the layers is better than one that only knows them.
    const best = known.find(({ layers }) => layers?.every(({ blob }) => blob !== undefined)) ?? known[0];
    if (best?.layers === undefined) return undefined;
    this.#used.set(key, best.cache);
    for (const { diffId } of best.layers) best.cache.noteSeen(this.#options.store, diffId);
    return best.layers;
  }

  async bring(diffId: DiffId, { signal, onProgress }: Parameters<ImportedSteps["bring"]>[1]): Promise<void> {
    const cache = this.#caches.find((each) => each.layerOf(diffId));
    if (cache === undefined) {
      throw new TareError("E_BLOB_MISSING", `fetching layer \`${diffId}\`: no build cache has it`);
    }
    // It goes on when the graph is solved again meanwhile.
    const brought = cache.bring(this.#options.store, diffId, { signal: this.#signal, onProgress });
    await Promise.race([brought, untilAborted(signal)]);
  }

  async confirm(diffId: DiffId): Promise<void> {
    const cache = this.#caches.find((each) => each.layerOf(diffId));
    await cache?.confirm(diffId, this.#signal);
  }

  /** Those of the layers that are where the caches say, or that no cache speaks of. */
  async confirmed(layers: readonly DiffId[]): Promise<ReadonlySet<DiffId>> {
    const asked = layers.map(async (diffId) => {
      try {
        await this.confirm(diffId);
        return [diffId];
      } catch (error) {
        if (this.#signal.aborted || !isTareError(error)) throw error;
        return [];
      }
    });
    return new Set((await Promise.all(asked)).flat());
  }

  forget(key: Digest, why?: unknown): void {
    this.#forgotten.add(key);
    const cache = this.#used.get(key);
    if (why === undefined || cache === undefined || !this.#caches.includes(cache)) return;
    const count = (this.#broken.get(cache) ?? 0) + 1;
    this.#broken.set(cache, count);
    if (count === 1) this.#warn(`${messageOf(why)}; its step runs here`);
    if (count < MOST_BROKEN) return;
    this.#caches.splice(this.#caches.indexOf(cache), 1);
    cache.close();
  }

  /** Other keys that the caches have for what a step made. */
  keysOf(layers: readonly DiffId[]): readonly Digest[] {
    return this.#caches.flatMap((cache) => cache.keysOf(layers)).filter((key) => !this.#forgotten.has(key));
  }

  /** How a cache has a layer. */
  layerOf(diffId: DiffId): ReturnType<ReadBuildCache["layerOf"]> {
    return this.#caches.map((cache) => cache.layerOf(diffId)).find((layer) => layer !== undefined);
  }

  /** Opens a blob of a cache, for a push. */
  readonly open: AbsentBlobs["open"] = (blob, signal) =>
    this.#caches.map((cache) => cache.open(blob.digest, signal)).find((open) => open !== undefined);

  /** Stops what is still fetched. */
  close(): void {
    this.#stop.abort();
    for (const cache of this.#caches) cache.close();
  }

  #warn(message: string): void {
    this.#options.listener?.({ kind: "warning", rule: "BuildCache", message, at: Date.now() });
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void =>
      reject(new TareError("E_ABORTED", "fetching a layer of a build cache: interrupted", { exitCode: 130 }));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
