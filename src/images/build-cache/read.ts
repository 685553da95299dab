// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { Once, Semaphore, TareError, digestOf } from "../../base/index.ts";
import type { DiffId, Digest } from "../../base/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { Store } from "../../store/index.ts";
import { IdleThreads } from "../layer-thread.ts";
import { receiveLayer } from "../receive-layer.ts";
import { TransferMemo } from "../transfer.ts";
import type { LayerBlob } from "../transfer.ts";
import { layersOfCache, parseCacheDocument, parseCacheManifest } from "./document.ts";
import type { CacheLayer } from "./document.ts";
import type { CacheSource } from "./sources.ts";

/** A layer as a cache has it. */
export interface CachedLayer extends CacheLayer {
  /** Absent: only its diffID is known. */
  readonly blob?: LayerBlob;
}

/** How a layer is brought. */
export interface BringOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (current: number, total: number) => void;
}

const LAYERS_AT_ONCE = 4;
const MOST_THREADS = 4;
const QUESTIONS_AT_ONCE = 16;

/** A cache that was read; its layers are fetched when they are asked for. */
export class ReadBuildCache {
  /** As the user named it. */
  readonly label: string;
  readonly #source: CacheSource;
  readonly #records: ReadonlyMap<Digest, readonly DiffId[]>;
  readonly #layers: ReadonlyMap<DiffId, CacheLayer & { readonly blob: Descriptor }>;
  readonly #slots = new Semaphore(LAYERS_AT_ONCE);
  readonly #threads = new IdleThreads();
  readonly #unpacking = new Semaphore(Math.min(MOST_THREADS, availableParallelism()));
  readonly #brought = new Once<void>();
  readonly #asking = new Semaphore(QUESTIONS_AT_ONCE);
  readonly #confirmed = new Once<void>();

  constructor(
    source: CacheSource,
    records: ReadonlyMap<Digest, readonly DiffId[]>,
    layers: ReadonlyMap<DiffId, CacheLayer & { readonly blob: Descriptor }>,
  ) {
    this.label = source.label;
    this.#source = source;
    this.#records = records;
    this.#layers = layers;
  }

  /** How many answers it has. */
  get size(): number {
    return this.#records.size;
  }

  /** What a step with this key made, lowest first. */
  find(key: Digest): readonly CachedLayer[] | undefined {
    return this.#records.get(key)?.map((diffId) => this.#layers.get(diffId) ?? { diffId });
  }

  /** All keys whose steps made exactly these layers. */
  keysOf(layers: readonly DiffId[]): readonly Digest[] {
    const wanted = layers.join();
    return [...this.#records].flatMap(([key, made]) => (made.join() === wanted ? [key] : []));
  }

  /** How it has a layer. */
  layerOf(diffId: DiffId): (CacheLayer & { readonly blob: LayerBlob }) | undefined {
    return this.#layers.get(diffId);
  }

  /** Opens a blob that it has. */
  open(digest: Digest, signal?: AbortSignal): (() => AsyncIterable<Uint8Array>) | undefined {
    const blob = [...this.#layers.values()].find((layer) => layer.blob.digest === digest)?.blob;
    return blob && (() => this.#source.open(blob, signal));
  }

  /** Remembers where a layer can be mounted from. */
  noteSeen(store: Store, diffId: DiffId): void {
    const { remote } = this.#source;
    const blob = this.#layers.get(diffId)?.blob;
    if (remote && blob) new TransferMemo(store).seen(blob.digest, remote);
  }

  /**
   * Brings a layer into the store. Throws `E_BLOB_MISSING` for one that it lacks, `E_DIGEST_MISMATCH` when it is another
   * than was said, `E_REGISTRY*`, what unpacking throws, and `E_ABORTED`.
   */
  bring(store: Store, diffId: DiffId, options: BringOptions): Promise<void> {
    return this.#brought.run(diffId, () => this.#slots.run(() => this.#receive(store, diffId, options)));
  }

  async #receive(store: Store, diffId: DiffId, { signal, onProgress }: BringOptions): Promise<void> {
    const layer = this.#layers.get(diffId);
    if (layer === undefined) throw missing(diffId, this.label);
    const { blob } = layer;
    requireRoom(store, blob, this.label);
    await receiveLayer({
      store,
      descriptor: blob,
      diffId,
      fetch: (target, stop) => this.#source.fetch(target, stop),
      distrust: () => this.#source.distrust(blob.digest),
      onProgress: (received) => onProgress?.(received, blob.size),
      threads: { idle: this.#threads, limit: this.#unpacking, signal },
    });
  }

  /** Throws `E_BLOB_MISSING`, `E_DIGEST_MISMATCH`, `E_REGISTRY*` unless a layer is there as it was said. */
  confirm(diffId: DiffId, signal: AbortSignal): Promise<void> {
    const blob = this.layerOf(diffId)?.blob;
    if (blob === undefined) throw missing(diffId, this.label);
    return this.#confirmed.run(diffId, () => this.#asking.run(() => this.#source.confirm(blob, signal)));
  }

  /** Ends its threads. */
  close(): void {
    this.#threads.close();
  }
}

function missing(diffId: DiffId, label: string): TareError {
  return new TareError("E_BLOB_MISSING", `fetching layer \`${diffId}\`: the build cache \`${label}\` lacks it`);
}

/** Whether it is a lie or the disk is small: the step may do with less. */
function requireRoom(store: Store, { digest, size }: Descriptor, label: string): void {
  const free = store.freeSpace();
  if (size <= free) return;
  const doing = `fetching \`${digest}\` of the build cache \`${label}\``;
  throw new TareError("E_BLOB_MISSING", `${doing}: it has ${size} bytes, the store's disk has room for ${free}`);
}

/**
 * Reads a cache: two small documents. Undefined when there is none yet. Throws `E_MANIFEST` for what is no cache,
 * `E_DIGEST_MISMATCH`, `E_REGISTRY*`.
 */
export async function readBuildCache(source: CacheSource, signal: AbortSignal): Promise<ReadBuildCache | undefined> {
  const text = await source.manifest(signal);
  if (text === undefined) return undefined;
  const { label } = source;
  const manifest = parseCacheManifest(text, label);
  const document = parseCacheDocument(await documentText(source, manifest.config, signal), label);
  const records = new Map(document.records.map(({ key, layers }) => [key, layers]));
  return new ReadBuildCache(source, records, layersOfCache(manifest, document, label));
}

async function documentText(source: CacheSource, { digest, size }: Descriptor, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source.open({ digest, size }, signal)) {
    // A reader may use its buffer again.
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > size) break;
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === size && digestOf(bytes) === digest) return bytes.toString("utf8");
  throw new TareError("E_DIGEST_MISMATCH", `reading the build cache \`${source.label}\`: its document is another one`, {
    details: { expected: digest, actual: digestOf(bytes) },
  });
}
