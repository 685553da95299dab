// SPDX-License-Identifier: Apache-2.0
/* Tare's own store as a place of a copy. */
import { TareError, isDigest } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { isConfig, isIndex, isManifest, parseIndex, parseManifest, selectManifest } from "../../oci/index.ts";
import type { Descriptor, Platform } from "../../oci/index.ts";
import type { ImageRecord, Lease, Store } from "../../store/index.ts";
import { layerFile } from "../save.ts";
import { TransferMemo } from "../transfer.ts";
import { unpackLayer } from "../unpack-layer.ts";
import { checkedDocument } from "./documents.ts";
import type { CopyBlob, CopyDocument, CopyReceipt, DocumentRole, ImageSource, ImageTarget } from "./types.ts";

/** An image of the store to copy; its layers' trees are there. The caller keeps it from being removed meanwhile. */
export function storeSource(store: Store, record: ImageRecord, name: string): ImageSource {
  const { blobs } = store;
  const read = ({ digest, mediaType }: Pick<Descriptor, "digest" | "mediaType">): CopyDocument => {
    const bytes = blobs.read(digest);
    return checkedDocument(bytes, { digest, mediaType, size: bytes.length }, `\`${name}\``);
  };
  return {
    label: `\`${name}\``,
    names: record.names,
    isMade: false,
    target: async () => read({ digest: record.target, mediaType: record.mediaType }),
    document: async (descriptor) => {
      if (blobs.has(descriptor.digest)) return read(descriptor);
      throw new TareError("E_BLOB_MISSING", `copying \`${name}\`: the store has not all of its platforms`, {
        hint: "leave out `--all-platforms`, or copy from where all of them are",
      });
    },
    open: (blob) => layerFile(store, blob, store.layers.get(blob.digest)).open(),
    referrers: async () => [],
    tagged: async () => undefined,
  };
}

/** What a target of the store needs. */
export interface StorePlace {
  readonly store: Store;
  readonly lease: Lease;
  /** Full names that the image gets. */
  readonly names: readonly string[];
  /** Whose image the name runs. */
  readonly platform: Platform;
}

/** The store to copy to: layers are unpacked on the way. */
export function storeTarget(place: StorePlace): ImageTarget {
  const { store, lease } = place;
  return {
    holds: "platforms",
    jobs: 2,
    compresses: false,
    canRepeat: true,
    wantsDiffIds: true,
    has: async () => false,
    putBlob: (blob) => putBlob(store, lease, blob),
    putDocument: async (document, role) => putDocument(place, document, role),
  };
}

async function putBlob(store: Store, lease: Lease, blob: CopyBlob): Promise<CopyReceipt> {
  const { descriptor, diffId, signal, onProgress } = blob;
  const { digest, size } = descriptor;
  lease.keep([digest, ...(diffId === undefined ? [] : [diffId])]);
  const isLayer = diffId !== undefined;
  const isThere = isLayer
    ? store.layers.get(diffId) !== undefined && (digest === diffId || store.blobs.has(digest))
    : store.blobs.has(digest);
  if (isThere) return { outcome: "exists", digest, size };
  const open = (): AsyncIterable<Uint8Array> => counted(blob.open(), onProgress);
  if (isLayer) await unpackLayer(store, { descriptor, diffId, open, signal });
  else await store.blobs.write(open(), { digest, size });
  return { outcome: "copied", digest, size };
}

async function* counted(bytes: AsyncIterable<Uint8Array>, tell: (done: number) => void): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of bytes) {
    tell((done += chunk.length));
    yield chunk;
  }
}

function putDocument(
  { store, lease, names, platform }: StorePlace,
  document: CopyDocument,
  role: DocumentRole,
): boolean {
  const { digest, mediaType, bytes } = document;
  lease.keep([digest]);
  store.blobs.writeBytes(bytes);
  if (role.kind !== "top") return true;
  const id = idOf(store, document, platform);
  const isKnown = names.every((name) => store.images.find(name)?.target === digest);
  store.images.put({ target: digest, mediaType, id }, names);
  return !isKnown;
}

/** The config of the image that runs here, or of the first one. Throws `E_MANIFEST`. */
function idOf(store: Store, { bytes, mediaType }: Omit<CopyDocument, "digest">, platform: Platform): Digest {
  const text = bytes.toString("utf8");
  if (isIndex(mediaType)) {
    const index = parseIndex(text);
    const chosen = orFirst(index.manifests, () => selectManifest(index, platform));
    return idOf(store, { bytes: store.blobs.read(chosen.digest), mediaType: chosen.mediaType }, platform);
  }
  const { config } = parseManifest(text, { allowNoLayers: true });
  if (isManifest(mediaType) && isConfig(config.mediaType) && isDigest(config.digest)) return config.digest;
  throw new TareError("E_MANIFEST", `copying into the store: \`${config.mediaType}\` is no image`);
}

function orFirst(entries: readonly Descriptor[], choose: () => Descriptor): Descriptor {
  try {
    return choose();
  } catch (error) {
    const [first] = entries;
    if (first && error instanceof TareError && error.code === "E_PLATFORM") return first;
    throw error;
  }
}

/** Remembers where an image of the store came from, so that a push does not change it. */
export function rememberOrigin(store: Store, source: ImageSource, digest: Digest): void {
  if (source.remote) new TransferMemo(store).setOrigin(digest, source.remote);
}
