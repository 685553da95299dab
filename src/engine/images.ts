// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import type { ImageDetails } from "../images/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { Filters, ImageSummary, ImagesApi } from "./facade.ts";
import { FactReader, platformNames, shownTime } from "./image-facts.ts";
import type { ImageFacts } from "./image-facts.ts";
import { LIST_FILTERS, filterHelp, imageFilter, matchingNames } from "./image-filters.ts";
import { recordImageEvent, recordRemoval } from "./image-events.ts";
import { fullName, lookUpImage, platformOf, requireImage, shortName } from "./image-lookup.ts";
import { pruneImages, removeImage } from "./image-removal.ts";
import type { Rooms } from "./rooms.ts";

/** The images of an engine's store. */
export function imagesApi(rooms: Rooms): ImagesApi {
  return {
    list: async ({ filters = {}, sharedSize = false } = {}) => listImages(rooms.reader(), filters, sharedSize),
    inspect: async (name, options = {}) => {
      const { imageInspect } = await import("../images/index.ts");
      return imageInspect(await detailsOf(rooms, name, options.platform));
    },
    history: async (name, options = {}) => {
      const { imageHistory } = await import("../images/index.ts");
      const details = await detailsOf(rooms, name, options.platform);
      return imageHistory(details).map((row) => ({ ...row, createdAt: shownTime(row.createdAt, details.record) }));
    },
    tag: async (source, target) => {
      const { id } = tagImage(rooms.writer(), source, target);
      recordImageEvent(rooms, "tag", id, shortName(fullName(target)));
    },
    remove: async (name, options) => {
      const id = lookUpImage(rooms.writer(), name)?.id ?? name;
      const report = await removeImage(rooms, name, options);
      recordRemoval(rooms, id, report);
      return report;
    },
    prune: async ({ all, filters }) => pruneImages(rooms.writer(), filters, all),
    save: async (request) => {
      await (await import("./image-transfer.ts")).saveToSink(rooms, request);
      for (const name of request.images) recordImageEvent(rooms, "save", lookUpImage(rooms.reader(), name)?.id ?? name);
    },
    load: async (request) => {
      const loaded = await (await import("./image-transfer.ts")).loadFromSource(rooms, request);
      for (const id of new Set(loaded.map((each) => each.id))) recordImageEvent(rooms, "load", id);
      return loaded;
    },
    import: async (request) => {
      const imported = await (await import("./image-transfer.ts")).importFromSource(rooms, request);
      recordImageEvent(rooms, "import", imported.id);
      return imported;
    },
    resolve: async (name, options = {}) => resolveImage(rooms, name, options.platform),
    names: async () =>
      rooms
        .reader()
        .images.list()
        .flatMap((image) => image.names.map(shortName)),
  };
}

async function listImages(store: Store, filters: Filters, sharedSize: boolean): Promise<readonly ImageSummary[]> {
  const reader = new FactReader(store);
  const matches = imageFilter(filters, LIST_FILTERS, await filterHelp(store, filters));
  const all = store.images.list().map((record) => reader.read(record));
  const users = sharedSize ? usersOfLayers(all) : undefined;
  return all
    .filter(matches)
    .toSorted((a, b) => b.createdAt - a.createdAt || b.record.addedAt - a.record.addedAt)
    .map((facts) => ({
      ...summaryOf(facts, filters["reference"]),
      ...(users ? { sharedSize: sharedBytes(reader, facts, users) } : {}),
    }));
}

function summaryOf(facts: ImageFacts, patterns: readonly string[] | undefined): ImageSummary {
  const { record, createdAt, size, labels, platforms, containers } = facts;
  return {
    id: record.id,
    digest: record.target,
    names: matchingNames(facts, patterns).map(shortName),
    createdAt,
    size,
    containers: containers.length,
    labels,
    platforms: platformNames(platforms),
  };
}

/** How many images use a layer. */
function usersOfLayers(all: readonly ImageFacts[]): ReadonlyMap<DiffId, number> {
  const users = new Map<DiffId, number>();
  for (const { layers } of all) for (const layer of new Set(layers)) users.set(layer, (users.get(layer) ?? 0) + 1);
  return users;
}

function sharedBytes(reader: FactReader, { layers }: ImageFacts, users: ReadonlyMap<DiffId, number>): number {
  const shared = layers.filter((layer) => (users.get(layer) ?? 0) > 1);
  return shared.reduce((sum, layer) => sum + reader.layerSize(layer), 0);
}

async function detailsOf(rooms: Rooms, name: string, platform: string | undefined): Promise<ImageDetails> {
  const store = rooms.reader();
  const record = requireImage(store, name, "looking up the image");
  const { imageDetails } = await import("../images/index.ts");
  return imageDetails(store, record, platform === undefined ? undefined : platformOf(platform));
}

function tagImage(store: Store, source: string, target: string): ImageRecord {
  const name = fullName(target);
  if (name.includes("@")) {
    throw new TareError("E_REF", `tagging \`${source}\` as \`${target}\`: a digest can't be given to an image`, {
      hint: "leave out what stands from `@` on",
    });
  }
  const record = requireImage(store, source, "tagging");
  const { target: digest, mediaType, id } = record;
  store.images.put({ target: digest, mediaType, id }, [name]);
  return record;
}

async function resolveImage(
  rooms: Rooms,
  name: string,
  platform: string | undefined,
): Promise<{ readonly id: string; readonly digest: string }> {
  const record = requireImage(rooms.reader(), name, "looking up the image");
  if (platform === undefined) return { id: record.id, digest: record.target };
  const { id, manifestDigest } = await detailsOf(rooms, name, platform);
  return { id, digest: manifestDigest };
}
