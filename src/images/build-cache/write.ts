// SPDX-License-Identifier: Apache-2.0
import type { DiffId } from "../../base/index.ts";
import { MEDIA_TYPES, serializeManifest } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";
import { pushImage } from "../push.ts";
import type { PushOptions, PushedImage } from "../push.ts";
import type { LayerBlob, RemoteRepository } from "../transfer.ts";
import { layerDescriptor } from "../write-image.ts";
import { cacheManifest, formatCacheDocument } from "./document.ts";
import type { CacheLayer, CacheRecord } from "./document.ts";

/** What goes into a cache. */
export interface BuildCacheContent {
  readonly records: readonly CacheRecord[];
  /** Those whose bytes go with it. */
  readonly layers: readonly DiffId[];
  /** How somebody else has those that the store lacks. */
  readonly absent: ReadonlyMap<DiffId, CacheLayer & { readonly blob: LayerBlob }>;
}

/** A registry takes a manifest without layers unwillingly: the empty descriptor of the image specification. */
const EMPTY = "{}";

/** A cache as the store describes it: layers made here are plain tars that are not kept. */
export interface LocalCache {
  readonly layers: readonly { readonly diffId: DiffId; readonly local: Descriptor }[];
  /** The text of the config. */
  readonly document: string;
}

/** The documents of a cache; layers that are nowhere are left out, their diffIDs stay in the records. */
export function describeCache(store: Store, { records, layers, absent }: BuildCacheContent): LocalCache {
  const described = layers.flatMap((diffId) => {
    const facts = store.layers.facts(diffId);
    const other = absent.get(diffId);
    const local = facts ? layerDescriptor(facts) : other?.blob;
    const size = facts?.size ?? other?.size;
    return local ? [{ diffId, local, ...(size === undefined ? {} : { size }) }] : [];
  });
  return { layers: described, document: formatCacheDocument({ layers: described, records }) };
}

/** Writes manifest and config into the store, where a push finds them. */
function storeCache(store: Store, content: BuildCacheContent): Pick<ImageRecord, "target" | "mediaType"> {
  const { layers, document } = describeCache(store, content);
  const config = store.blobs.writeBytes(document);
  const locals = layers.map(({ local }) => local);
  if (locals.length === 0) {
    locals.push({ mediaType: "application/vnd.oci.empty.v1+json", ...store.blobs.writeBytes(EMPTY) });
  }
  const { digest } = store.blobs.writeBytes(serializeManifest(cacheManifest(config, locals)));
  return { target: digest, mediaType: MEDIA_TYPES.ociManifest };
}

/**
 * Pushes a cache under a tag, as an image is pushed: what the registry has is not sent, what it has in another
 * repository is mounted. Throws as `pushImage`.
 */
export function pushBuildCache(
  store: Store,
  content: BuildCacheContent,
  target: RemoteRepository & { readonly tag: string },
  options: Omit<PushOptions, "platforms">,
): Promise<PushedImage> {
  return pushImage(store, storeCache(store, content), target, options);
}
