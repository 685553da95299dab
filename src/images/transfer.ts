// SPDX-License-Identifier: Apache-2.0
/* What push and pull have in common: whom they talk to, what they tell, what they remember. */
import { TareError } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { LayerCompression } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { DocumentStore, Store } from "../store/index.ts";

/** A repository of a registry. */
export interface RemoteRepository {
  readonly client: RegistryClient;
  /** `library/python`. */
  readonly repository: string;
}

/** What became of a blob: sent, fetched or both, there already, or mounted from another repository. */
export type TransferOutcome = "pushed" | "pulled" | "copied" | "exists" | "mounted";

/** How a push or pull gets on; `digest` names the layer (its diffID on a push) or config all the way. */
export type TransferEvent =
  | { readonly kind: "begin"; readonly digest: Digest; readonly what: "layer" | "config" }
  /** `total` is 0 while it is not known. */
  | { readonly kind: "progress"; readonly digest: Digest; readonly current: number; readonly total: number }
  | {
      readonly kind: "end";
      readonly digest: Digest;
      readonly outcome: TransferOutcome;
      readonly size: number;
      /** The repository that it was mounted from. */
      readonly from?: string;
    }
  | { readonly kind: "failed"; readonly digest: Digest; readonly message: string };

/** Receives events; must not throw. */
export type TransferListener = (event: TransferEvent) => void;

/** A layer as it travels. */
export interface LayerBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
}

interface Places {
  /** `domain/repository`, the latest last. */
  readonly places: readonly string[];
}

const MOST_PLACES = 8;
const MOST_MOUNTS = 2;

/** What earlier pushes and pulls found out. Losing it costs time only. */
export class TransferMemo {
  readonly #blobs: DocumentStore<LayerBlob>;
  readonly #places: DocumentStore<Places>;
  readonly #origins: DocumentStore<Places>;

  constructor(store: Store) {
    this.#blobs = store.documents("layer-blob", { lasting: false });
    this.#places = store.documents("blob-place", { lasting: false });
    this.#origins = store.documents("manifest-origin", { lasting: false });
  }

  /** The compressed form of a layer made here, when it was made before. */
  blobOf(diffId: DiffId, compression: LayerCompression): LayerBlob | undefined {
    return this.#blobs.get(`${compression}:${diffId}`);
  }

  setBlob(diffId: DiffId, compression: LayerCompression, blob: LayerBlob): void {
    const id = `${compression}:${diffId}`;
    const known = this.#blobs.get(id);
    if (known?.digest !== blob.digest) this.#blobs.put(id, blob);
  }

  /** Other repositories of the same registry where a blob was seen, the latest first. */
  mountsFor(digest: Digest, { client, repository }: RemoteRepository): readonly string[] {
    const prefix = `${client.domain}/`;
    const known = this.#places.get(digest)?.places ?? [];
    const same = known.filter((place) => place.startsWith(prefix)).map((place) => place.slice(prefix.length));
    return same
      .filter((name) => name !== repository)
      .slice(-MOST_MOUNTS)
      .toReversed();
  }

  /** Remembers that a repository has a blob. */
  seen(digest: Digest, remote: RemoteRepository): void {
    this.#note(this.#places, digest, remote);
  }

  /** Remembers that a manifest came from a registry as it is, so that a push does not change it. */
  setOrigin(manifest: Digest, remote: RemoteRepository): void {
    this.#note(this.#origins, manifest, remote);
  }

  hasOrigin(manifest: Digest): boolean {
    return this.#origins.get(manifest) !== undefined;
  }

  #note(documents: DocumentStore<Places>, digest: Digest, { client, repository }: RemoteRepository): void {
    const place = `${client.domain}/${repository}`;
    const known = documents.get(digest)?.places ?? [];
    if (known.includes(place)) return;
    documents.change(digest, (before) => ({ places: [...(before?.places ?? []), place].slice(-MOST_PLACES) }));
  }
}

/** Runs `work` for a blob and tells its end also when it fails. */
export async function telling<T>(listener: TransferListener, digest: Digest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    listener({ kind: "failed", digest, message: error instanceof TareError ? error.message : String(error) });
    throw error;
  }
}

/** How far a blob is, told at most some ten times a second. */
export function sometimes(tell: (current: number) => void): (current: number) => void {
  let last = 0;
  return (current) => {
    const at = Date.now();
    if (at - last < 100) return;
    last = at;
    tell(current);
  };
}

/** Work in parallel that ends as one. */
export interface Stoppable {
  /** Fires when the caller's does, and when a part fails. */
  readonly signal: AbortSignal;
  /**
   * As `Promise.all`, but a failure stops the others and is thrown when all have ended: nothing goes on in the
   * background.
   */
  readonly all: <T>(parts: readonly Promise<T>[]) => Promise<T[]>;
}

/** Lets parts stop one another. The error thrown is that of the part that failed first. */
export function stoppable(outer: AbortSignal | undefined): Stoppable {
  const control = new AbortController();
  const signal = outer === undefined ? control.signal : AbortSignal.any([outer, control.signal]);
  const all = async <T>(parts: readonly Promise<T>[]): Promise<T[]> => {
    for (const part of parts) part.catch((error: unknown) => control.abort(error));
    await Promise.allSettled(parts);
    if (control.signal.aborted) throw control.signal.reason;
    return Promise.all(parts);
  };
  return { signal, all };
}
