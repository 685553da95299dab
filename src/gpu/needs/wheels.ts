// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { Semaphore, isTareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { BlobInfo, Store } from "../../store/index.ts";
import type { GpuPackage } from "../types.ts";
import { packageByName } from "./distribution.ts";
import { wheelMemo } from "./memo.ts";
import type { WheelNeeds } from "./memo.ts";
import { isRuntime } from "./metadata.ts";
import type { GpuWheel, NeedsOptions } from "./types.ts";
import { needsOfWheelFile } from "./wheel-file.ts";

/** A thread takes 30 ms and 20 MB: below this size of a wheel there is less to gain. */
const THREAD_FROM = 16 << 20;
const MOST_THREADS = 4;

/**
 * What wheels need of GPUs, in their order; those that use none are left out. A wheel in the store is read once and
 * remembered by its digest, large ones at the same time; of one that is not there only its name can tell. Throws
 * `E_ABORTED`.
 */
export async function needsOfWheels(
  store: Store,
  wheels: readonly GpuWheel[],
  options: NeedsOptions = {},
): Promise<readonly GpuPackage[]> {
  const read = new WheelReader(store, options);
  const found = await read.all(wheels.flatMap(({ digest }) => digest ?? []));
  const packages = wheels.flatMap(({ name, version, digest }): readonly GpuPackage[] => {
    const known = digest === undefined ? undefined : found.get(digest);
    const one = known === undefined ? packageByName(name, version) : known;
    return one ? [one] : [];
  });
  return withRuntime(packages);
}

/** torch asks for one runtime exactly: that which stands beside it in a lock is it. */
function withRuntime(packages: readonly GpuPackage[]): readonly GpuPackage[] {
  const [runtime] = packages.flatMap(({ name, cuda }) => (isRuntime(name) && cuda !== undefined ? [cuda] : []));
  if (runtime === undefined) return packages;
  return packages.map((one) => {
    return one.name === "torch" && one.cuda === undefined && !one.version.includes("+")
      ? { ...one, cuda: runtime, source: "wheel" }
      : one;
  });
}

/** Reads wheels of a store, those that were not read before. */
class WheelReader {
  readonly #store: Store;
  readonly #options: NeedsOptions;
  readonly #memo: ReturnType<typeof wheelMemo>;
  readonly #threads = new Semaphore(Math.min(availableParallelism(), MOST_THREADS));

  constructor(store: Store, options: NeedsOptions) {
    this.#store = store;
    this.#options = options;
    this.#memo = wheelMemo(store);
  }

  /** By digest; wheels that are not here or can't be read are left out. Ends when all have ended, also after a failure. */
  async all(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, WheelNeeds>> {
    const found = new Map<Digest, WheelNeeds>();
    const unread: BlobInfo[] = [];
    for (const digest of new Set(digests)) {
      const known = this.#memo.get(digest);
      const blob = known === undefined ? this.#store.blobs.stat(digest) : undefined;
      if (known !== undefined) found.set(digest, known);
      else if (blob) unread.push(blob);
    }
    const largestFirst = unread.toSorted((a, b) => b.size - a.size);
    const settled = await Promise.allSettled(largestFirst.map((blob) => this.#one(blob, largestFirst.length > 1)));
    for (const result of settled) if (result.status === "rejected") throw result.reason;
    for (const { digest } of unread) {
      const needs = this.#memo.get(digest);
      if (needs !== undefined) found.set(digest, needs);
    }
    return found;
  }

  async #one({ digest, size }: BlobInfo, areSeveral: boolean): Promise<void> {
    const needs = await this.#threads.run(() => this.#read(digest, areSeveral && size >= THREAD_FROM));
    if (needs !== undefined) this.#memo.put(digest, needs);
  }

  async #read(digest: Digest, isOnThread: boolean): Promise<WheelNeeds | undefined> {
    const path = this.#store.blobs.path(digest);
    this.#options.signal?.throwIfAborted();
    try {
      if (!isOnThread) return (await needsOfWheelFile(path, this.#options)) ?? null;
      return await (await import("./wheel-thread.ts")).needsOnThread(path, this.#options);
    } catch (error) {
      // A damaged archive is the installer's to refuse; here nobody can tell what is in it.
      if (isTareError(error) && /^E_ZIP|^E_BOMB$/.test(error.code)) return undefined;
      throw error;
    }
  }
}
