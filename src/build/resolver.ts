// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, suggest } from "../base/index.ts";
import {
  familiarReference,
  formatReference,
  imageIdPrefix,
  isIndex,
  normalizeReference,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectManifest,
  withDefaultTag,
} from "../oci/index.ts";
import type { Digest } from "../base/index.ts";
import type { Platform } from "../oci/index.ts";
import type { BuildListener } from "../solver/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { RemoteBase, RemoteBuild } from "./remote-build.ts";
import type { NamedContext, ResolvedImage, SourceResolver } from "./types.ts";

/** Fetches images from registries. */
export interface ImagePuller {
  /** `--pull`: the registry is asked also for what the store has. */
  readonly isForced: boolean;
  /**
   * Throws `E_IMAGE_NOTFOUND` when no registry has it or can be asked, unless it is forced. `listener` hears of it
   * instead of the build's own.
   */
  pull(reference: string, platform: Platform, listener?: BuildListener): Promise<ImageRecord>;
  /** Looks at an image without its layers. Throws as `pull`. */
  peek?(reference: string, platform: Platform): Promise<Omit<RemoteBase, "pull">>;
}

/** Finds images in the store or fetches them, and named contexts among those that were given. */
export class StoreResolver implements SourceResolver {
  readonly #store: Store;
  readonly #contexts: ReadonlyMap<string, NamedContext>;
  readonly #puller: ImagePuller | undefined;
  readonly #remote: RemoteBuild | undefined;

  /** `contexts` by name; image contexts are resolved by the caller. With `remote`, images are pulled when needed. */
  constructor(store: Store, contexts: ReadonlyMap<string, NamedContext>, puller?: ImagePuller, remote?: RemoteBuild) {
    this.#store = store;
    this.#contexts = contexts;
    this.#puller = puller;
    this.#remote = remote;
  }

  async image(reference: string, platform: Platform): Promise<ResolvedImage> {
    const record = this.#puller?.isForced ? undefined : findImage(this.#store, reference);
    if (record && this.#hasPlatform(record, platform)) return readImage(this.#store, record, reference, platform);
    if (this.#puller && imageIdPrefix(reference)?.length !== 64) {
      const peeked = await this.#peek(this.#puller, reference, platform);
      return peeked ?? readImage(this.#store, await this.#pull(this.#puller, reference, platform), reference, platform);
    }
    throw await this.#notFound(reference);
  }

  /** Manifest and config of an image whose layers may never be needed here. */
  async #peek(puller: ImagePuller, reference: string, platform: Platform): Promise<ResolvedImage | undefined> {
    if (!this.#remote || !puller.peek) return undefined;
    const found = await this.#orNotFound(reference, puller.peek(reference, platform));
    const pull = async (): Promise<void> => void (await puller.pull(reference, platform));
    return this.#remote.addBase({ ...found, pull });
  }

  /** Without a puller what is missing is told by who reads it. */
  #hasPlatform(record: ImageRecord, platform: Platform): boolean {
    if (!this.#puller || !isIndex(record.mediaType)) return true;
    const index = parseIndex(this.#store.blobs.read(record.target).toString("utf8"));
    try {
      return this.#store.blobs.has(selectManifest(index, platform).digest);
    } catch (error) {
      if (isTareError(error, "E_PLATFORM")) return true;
      throw error;
    }
  }

  #pull(puller: ImagePuller, reference: string, platform: Platform): Promise<ImageRecord> {
    return this.#orNotFound(reference, puller.pull(reference, platform));
  }

  async #orNotFound<T>(reference: string, asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (!isTareError(error, "E_IMAGE_NOTFOUND")) throw error;
      const own = await this.#notFound(reference);
      const said = error.cause instanceof Error ? `; ${error.cause.message}` : "";
      const hint = own.hint === undefined ? {} : { hint: own.hint };
      throw new TareError(own.code, `${own.message}${said}`, { ...hint, cause: error });
    }
  }

  async #notFound(reference: string): Promise<TareError> {
    const near = suggest(
      reference,
      this.#store.images.list().flatMap((image) => image.names.map(shortName)),
    );
    return new TareError("E_IMAGE_NOTFOUND", `${reference}: not found in the local store`, {
      hint: near
        ? `did you mean \`${near}\`?`
        : `${await baseHint(reference)}bring the image with \`tare load\`; \`tare images\` lists what is here`,
    });
  }

  async namedContext(name: string): Promise<NamedContext | undefined> {
    return this.#contexts.get(name) ?? this.#contexts.get(contextKey(name));
  }
}

/** Names `tare base` when it knows how to make that image. */
async function baseHint(reference: string): Promise<string> {
  const { parseRecipe } = await import("../bases/index.ts");
  try {
    parseRecipe(reference);
    return `assemble it with \`tare base ${reference}\` or `;
  } catch {
    return "";
  }
}

/** Named contexts for images match whatever way the image's name is written. */
export function contextKey(name: string): string {
  try {
    return formatReference(withDefaultTag(normalizeReference(name)));
  } catch {
    return name;
  }
}

/** An image by name, digest or id, as Docker resolves it. */
export function findImage(store: Store, text: string): ImageRecord | undefined {
  const byName = isName(text) ? store.images.find(contextKey(text)) : undefined;
  if (byName) return byName;
  const pinned = isName(text) ? normalizeReference(text).digest : undefined;
  if (pinned !== undefined) return store.images.find(pinned);
  return imageIdPrefix(text) === undefined ? undefined : store.images.find(text);
}

function isName(text: string): boolean {
  try {
    normalizeReference(text);
    return true;
  } catch {
    return false;
  }
}

function shortName(name: string): string {
  return familiarReference(normalizeReference(name)).replace(/:latest$/, "");
}

/** The manifest and config of an image for a platform. Throws `E_PLATFORM` listing what there is. */
export function readImage(store: Store, record: ImageRecord, name: string, platform: Platform): ResolvedImage {
  const manifest = manifestFor(store, record, platform);
  const parsed = parseManifest(store.blobs.read(manifest).toString("utf8"), { allowNoLayers: true });
  const config = parseImageConfig(store.blobs.read(parsed.config.digest).toString("utf8"));
  return { name, manifest, target: record.target, id: parsed.config.digest, config };
}

function manifestFor(store: Store, record: ImageRecord, platform: Platform): Digest {
  if (!isIndex(record.mediaType)) return record.target;
  return selectManifest(parseIndex(store.blobs.read(record.target).toString("utf8")), platform).digest;
}
