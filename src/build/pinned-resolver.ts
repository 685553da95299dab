// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import { familiarReference, formatReference, imageIdPrefix, normalizeReference, withDefaultTag } from "../oci/index.ts";
import type { Digest } from "../base/index.ts";
import type { Platform, Reference } from "../oci/index.ts";
import type { BuildListener } from "../solver/index.ts";
import type { Store } from "../store/index.ts";
import type { ImagePins } from "./image-pins.ts";
import { StoreResolver } from "./resolver.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildPlace } from "./run-build.ts";
import type { NamedContext, ResolvedImage, SourceResolver } from "./types.ts";

/** Finds images as a build does: by its pins where there are some. */
export function resolverOf(
  { store, puller, remote, pins }: Pick<BuildPlace, "store" | "puller" | "remote" | "pins">,
  { listener }: Pick<BuildRequest, "listener">,
  contexts: ReadonlyMap<string, NamedContext>,
): SourceResolver {
  const inner = new StoreResolver(store, contexts, puller, remote);
  if (pins === undefined) return inner;
  const isForced = puller?.isForced ?? false;
  return new PinnedResolver({ store, inner, pins, isForced, ...(listener === undefined ? {} : { listener }) });
}

/** What a resolver with pins is made of. */
interface PinnedPlace {
  readonly store: Store;
  readonly inner: SourceResolver;
  readonly pins: ImagePins;
  /** `--pull`: registries are asked what names stand for now. */
  readonly isForced: boolean;
  readonly listener?: BuildListener;
}

/** Gives names the images that they are pinned to. Names with a digest and ids need no pin. */
class PinnedResolver implements SourceResolver {
  readonly #place: PinnedPlace;

  constructor(place: PinnedPlace) {
    this.#place = place;
  }

  namedContext(name: string, platform: Platform): Promise<NamedContext | undefined> {
    return this.#place.inner.namedContext(name, platform);
  }

  /** Throws also `E_IMAGE_LOCK`: with `--locked` for a name that is not pinned or has moved. */
  async image(text: string, platform: Platform): Promise<ResolvedImage> {
    const { inner, pins, isForced } = this.#place;
    const reference = tagged(text);
    if (!reference) return inner.image(text, platform);
    const name = formatReference(reference);
    const pin = pins.get(name);
    if (pin === undefined) return this.#unpinned(text, name, platform);
    if (isForced) return this.#asked(text, { reference, pin, platform });
    const here = this.#place.store.images.find(name)?.target;
    if (here === pin) return inner.image(text, platform);
    if (here !== undefined) this.#tellMoved(text, { pin, now: here, where: "here" });
    return this.#pinnedImage(text, { reference, pin, platform });
  }

  async #unpinned(text: string, name: string, platform: Platform): Promise<ResolvedImage> {
    const { inner, pins } = this.#place;
    if (pins.mode === "require") {
      throw new TareError("E_IMAGE_LOCK", `building with --locked: \`${text}\` is not pinned in \`${pins.path}\``, {
        hint: "`tare build --lock` pins what is not pinned",
      });
    }
    const image = await inner.image(text, platform);
    if (pins.mode === "write") pins.set(name, image.target);
    return image;
  }

  /** `--pull`: with `--lock` the pin moves along, else what is pinned counts. */
  async #asked(text: string, wanted: Wanted): Promise<ResolvedImage> {
    const { inner, pins } = this.#place;
    const image = await inner.image(text, wanted.platform);
    if (image.target === wanted.pin) return image;
    if (pins.mode === "write") {
      pins.set(formatReference(wanted.reference), image.target);
      return image;
    }
    this.#tellMoved(text, { pin: wanted.pin, now: image.target, where: "at the registry" });
    return this.#pinnedImage(text, wanted);
  }

  #tellMoved(
    text: string,
    { pin, now, where }: { readonly pin: Digest; readonly now: Digest; readonly where: string },
  ): void {
    const { pins, listener } = this.#place;
    const message = `\`${text}\` is \`${now}\` ${where}, pinned in ${pins.path} is \`${pin}\``;
    if (pins.mode === "require") {
      throw new TareError("E_IMAGE_LOCK", `building with --locked: ${message}`, {
        hint: "`tare build --lock --pull` moves the pins; without `--locked` what is pinned is used",
      });
    }
    listener?.({ kind: "warning", rule: "ImageMoved", message: `${message}, and used`, at: Date.now() });
  }

  /** By its digest: from the store under whatever name, or from the registry. */
  async #pinnedImage(text: string, { reference, pin, platform }: Wanted): Promise<ResolvedImage> {
    const { inner, pins } = this.#place;
    const { tag: _tag, ...repository } = reference;
    try {
      return await inner.image(familiarReference({ ...repository, digest: pin }), platform);
    } catch (error) {
      if (!isTareError(error, "E_IMAGE_NOTFOUND")) throw error;
      throw new TareError(
        "E_IMAGE_LOCK",
        `\`${text}\` is pinned in ${pins.path}, and nobody has it: ${error.message}`,
        {
          hint: "`tare build --lock --pull` pins what the name stands for now",
          cause: error,
        },
      );
    }
  }
}

interface Wanted {
  readonly reference: Reference;
  readonly pin: Digest;
  readonly platform: Platform;
}

/** A name with its tag; undefined for ids and for names with a digest. */
function tagged(text: string): Reference | undefined {
  if (imageIdPrefix(text)?.length === 64) return undefined;
  try {
    const reference = withDefaultTag(normalizeReference(text));
    return reference.digest === undefined ? reference : undefined;
  } catch {
    return undefined;
  }
}
