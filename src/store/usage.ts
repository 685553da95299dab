// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { cacheMounts } from "./cache-mounts.ts";
import { namesIn } from "./layout.ts";
import { leftPartials } from "./partial-blobs.ts";
import type { ObjectSet, StoreParts, Survey } from "./survey.ts";
import { addAll, blobSize, layerSize, objectsOnDisk, survey, treeSize } from "./survey.ts";
import type { UsageRow } from "./types.ts";
import { wheelsOf } from "./wheel-blobs.ts";

/**
 * Every layer and blob is counted in one row: with the images when an image reaches it, else with the build cache
 * when a record does, else with the wheels when it is one, else as a loose layer or blob. So the rows add up to what the store takes.
 */
export function usage(parts: StoreParts): readonly UsageRow[] {
  const objects = objectsOnDisk(parts.context);
  const found = survey(parts);
  const shares = divide(parts, found, objects);
  return [
    imageRow(parts, found, shares.images),
    cacheRow(parts, found, shares.cache),
    wheelRow(parts, found, shares.wheels.blobs),
    looseRow("layers", shares.loose.layers, (digest) => layerSize(parts, digest)),
    looseRow("blobs", shares.loose.blobs, (digest) => blobSize(parts.context, digest)),
    containerRow(parts, found),
    temporaryRow(parts),
    mountsRow(parts),
  ];
}

interface Shares {
  readonly images: ObjectSet;
  readonly cache: ObjectSet;
  readonly wheels: ObjectSet;
  readonly loose: ObjectSet;
}

function divide(parts: StoreParts, found: Survey, objects: { layers: Digest[]; blobs: Digest[] }): Shares {
  const byImages = empty();
  for (const { content } of found.images) addAll(byImages, content);
  addLayerBlobs(parts, byImages);
  const byCache = empty();
  for (const { layers } of found.cache) for (const layer of layers) byCache.layers.add(layer);
  addLayerBlobs(parts, byCache);
  const shares: Shares = { images: empty(), cache: empty(), wheels: empty(), loose: empty() };
  const { files, built } = found.wheels;
  const isWheel = (digest: Digest): boolean => files.has(digest) || built.has(digest);
  for (const kind of ["layers", "blobs"] as const) {
    for (const digest of objects[kind]) {
      const rest = kind === "blobs" && isWheel(digest) ? "wheels" : "loose";
      const owner = byImages[kind].has(digest) ? "images" : byCache[kind].has(digest) ? "cache" : rest;
      shares[owner][kind].add(digest);
    }
  }
  return shares;
}

function empty(): ObjectSet {
  return { layers: new Set(), blobs: new Set() };
}

function addLayerBlobs(parts: StoreParts, set: ObjectSet): void {
  for (const layer of set.layers) {
    const blob = parts.layers.get(layer)?.blob;
    if (blob) set.blobs.add(blob.digest);
  }
}

function sizeOf(parts: StoreParts, set: ObjectSet, except?: ObjectSet): number {
  let sum = 0;
  for (const layer of set.layers) if (!except?.layers.has(layer)) sum += layerSize(parts, layer);
  for (const blob of set.blobs) if (!except?.blobs.has(blob)) sum += blobSize(parts.context, blob);
  return sum;
}

/** Reclaimable: what only images without a container reach. */
function imageRow(parts: StoreParts, found: Survey, share: ObjectSet): UsageRow {
  const active = found.images.filter((image) => image.active);
  const needed = empty();
  for (const { content } of active) addAll(needed, content);
  for (const { layers } of found.containers) for (const layer of layers) needed.layers.add(layer);
  addLayerBlobs(parts, needed);
  const [size, reclaimable] = [sizeOf(parts, share), sizeOf(parts, share, needed)];
  return { kind: "images", count: found.images.length, active: active.length, size, reclaimable };
}

function cacheRow(parts: StoreParts, found: Survey, share: ObjectSet): UsageRow {
  const used = new Set(found.images.flatMap(({ content }) => [...content.layers]));
  const active = found.cache.filter(({ layers }) => layers.some((layer) => used.has(layer)));
  const records = found.cache.reduce((sum, { bytes }) => sum + bytes, 0);
  const size = records + sizeOf(parts, share);
  return { kind: "cache", count: found.cache.length, active: active.length, size, reclaimable: size };
}

/** Active: what the layers of images and containers are made of; prune lets go of others only. */
function wheelRow(parts: StoreParts, found: Survey, share: ReadonlySet<Digest>): UsageRow {
  const layers = [...found.images.map(({ content }) => content.layers), ...found.containers.map((each) => each.layers)];
  const used = new Set(layers.flatMap((each) => wheelsOf(found.wheels, each)));
  const sizeWhere = (wanted: (digest: Digest) => boolean): number =>
    [...share].filter(wanted).reduce((sum, digest) => sum + blobSize(parts.context, digest), 0);
  return {
    kind: "wheels",
    count: share.size,
    active: [...share].filter((digest) => used.has(digest)).length,
    size: sizeWhere(() => true),
    reclaimable: sizeWhere((digest) => !used.has(digest)),
  };
}

function looseRow(kind: "layers" | "blobs", set: ReadonlySet<Digest>, measure: (digest: Digest) => number): UsageRow {
  const size = [...set].reduce((sum, digest) => sum + measure(digest), 0);
  return { kind, count: set.size, active: 0, size, reclaimable: size };
}

function containerRow(parts: StoreParts, found: Survey): UsageRow {
  const folder = parts.context.layout.containers;
  const running = new Set(found.containers.filter((container) => container.running).map(({ id }) => id));
  let size = 0;
  let reclaimable = 0;
  for (const name of namesIn(folder)) {
    const bytes = treeSize(join(folder, name));
    size += bytes;
    if (!running.has(name)) reclaimable += bytes;
  }
  return { kind: "containers", count: found.containers.length, active: running.size, size, reclaimable };
}

function temporaryRow(parts: StoreParts): UsageRow {
  const { leases, layout } = parts.context;
  const { live, dead } = leases.survey();
  const measure = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + treeSize(join(layout.temporary, name)), 0);
  const partials = namesIn(layout.ingest);
  const left = leftPartials(parts.context);
  const leftBytes = left.reduce((sum, { path }) => sum + treeSize(path), 0);
  const reclaimable = measure(dead) + leftBytes;
  return {
    kind: "temporary",
    count: live.length + dead.length + partials.length,
    active: live.length + partials.length - left.length,
    size: measure(live) + measure(dead) + treeSize(layout.ingest),
    reclaimable,
  };
}

function mountsRow(parts: StoreParts): UsageRow {
  const mounts = cacheMounts(parts.context).list();
  const sizes = mounts.map(({ folder, claimed }) => ({ claimed, size: treeSize(folder) }));
  const size = sizes.reduce((sum, mount) => sum + mount.size, 0);
  const reclaimable = sizes.reduce((sum, mount) => sum + (mount.claimed ? 0 : mount.size), 0);
  const active = mounts.filter(({ claimed }) => claimed).length;
  return { kind: "mounts-cache", count: mounts.length, active, size, reclaimable };
}
