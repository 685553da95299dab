// SPDX-License-Identifier: Apache-2.0
/*
 * `rmi` and the image prunes with Docker's rules: a name goes first, the image with its last name; an image that a
 * container is made of stays unless forced, and one whose container runs keeps its record, without a name.
 */
import { TareError } from "../base/index.ts";
import type { ContainerRecord } from "../containers/index.ts";
import { imageIdPrefix, normalizeReference, referenceName } from "../oci/index.ts";
import type { ImageRecord, PruneReport, Store } from "../store/index.ts";
import type { Filters, RemovalReport } from "./facade.ts";
import { FactReader, imagesOf } from "./image-facts.ts";
import { PRUNE_FILTERS, filterHelp, imageFilter } from "./image-filters.ts";
import { fullName, requireImage, shortName } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

type Entry = RemovalReport["entries"][number];

/** `rmi NAME`. Throws `E_IMAGE_NOTFOUND`, `E_IMAGE_INUSE`. */
export async function removeImage(
  rooms: Rooms,
  text: string,
  options: { readonly force: boolean; readonly prune: boolean },
): Promise<RemovalReport> {
  const store = rooms.writer();
  store.makeRoom();
  const record = requireImage(store, text, "removing the image");
  const name = record.names.find((known) => known === nameIn(text));
  const names = name === undefined ? record.names : [name];
  const isLast = names.length === record.names.length;
  if (name === undefined && !options.force) refuseSeveral(record, text);
  const users = isLast ? usersOf(store, record) : [];
  const running = users.length > 0 ? await runningAmong(rooms, users) : undefined;
  if (users.length > 0) refuseUsed(text, users, { running, force: options.force, byName: name !== undefined });
  for (const each of names) store.images.untag(each);
  const untagged = names.map((each): Entry => ({ kind: "untagged", subject: shortName(each) }));
  if (!isLast || running !== undefined) return { entries: untagged, reclaimed: 0 };
  store.images.remove(record.target);
  const deleted: Entry = { kind: "deleted", subject: record.id };
  if (!options.prune) return { entries: [...untagged, deleted], reclaimed: 0 };
  const report = store.prune();
  return { entries: [...untagged, deleted, ...layerEntries(report)], reclaimed: report.freed };
}

/** The full name that a text is, unless it is an id. */
function nameIn(text: string): string | undefined {
  try {
    return fullName(text);
  } catch {
    return undefined;
  }
}

/** An id stands for all names; that is meant only when they are of one repository. */
function refuseSeveral(record: ImageRecord, text: string): void {
  const repositories = new Set(record.names.map((name) => referenceName(normalizeReference(name))));
  if (repositories.size < 2 || imageIdPrefix(text) === undefined) return;
  const names = record.names.map(shortName).join(", ");
  throw new TareError("E_IMAGE_INUSE", `removing the image \`${text}\`: it has several names: ${names}`, {
    hint: "remove the names one by one, or use `--force`",
    details: { names: record.names },
  });
}

function usersOf(store: Store, record: ImageRecord): readonly ContainerRecord[] {
  const others = store.images.list().filter(({ id, target }) => id === record.id && target !== record.target);
  if (others.length > 0) return [];
  return store
    .documents<ContainerRecord>("container")
    .list()
    .filter((container) => imagesOf(container).has(record.id));
}

async function runningAmong(rooms: Rooms, users: readonly ContainerRecord[]): Promise<ContainerRecord | undefined> {
  const { listContainers } = await import("../containers/index.ts");
  const context = await rooms.containersToRead();
  const running = listContainers(context, { all: false, last: -1, size: false, filters: {} });
  return users.find(({ id }) => running.some((container) => container.id === id));
}

function refuseUsed(
  text: string,
  users: readonly ContainerRecord[],
  how: { readonly running: ContainerRecord | undefined; readonly force: boolean; readonly byName: boolean },
): void {
  if (how.force && (how.byName || how.running === undefined)) return;
  const user = how.running ?? users[0];
  const state = how.running ? "running" : "stopped";
  const who = `the ${state} container \`${user?.name ?? ""}\` (${user?.id.slice(0, 12) ?? ""})`;
  const mustStop = how.running !== undefined && !how.byName;
  throw new TareError("E_IMAGE_INUSE", `removing the image \`${text}\`: ${who} is made of it`, {
    hint: mustStop
      ? `stop it first with \`tare stop ${user?.name ?? ""}\``
      : "remove that container first, or use `--force`",
    details: { containers: users.map(({ id }) => id) },
  });
}

/** Removes images that no container is made of: nameless ones, or `all`. What only they needed goes too. */
export async function pruneImages(store: Store, filters: Filters, all: boolean): Promise<RemovalReport> {
  store.makeRoom();
  const entries = await dropImages(store, filters, all);
  const report = store.prune();
  return { entries: [...entries, ...layerEntries(report)], reclaimed: report.freed };
}

/** The first half of a prune: names and records. */
export async function dropImages(store: Store, filters: Filters, all: boolean): Promise<readonly Entry[]> {
  const keys = Object.keys(filters).includes("dangling") ? [...PRUNE_FILTERS, "dangling"] : PRUNE_FILTERS;
  const matches = imageFilter(filters, keys, await filterHelp(store, filters));
  const reader = new FactReader(store);
  return store.images.list().flatMap((record): Entry[] => {
    const facts = reader.read(record);
    const isWanted = all || record.names.length === 0;
    if (!isWanted || facts.containers.length > 0 || !matches(facts)) return [];
    store.images.remove(record.target);
    store.events.record({ type: "image", action: "delete", id: record.id, attributes: { name: record.id } });
    const untagged = record.names.map((name): Entry => ({ kind: "untagged", subject: shortName(name) }));
    return [...untagged, { kind: "deleted", subject: record.id }];
  });
}

/** Layers that went, as Docker lists them. */
export function layerEntries(report: PruneReport): readonly Entry[] {
  const layers = report.rows.find(({ kind }) => kind === "layers")?.items ?? [];
  return layers.map((subject) => ({ kind: "deleted", subject }));
}
