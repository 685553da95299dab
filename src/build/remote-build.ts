// SPDX-License-Identifier: Apache-2.0
/*
 * A build whose only output is a push does without what the registry has: layers of wheels that somebody made before,
 * and layers of a base whose files nothing asks for.
 *
 *   key of a step ─▶ this store ─▶ the lock ─▶ the repository's memo ─▶ HEAD of the blob ─▶ layer without content
 *
 * What the last two say are claims. A wrong diffID or blob is refused where the image is unpacked, since runtimes
 * compare the content with the config's diffIDs; a blob that is not there, or of another size, is not used; and a layer
 * that has to be made after all is compared with what was said of it.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Semaphore, TareError, canonicalJson, ensureDirectory, hexOf, isTareError, fileChunks } from "../base/index.ts";
import { NO_MEMO, TransferMemo, readWheelMemo } from "../images/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { findBaseFacts, knownLayer, noteBase, noteClaim, unpackDeferred } from "../python/index.ts";
import { TreeView } from "../store/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type {
  AbsentBlobs,
  LayerBlob,
  MemoAdditions,
  RemoteRepository,
  TransferOutcome,
  WheelMemo,
} from "../images/index.ts";
import type { BaseFacts, NotedBase, WheelLayerFacts } from "../python/index.ts";
import type { BlobWriter, BuildListener, KnownBlobWriter, RemoteLayer, RemoteLayers } from "../solver/index.ts";
import type { Lease, Store } from "../store/index.ts";
import type { BuildPlace } from "./run-build.ts";
import type { ResolvedImage } from "./types.ts";

/** What a build that is only pushed is opened with. */
export interface RemoteBuildOptions {
  readonly store: Store;
  /** Where the image goes; a layer must be in all of them. */
  readonly targets: readonly RemoteRepository[];
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** An image of a registry of which the store has manifest and config. */
export interface RemoteBase {
  readonly image: ResolvedImage;
  readonly layers: readonly RemoteLayer[];
  /** The bytes of one of its blobs. */
  readonly open: (blob: Pick<LayerBlob, "digest" | "size">, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Pulls all of it. */
  readonly pull: () => Promise<void>;
}

const QUESTIONS = 16;
const UPLOADS = 6;

/** What a build knows of the registry that it pushes to. */
export class RemoteBuild implements RemoteLayers {
  readonly targets: readonly RemoteRepository[];
  readonly #options: RemoteBuildOptions;
  readonly #memos: readonly Promise<WheelMemo | undefined>[];
  readonly #asking = new Semaphore(QUESTIONS);
  readonly #bases = new Map<Digest, RemoteBase>();
  readonly #brought = new Map<Digest, Promise<void>>();
  readonly #claimedBases = new Map<Digest, BaseFacts>();
  readonly #usedBases = new Map<Digest, NotedBase>();
  readonly #used = new Map<Digest, WheelLayerFacts>();
  readonly #seen = new Set<Digest>();
  /** Files of blobs that were made for the registry alone. */
  readonly #made = new Map<Digest, string>();
  /** What became of blobs that were sent early, by target. */
  readonly #sent = new Map<string, Promise<TransferOutcome | undefined>>();
  readonly #sending = new Semaphore(UPLOADS);
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  #locked: ReadonlyMap<Digest, WheelLayerFacts> = new Map();

  /** Asks for the memos at once; the answers are awaited when they are needed. */
  constructor(options: RemoteBuildOptions) {
    this.#options = options;
    this.targets = options.targets;
    this.#memos = options.targets.map((target) => this.#read(target));
    // A build that fails first never asks for them.
    for (const memo of this.#memos) memo.catch(() => undefined);
  }

  /** The memo that a target had when the build began; undefined for one that can't be read: it is left alone. */
  async memoOf(target: RemoteRepository): Promise<WheelMemo | undefined> {
    return this.#memos[this.targets.indexOf(target)];
  }

  /** Facts of the project's lock. */
  addLocked(facts: ReadonlyMap<Digest, WheelLayerFacts>): void {
    this.#locked = facts;
  }

  async wheels(key: Digest): Promise<RemoteLayer | undefined> {
    const { store } = this.#options;
    const known = knownLayer(store, key);
    const proved = known?.isClaim === false ? known.diffId : undefined;
    for (const claim of await this.#claims(key)) {
      if ((proved !== undefined && claim.diffId !== proved) || !(await this.#isThere(claim))) continue;
      noteClaim(store, claim);
      this.#used.set(key, claim);
      return { diffId: claim.diffId, blob: { ...claim.blob, mediaType: MEDIA_TYPES.ociLayerGzip } };
    }
    return undefined;
  }

  async takeLocked(key: Digest, write: KnownBlobWriter): Promise<RemoteLayer | undefined> {
    const { store } = this.#options;
    const claim = this.#locked.get(key);
    const known = knownLayer(store, key);
    if (claim === undefined || (known?.isClaim === false && known.diffId !== claim.diffId)) return undefined;
    const path = this.#pathOf(key);
    const { digest, size, diffIdSize } = await write(path);
    if (digest !== claim.blob.digest || diffIdSize !== claim.size) {
      fs.rmSync(path);
      return undefined;
    }
    const blob = { digest, size, mediaType: MEDIA_TYPES.ociLayerGzip };
    this.#announce(blob, path);
    noteClaim(store, claim);
    this.#used.set(key, claim);
    return { diffId: claim.diffId, blob };
  }

  use(facts: WheelLayerFacts): void {
    this.#used.set(facts.key, facts);
  }

  #pathOf(key: Digest): string {
    this.#lease ??= this.#options.store.lease();
    ensureDirectory(this.#lease.folder);
    return join(this.#lease.folder, `blob-${hexOf(key)}`);
  }

  async take(key: Digest, write: BlobWriter): Promise<DiffId> {
    const path = this.#pathOf(key);
    let blob: LayerBlob | undefined;
    const { diffId, size } = await write(path, (written) => {
      const { digest, size: length } = written;
      blob = { digest, size: length, mediaType: MEDIA_TYPES.ociLayerGzip };
      this.#announce(blob, path);
    });
    if (blob === undefined) throw new Error(`${diffId}: no blob was written`);
    new TransferMemo(this.#options.store).setBlob(diffId, "gzip", blob);
    this.#used.set(key, { key, diffId, size, blob: { digest: blob.digest, size: blob.size } });
    return diffId;
  }

  /** A blob that is written whole is on its way before the rest is known of it: without a manifest nobody sees it. */
  #announce(blob: LayerBlob, path: string): void {
    this.#made.set(blob.digest, path);
    for (const target of this.targets) this.#sent.set(placeOf(target, blob.digest), this.#send(target, blob, path));
  }

  /** Sends a blob while other layers are still made; undefined when it can't: the push tries again and says why. */
  async #send(target: RemoteRepository, blob: LayerBlob, path: string): Promise<TransferOutcome | undefined> {
    const { client, repository } = target;
    const call = { signal: this.#stop.signal };
    try {
      const isThere = await this.#asking.run(() =>
        client.headBlob(repository, blob.digest, { forPush: true, ...call }),
      );
      if (isThere) return "exists";
      const from = new TransferMemo(this.#options.store).mountsFor(blob.digest, target);
      const open = (): AsyncIterable<Uint8Array> => fileChunks(path);
      const { digest, size } = blob;
      const upload = { digest, size, open, mount: { digest, size, from } };
      const { how } = await this.#sending.run(() => client.pushBlob(repository, upload, call));
      return how === "mounted" ? "mounted" : "pushed";
    } catch {
      return undefined;
    }
  }

  /** Call it when the image is pushed, or won't be: what was made for the registry alone goes. */
  close(): void {
    this.#stop.abort();
    this.#lease?.release();
  }

  /** In the order of trust. */
  async #claims(key: Digest): Promise<readonly WheelLayerFacts[]> {
    const memos = await Promise.all(this.#memos);
    const found = [this.#own(key), this.#locked.get(key), ...memos.map((memo) => memo?.layers.get(key))];
    return found.filter((claim) => claim !== undefined);
  }

  /** What this store made once and has pushed. */
  #own(key: Digest): WheelLayerFacts | undefined {
    const { store } = this.#options;
    const known = knownLayer(store, key);
    if (!known || known.isClaim) return undefined;
    const blob = new TransferMemo(store).blobOf(known.diffId, "gzip");
    return blob && { key, diffId: known.diffId, size: known.size, blob: { digest: blob.digest, size: blob.size } };
  }

  /** Every target has the blob, with the size that was said. */
  async #isThere({ blob }: WheelLayerFacts): Promise<boolean> {
    if (this.#seen.has(blob.digest)) return true;
    const call = { forPush: true, ...this.#call() };
    const answers = await Promise.all(
      this.targets.map(({ client, repository }) =>
        this.#asking.run(() => client.headBlob(repository, blob.digest, call)),
      ),
    );
    const isThere = answers.every((answer) => answer && (answer.size === undefined || answer.size === blob.size));
    if (isThere) this.#seen.add(blob.digest);
    return isThere;
  }

  /** Remembers an image whose layers are fetched when something needs them. */
  addBase(base: RemoteBase): ResolvedImage {
    this.#bases.set(base.image.manifest, base);
    return base.image;
  }

  image(manifest: Digest): readonly RemoteLayer[] {
    return this.#bases.get(manifest)?.layers ?? [];
  }

  bring(manifest: Digest): Promise<void> {
    const known = this.#brought.get(manifest);
    if (known) return known;
    const brought = this.#bring(manifest);
    this.#brought.set(manifest, brought);
    return brought;
  }

  async #bring(manifest: Digest): Promise<void> {
    const base = this.#bases.get(manifest);
    if (!base) return;
    await base.pull();
    const { store } = this.#options;
    const { id, name, config } = base.image;
    if (config.rootfs.diff_ids.some((diffId) => !store.layers.facts(diffId))) {
      throw new TareError("E_IMAGE_NOTFOUND", `pulling \`${name}\`: its name stands for another image by now`, {
        hint: "build again",
      });
    }
    const claimed = this.#claimedBases.get(id);
    if (!claimed) return;
    const facts = baseFactsOf(store, base.image);
    noteBase(store, id, facts);
    if (canonicalJson(facts) !== canonicalJson(claimed)) throw wrongBase(name);
  }

  /** What the targets' memos say of a base that is not here. */
  async base({ id, config }: ResolvedImage): Promise<BaseFacts | undefined> {
    const memos = await Promise.all(this.#memos);
    const facts = memos.map((memo) => memo?.bases.get(id)?.facts).find((found) => found !== undefined);
    if (facts === undefined || facts.target.architecture !== config.architecture) return undefined;
    this.#claimedBases.set(id, facts);
    return facts;
  }

  /** Remembers a base that the image stands on, for the memo. */
  useBase(base: NotedBase): void {
    this.#usedBases.set(base.id, base);
  }

  /** What the memo of a target should know after the push, besides the layers that were made here. */
  additions(): MemoAdditions {
    return { layers: [...this.#used.values()], bases: [...this.#usedBases.values()] };
  }

  /** For the push to a target. */
  absent(target: RemoteRepository): AbsentBlobs {
    return {
      seen: this.#seen,
      sent: async (digest) => this.#sent.get(placeOf(target, digest)),
      open: (blob, signal) => this.#open(blob, signal),
    };
  }

  #open(...[blob, signal]: Parameters<AbsentBlobs["open"]>): ReturnType<AbsentBlobs["open"]> {
    const path = this.#made.get(blob.digest);
    if (path !== undefined) return () => fileChunks(path);
    const base = [...this.#bases.values()].find(({ layers }) =>
      layers.some((each) => each.blob.digest === blob.digest),
    );
    return base && (() => base.open(blob, signal));
  }

  /** The same for another place than the targets: what they have is read from there. */
  openFor(...[blob, signal]: Parameters<AbsentBlobs["open"]>): ReturnType<AbsentBlobs["open"]> {
    const own = this.#open(blob, signal);
    const [target] = this.targets;
    if (own || !target || !this.#seen.has(blob.digest)) return own;
    return () => target.client.openBlob(target.repository, blob, signal === undefined ? {} : { signal });
  }

  /** A memo that can't be read saves nothing, and ends no build: whether the registry takes the image is seen then. */
  async #read(target: RemoteRepository): Promise<WheelMemo | undefined> {
    try {
      return await readWheelMemo(target, this.#call());
    } catch (error) {
      if (!isTareError(error) || error.code === "E_ABORTED") throw error;
      if (isRefusal(error)) return NO_MEMO;
      const message = `${error.message}; layers of wheels are made here, and the memo is left as it is`;
      this.#options.listener?.({ kind: "warning", rule: "WheelMemo", message, at: Date.now() });
      return undefined;
    }
  }

  #call(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }
}

function placeOf({ client, repository }: RemoteRepository, digest: Digest): string {
  return `${client.domain}/${repository}@${digest}`;
}

/** Many registries say so of a repository that does not exist yet. */
function isRefusal({ code }: TareError): boolean {
  return code === "E_REGISTRY_AUTH" || code === "E_REGISTRY_DENIED";
}

/** Makes an image's files be here: layers that are not are fetched, deferred ones unpacked. */
export async function bringBase(
  { store, wheels, remote }: Pick<BuildPlace, "store" | "wheels" | "remote">,
  { manifest, config }: ResolvedImage,
): Promise<void> {
  await remote?.bring(manifest);
  await unpackDeferred({ store, wheels }, config.rootfs.diff_ids);
}

/** Looks at an image whose layers are here. Throws `E_PYTHON_NOTFOUND`, `E_LAYER_MISSING`. */
export function baseFactsOf(store: Store, { config }: ResolvedImage): BaseFacts {
  const tree = new TreeView(store.layers.getAll(config.rootfs.diff_ids));
  return findBaseFacts(tree, { env: config.config?.Env ?? [], architecture: config.architecture });
}

function wrongBase(name: string): TareError {
  return new TareError("E_LAYER_CLAIM", `building on \`${name}\`: it is not what the registry's memo said of it`, {
    hint: "the base is here now and counts: build again",
  });
}
