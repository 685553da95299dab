// SPDX-License-Identifier: Apache-2.0
/*
 * Prune in three moves, so that a kill between any two of them loses nothing:
 *   1. one durable transaction drops the images and cache records that nobody needs;
 *   2. one transaction moves every object that nothing reaches into this lease's trash, by rename. It holds the write
 *      lock that the makers of references take too. Order: list objects, read references, read what leases keep:
 *      an object in the list was kept before it was published, so its claim is seen. What a lease claims while the
 *      objects move is found by reading the claims once more, and is put back;
 *   3. the trash is deleted. After a kill it lies in a dead lease and goes with the next recovery.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { digestOf, hexOf, ioError, systemErrorCode } from "../base/index.ts";
import { cacheMounts } from "./cache-mounts.ts";
import { leftPartials } from "./partial-blobs.ts";
import { recover, removeDeadLinks } from "./recover.ts";
import { fillReserve, releaseReserve } from "./space.ts";
import type { ObjectSet, StoreParts, Survey, SurveyedCache, SurveyedImage } from "./survey.ts";
import { addAll, blobSize, layerSize, objectsOnDisk, reachable, survey, treeSize } from "./survey.ts";
import type { Lease, PruneOptions, PruneReport, PruneRow } from "./types.ts";
import { isWheelPrunable } from "./wheel-blobs.ts";

/** An object that nothing reaches. */
interface Garbage {
  readonly kind: "layers" | "blobs" | "wheels" | "mounts-cache" | "ingest";
  readonly digest: Digest;
  readonly item: string;
  readonly path: string;
  readonly size: number;
}

/** References to drop, and those that stay. */
interface Choice {
  readonly images: readonly SurveyedImage[];
  readonly cache: readonly SurveyedCache[];
  readonly rest: Survey;
}

/** Removes what nothing needs, or says what it would. */
export function prune(parts: StoreParts, options: PruneOptions): PruneReport {
  const { context } = parts;
  if (options.dryRun || context.readonly) return report(plan(parts, options), true);
  releaseReserve(context.layout, context.effects);
  const temporary = recoverDead(parts);
  const choice = context.database.write(() => dropReferences(parts, options), true);
  const lease = context.leases.open();
  try {
    const garbage = context.database.write(() => moveToTrash(parts, options, lease));
    context.effects.removeTree("prune.delete", join(lease.folder, "trash"));
    const links = removeDeadLinks(parts.context);
    const rows = garbageRows(garbage, temporary);
    return report([...referenceRows(choice), ...rows, row("links", links, 0)], false);
  } finally {
    lease.release();
    fillReserve(context.layout, context.effects);
  }
}

/** The rows of a dry run: the same choices, nothing written. */
function plan(parts: StoreParts, options: PruneOptions): PruneRow[] {
  const choice = choose(parts, options);
  const garbage = findGarbage(parts, options, choice.rest);
  const { dead } = parts.context.leases.survey();
  const size = dead.reduce((sum, name) => sum + treeSize(join(parts.context.layout.temporary, name)), 0);
  return [...referenceRows(choice), ...garbageRows(garbage, row("temporary", dead, size))];
}

function recoverDead(parts: StoreParts): PruneRow {
  const { leases, layout } = parts.context;
  const size = leases.survey().dead.reduce((sum, name) => sum + treeSize(join(layout.temporary, name)), 0);
  return row("temporary", recover(parts.context), size);
}

function dropReferences(parts: StoreParts, options: PruneOptions): Choice {
  const choice = choose(parts, options);
  const { database } = parts.context;
  for (const { record } of choice.images) database.run("DELETE FROM images WHERE target = ?", record.target);
  for (const { key } of choice.cache) database.run("DELETE FROM cache WHERE key = ?", key);
  return choice;
}

function choose(parts: StoreParts, options: PruneOptions): Choice {
  const found = survey(parts);
  const kept = parts.context.leases.keptDigests();
  const until = options.until ?? Number.POSITIVE_INFINITY;
  const images = found.images.filter((image) => isPrunable(image, options, kept) && image.record.addedAt < until);
  const left = found.images.filter((image) => !images.includes(image));
  const needed: ObjectSet = { layers: new Set(kept), blobs: new Set() };
  for (const { content } of left) addAll(needed, content);
  for (const { layers } of found.containers) for (const layer of layers) needed.layers.add(layer);
  const unused = found.cache.filter((record) => isCachePrunable(record, options, needed) && record.usedAt < until);
  const others = found.cache.filter((record) => !unused.includes(record));
  const cache = [...unused, ...overLimit(parts, others, needed.layers, options.cacheLimit)];
  const rest = { ...found, images: left, cache: found.cache.filter((record) => !cache.includes(record)) };
  return { images, cache, rest };
}

function isPrunable(image: SurveyedImage, options: PruneOptions, kept: ReadonlySet<Digest>): boolean {
  const { record, active } = image;
  const what = options.images ?? "none";
  if (what === "none" || active || kept.has(record.target) || kept.has(record.id)) return false;
  return what === "unused" || record.names.length === 0;
}

function isCachePrunable(record: SurveyedCache, options: PruneOptions, needed: ObjectSet): boolean {
  if (options.cache === "all") return true;
  return options.cache === "unused" && !record.layers.some((layer) => needed.layers.has(layer));
}

/** Least recently used records to drop until the layers that only records need take at most `limit` bytes. */
function overLimit(
  parts: StoreParts,
  records: readonly SurveyedCache[],
  needed: ReadonlySet<Digest>,
  limit: number = Number.POSITIVE_INFINITY,
): SurveyedCache[] {
  if (limit === Number.POSITIVE_INFINITY) return [];
  const users = new Map<Digest, number>();
  for (const layer of records.flatMap(({ layers }) => layers)) {
    if (!needed.has(layer)) users.set(layer, (users.get(layer) ?? 0) + 1);
  }
  let size = [...users.keys()].reduce((sum, layer) => sum + layerSize(parts, layer), 0);
  const dropped: SurveyedCache[] = [];
  for (const record of records.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (size <= limit) break;
    dropped.push(record);
    for (const layer of record.layers) {
      const left = (users.get(layer) ?? 0) - 1;
      users.set(layer, left);
      if (left === 0) size -= layerSize(parts, layer);
    }
  }
  return dropped;
}

function findGarbage(parts: StoreParts, options: PruneOptions, references?: Survey): Garbage[] {
  const { context } = parts;
  const objects = objectsOnDisk(context);
  const found = references ?? survey(parts);
  const kept = context.leases.keptDigests();
  const needed = reachable(parts, found, kept);
  const isWheel = (digest: Digest): boolean => found.wheels.files.has(digest) || found.wheels.built.has(digest);
  const layers = objects.layers.filter((digest) => !needed.layers.has(digest));
  const unneeded = objects.blobs.filter((digest) => !needed.blobs.has(digest));
  const [blobs, wheels] = [unneeded.filter((digest) => !isWheel(digest)), unneeded.filter(isWheel)];
  return [
    ...layers.map((digest) => layerGarbage(parts, digest)),
    ...blobs.map((digest) => blobGarbage(parts, digest, "blobs")),
    ...wheels
      .filter((digest) => isWheelPrunable(found.wheels, digest, options))
      .map((digest) => blobGarbage(parts, digest, "wheels")),
    ...(options.mounts ? mountGarbage(parts, kept, options.until) : []),
    ...leftPartials(context, options.until).map(({ digest, path }): Garbage => {
      return { kind: "ingest", digest, item: `download of ${digest}`, path, size: treeSize(path) };
    }),
  ];
}

function layerGarbage(parts: StoreParts, digest: Digest): Garbage {
  const path = parts.context.layout.layer(digest);
  return { kind: "layers", digest, item: digest, path, size: layerSize(parts, digest) };
}

function blobGarbage(parts: StoreParts, digest: Digest, kind: "blobs" | "wheels"): Garbage {
  const path = parts.context.layout.blob(digest);
  return { kind, digest, item: digest, path, size: blobSize(parts.context, digest) };
}

function mountGarbage(parts: StoreParts, kept: ReadonlySet<Digest>, until?: number): Garbage[] {
  return cacheMounts(parts.context)
    .list()
    .filter(({ id, claimed, usedAt }) => !claimed && !kept.has(digestOf(id)) && usedAt < (until ?? usedAt + 1))
    .map(({ id, folder }) => {
      return { kind: "mounts-cache", digest: digestOf(id), item: id, path: folder, size: treeSize(folder) };
    });
}

function moveToTrash(parts: StoreParts, options: PruneOptions, lease: Lease): Garbage[] {
  const { context } = parts;
  const garbage = findGarbage(parts, options);
  const trash = join(lease.folder, "trash");
  context.effects.makeDirectory("prune.trash", trash);
  const placeOf = (object: Garbage): string => join(trash, `${object.kind}-${hexOf(object.digest)}`);
  for (const object of garbage) context.effects.rename("prune.trash", object.path, placeOf(object));
  const kept = context.leases.keptDigests();
  // Who wants to go on with a download claims it, under this lock.
  const wanted = garbage.filter(({ kind, digest }) => kind !== "ingest" && kept.has(digest));
  for (const object of wanted) restore(parts, placeOf(object), object.path);
  return garbage.filter((object) => !wanted.includes(object));
}

/** Its claimant may have made the object anew meanwhile; then that one stays. */
function restore(parts: StoreParts, from: string, to: string): void {
  try {
    parts.context.effects.step("prune.restore", () => fs.renameSync(from, to));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw ioError(`restoring \`${to}\``, error);
  }
}

function referenceRows(choice: Choice): PruneRow[] {
  const images = choice.images.map(({ record }) => record.names[0] ?? record.target);
  const bytes = choice.cache.reduce((sum, record) => sum + record.bytes, 0);
  return [
    row("images", images, 0),
    row(
      "cache",
      choice.cache.map(({ key }) => key),
      bytes,
    ),
  ];
}

/** Downloads that nobody goes on with are temporary like what dead processes left. */
function garbageRows(garbage: readonly Garbage[], temporary: PruneRow): PruneRow[] {
  const rowOf = (kind: Garbage["kind"], as: PruneRow["kind"], more?: PruneRow): PruneRow => {
    const objects = garbage.filter((object) => object.kind === kind);
    const items = [...(more?.items ?? []), ...objects.map(({ item }) => item)];
    return row(
      as,
      items,
      objects.reduce((sum, { size }) => sum + size, more?.size ?? 0),
    );
  };
  const kinds = (["layers", "blobs", "wheels", "mounts-cache"] as const).map((kind) => rowOf(kind, kind));
  return [...kinds, rowOf("ingest", "temporary", temporary)];
}

function row(kind: PruneRow["kind"], items: readonly string[], size: number): PruneRow {
  return { kind, items, size };
}

function report(rows: readonly PruneRow[], dryRun: boolean): PruneReport {
  return { rows, freed: rows.reduce((sum, { size }) => sum + size, 0), dryRun };
}
