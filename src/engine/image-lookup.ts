// SPDX-License-Identifier: Apache-2.0
/* Names, ids and digests of images as users write them. Nothing here loads a room above the store. */
import { TareError, suggest } from "../base/index.ts";
import {
  familiarReference,
  formatReference,
  hostPlatform,
  imageIdPrefix,
  normalizeReference,
  parsePlatform,
  withDefaultTag,
} from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";

/** The full name with tag of a name as users write it. Throws `E_REF`. */
export function fullName(text: string): string {
  return formatReference(withDefaultTag(normalizeReference(text)));
}

/** A full name as Docker shows it. */
export function shortName(name: string): string {
  return familiarReference(normalizeReference(name));
}

/** A platform as users write it; what it leaves out is this host's. Throws `E_PLATFORM`. */
export function platformOf(text: string): Platform {
  return parsePlatform(text, hostPlatform(process.arch));
}

/** The image of a name, digest, id or the start of an id; names go first, as in Docker. Undefined when there is none. */
export function lookUpImage(store: Store, text: string): ImageRecord | undefined {
  const name = nameOf(text);
  const named = name === undefined ? undefined : store.images.find(name);
  return named ?? (imageIdPrefix(text) === undefined ? undefined : store.images.find(text));
}

function nameOf(text: string): string | undefined {
  try {
    return fullName(text);
  } catch {
    return undefined;
  }
}

/**
 * The image of that name or id. Throws `E_IMAGE_NOTFOUND` with near names in the hint, `E_AMBIGUOUS` for the start of
 * several ids, `E_REF` for what can be neither name nor id.
 */
export function requireImage(store: Store, text: string, doing: string): ImageRecord {
  const found = lookUpImage(store, text);
  if (found) return found;
  if (imageIdPrefix(text) === undefined) fullName(text);
  const images = store.images.list();
  refuseAmbiguous(images, text, doing);
  const near = suggest(
    text,
    images.flatMap((image) => image.names.map(shortName)).flatMap((name) => [name, name.replace(/:latest$/, "")]),
  );
  throw new TareError("E_IMAGE_NOTFOUND", `${doing} \`${text}\`: no such image in the local store`, {
    hint: near
      ? `did you mean \`${near}\`?`
      : "`tare images` lists what is here; build it, bring it with `tare load`, or make a base with `tare base`",
    details: { name: text },
  });
}

function refuseAmbiguous(images: readonly ImageRecord[], text: string, doing: string): void {
  const prefix = imageIdPrefix(text);
  if (prefix === undefined) return;
  const ids = [...new Set(images.map(({ id }) => id))].filter((id) => id.startsWith(`sha256:${prefix}`));
  if (ids.length < 2) return;
  throw new TareError("E_AMBIGUOUS", `${doing} \`${text}\`: it is the start of ${ids.length} image ids`, {
    hint: "write more digits of the id",
    details: { ids },
  });
}
