// SPDX-License-Identifier: Apache-2.0
/*
 * What a bundle says of layers of wheels: which wheels and compiled modules they are made of, and how they travel. With
 * it a machine that trusts the bundle compiles nothing again, and pushes the layers as they would be pushed here.
 */
import * as fs from "node:fs";
import { asDiffId } from "../base/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { knownLayer, noteClaim, noteWheelLayer, packsAmong, takePack, wheelLayer } from "../python/index.ts";
import { TransferMemo } from "./transfer.ts";
import { blobPath } from "./save.ts";
import type { Digest } from "../base/index.ts";
import type { KeyedPack, KeyedWheelLayer } from "../python/index.ts";
import type { Store } from "../store/index.ts";
import type { ArchiveSource } from "./archive-source.ts";
import type { SavedFile } from "./save.ts";

/** A layer of wheels. */
export interface BundledLayer {
  readonly diffId: Digest;
  /** Bytes of its tar. */
  readonly size: number;
  /** As it travels, when it has. */
  readonly blob?: { readonly digest: Digest; readonly size: number };
  readonly note: KeyedWheelLayer;
}

/** What is known of those layers that are made of nothing but these wheels. */
export function bundledLayers(
  store: Store,
  layers: ReadonlySet<Digest>,
  wheels: ReadonlySet<Digest>,
): readonly BundledLayer[] {
  const memo = new TransferMemo(store);
  return [...layers].toSorted().flatMap((diffId): BundledLayer[] => {
    const { key, isClaim: _own, ...note } = wheelLayer(store, diffId) ?? {};
    const size = store.layers.facts(diffId)?.size;
    if (key === undefined || size === undefined || !("wheels" in note)) return [];
    if (note.wheels.some(({ digest }) => !wheels.has(digest))) return [];
    const blob = memo.blobOf(asDiffId(diffId), "gzip");
    const sent = blob === undefined ? {} : { blob: { digest: blob.digest, size: blob.size } };
    return [{ diffId, size, ...sent, note: { key, ...note } }];
  });
}

/** The compiled modules of layers, by key. */
export function bundledPacks(store: Store, layers: readonly BundledLayer[]): readonly KeyedPack[] {
  const packs = packsAmong(store, new Set(layers.flatMap(packsOf)));
  return packs.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The same as files of the archive. */
export function packFiles(store: Store, packs: readonly KeyedPack[]): readonly SavedFile[] {
  const distinct = new Map(packs.map((pack) => [pack.digest, pack]));
  return [...distinct.values()].map(({ digest, size }) => ({
    name: blobPath(digest),
    size,
    open: () => fs.createReadStream(store.blobs.path(digest), { highWaterMark: 1 << 20 }),
  }));
}

function packsOf({ note }: BundledLayer): readonly Digest[] {
  return note.wheels.flatMap(({ bytecode }) => bytecode ?? []);
}

/** Takes packs whose keys have none here; how many. Throws as `takePack`. */
export async function takePacks(store: Store, source: ArchiveSource, packs: readonly KeyedPack[]): Promise<number> {
  let taken = 0;
  for (const pack of packs) if (await takePack(store, pack, source.open(blobPath(pack.digest)))) taken += 1;
  return taken;
}

/** Takes notes of layers of the bundle's own images, where nothing is known here and all parts are; how many. */
export function takeLayers(store: Store, own: ReadonlySet<Digest>, layers: readonly BundledLayer[]): number {
  const news = layers.filter((layer) => {
    const isWhole = [...layer.note.wheels.map(({ digest }) => digest), ...packsOf(layer)].every((digest) =>
      store.blobs.has(digest),
    );
    return isWhole && own.has(layer.diffId) && isNews(store, layer);
  });
  for (const layer of news) takeLayer(store, layer);
  return news.length;
}

function isNews(store: Store, { diffId, size, note }: BundledLayer): boolean {
  const isOther = (knownLayer(store, note.key)?.diffId ?? diffId) !== diffId;
  return !isOther && wheelLayer(store, diffId) === undefined && store.layers.facts(diffId)?.size === size;
}

function takeLayer(store: Store, { size, blob, note, ...layer }: BundledLayer): void {
  const diffId = asDiffId(layer.diffId);
  noteWheelLayer(store, diffId, { ...note, isClaim: true });
  noteClaim(store, { key: note.key, diffId, size, ...(blob === undefined ? {} : { blob }) });
  const memo = new TransferMemo(store);
  if (blob === undefined || memo.blobOf(diffId, "gzip")) return;
  memo.setBlob(diffId, "gzip", { ...blob, mediaType: MEDIA_TYPES.ociLayerGzip });
}
