// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { ByteSink } from "../base/index.ts";
import { importImage, loadImages, saveImages } from "../images/index.ts";
import type { SaveItem, SaveOptions } from "../images/index.ts";
import { hostPlatform, normalizeReference, referenceName } from "../oci/index.ts";
import type { Store } from "../store/index.ts";
import { openToRead, writeTo } from "./byte-streams.ts";
import type { ImportRequest, LoadRequest, SaveRequest } from "./facade.ts";
import { requireImageTrees } from "./deferred.ts";
import { fullName, platformOf, requireImage, shortName } from "./image-lookup.ts";
import { withForm } from "./layer-form.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** `save`. A file appears whole or not at all. */
export async function saveToSink(rooms: Rooms, request: SaveRequest): Promise<void> {
  const store = rooms.writer();
  const items = request.images.flatMap((name) => itemsOf(store, name));
  const lease = store.lease();
  try {
    lease.keep(items.flatMap(({ record }) => keptBy(store, record)));
    for (const { record } of items) await requireImageTrees(rooms, record, request);
    const options: SaveOptions = {
      format: request.format,
      platforms: request.platforms.map(platformOf),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    const save = (sink: ByteSink): Promise<void> =>
      inForm(rooms, request, items, (converted) => saveImages(store, converted, sink, options));
    const { output } = request;
    await withVertex(request, `save ${request.images.join(", ")}`, () => writeTo(rooms.settings.cwd, output, save));
  } finally {
    lease.release();
  }
}

/** The items one after the other in the form that is asked for. */
async function inForm(
  rooms: Rooms,
  request: SaveRequest,
  items: readonly SaveItem[],
  use: (items: readonly SaveItem[]) => Promise<void>,
  done: readonly SaveItem[] = [],
): Promise<void> {
  const [item, ...rest] = items;
  if (!item) return use(done);
  const name = item.names[0] ?? item.record.id;
  await withForm(rooms, request, { record: item.record, form: request.compression, name: shortName(name) }, (record) =>
    inForm(rooms, request, rest, use, [...done, { ...item, record }]),
  );
}

/** What of an image must stay while it is read. */
export function keptBy(store: Store, record: SaveItem["record"]): SaveItem["record"]["target"][] {
  return [record.target, record.id, ...store.contentOf(record).diffIds];
}

/** A name is saved as that name, a bare repository with all its tags, an id without a name; as Docker does. */
export function itemsOf(store: Store, text: string): readonly SaveItem[] {
  const repository = bareRepository(text);
  if (repository !== undefined) {
    const tagged = store.images.list().flatMap((record): SaveItem[] => {
      const names = record.names.filter((name) => referenceName(normalizeReference(name)) === repository);
      return names.length > 0 ? [{ record, names }] : [];
    });
    if (tagged.length > 0) return tagged;
  }
  const record = requireImage(store, text, "saving the image");
  return [{ record, names: record.names.filter((name) => isSame(name, text)) }];
}

/** The full name without a tag, when the text is one. */
function bareRepository(text: string): string | undefined {
  try {
    const reference = normalizeReference(text);
    return reference.tag === undefined && reference.digest === undefined ? referenceName(reference) : undefined;
  } catch {
    return undefined;
  }
}

function isSame(name: string, text: string): boolean {
  try {
    return fullName(text) === name;
  } catch {
    return false;
  }
}

/** `load`. */
export async function loadFromSource(
  rooms: Rooms,
  request: LoadRequest,
): Promise<readonly { readonly name?: string; readonly id: string }[]> {
  const { input } = request;
  const source = typeof input === "string" ? resolve(rooms.settings.cwd, input) : input;
  const label = typeof input === "string" ? `load ${input}` : "load the standard input";
  const records = await withVertex(request, label, () =>
    loadImages(rooms.writer(), source, {
      host: hostPlatform(process.arch),
      platforms: request.platforms.map(platformOf),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    }),
  );
  return records.flatMap(({ names, id }) =>
    names.length > 0 ? names.map((name) => ({ name: shortName(name), id })) : [{ id }],
  );
}

/** `import`. */
export async function importFromSource(
  rooms: Rooms,
  request: ImportRequest,
): Promise<{ readonly id: string; readonly name?: string }> {
  const { input, platform, message, signal } = request;
  const { settings } = rooms;
  const from = typeof input === "string" ? input : "-";
  const stream: Readable = typeof input === "string" ? await openToRead(settings.cwd, input) : input;
  const names = request.name === undefined ? [] : [fullName(request.name)];
  const record = await withVertex(request, `import ${from}`, () =>
    importImage(rooms.writer(), stream, {
      platform: platform === undefined ? hostPlatform(process.arch) : platformOf(platform),
      names,
      changes: request.changes,
      from,
      created: new Date(settings.epoch === undefined ? Date.now() : settings.epoch * 1000),
      ...(message === undefined ? {} : { message }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  const name = names[0];
  return { id: record.id, ...(name === undefined ? {} : { name: shortName(name) }) };
}
