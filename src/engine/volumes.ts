// SPDX-License-Identifier: Apache-2.0
import { findVolumes, pruneVolumes, volumeSize, volumeUsers } from "../containers/index.ts";
import type { ContainersContext, VolumeView } from "../containers/index.ts";
import {
  createVolume,
  dataPath,
  isAnonymous,
  listVolumes,
  placeOf,
  removeVolume,
  requireVolume,
} from "../volumes/index.ts";
import type { InspectDocument } from "./facade.ts";
import type { VolumeSummary, VolumesApi } from "./facade-volumes.ts";
import type { Rooms } from "./rooms.ts";

/** The volumes of an engine's store. */
export function volumesApi(rooms: Rooms): VolumesApi {
  return {
    create: async (request) => {
      const { record, existed } = createVolume(rooms.writer(), request);
      return { name: record.name, existed };
    },
    list: async ({ filters = {}, size = false } = {}) => {
      const context = await rooms.containersToRead();
      return findVolumes(context, filters).map((view) => summary(context, view, size));
    },
    inspect: async (name) => inspect(await rooms.containersToRead(), name),
    remove: async (name) => {
      const context = await rooms.containers();
      context.store.makeRoom();
      requireVolume(context.store, name, "removing the volume");
      removeVolume(context.store, name, (volume) => volumeUsers(context, volume));
    },
    prune: async (request) => {
      const context = await (request.dryRun === true ? rooms.containersToRead() : rooms.containers());
      return pruneVolumes(context, request);
    },
    names: async () => listVolumes(rooms.reader()).map(({ name }) => name),
    backup: async (request) => (await import("./volume-copies.ts")).backup(rooms, request),
    verify: async (request) => (await import("./volume-copies.ts")).verify(rooms, request),
    restore: async (request) => (await import("./volume-copies.ts")).restore(rooms, request),
    clone: async (request) => (await import("./volume-copies.ts")).clone(rooms, request),
    push: async (request) => (await import("./volume-sharing.ts")).push(rooms, request),
    pull: async (request) => (await import("./volume-sharing.ts")).pull(rooms, request),
  };
}

function summary(context: ContainersContext, { record, users }: VolumeView, withSize: boolean): VolumeSummary {
  const { name, createdAt, labels, options } = record;
  return {
    name,
    driver: "local",
    createdAt,
    labels,
    options,
    mountpoint: placeOf(context.store, record).data ?? dataPath(context.store, name),
    anonymous: isAnonymous(record),
    users,
    ...(withSize ? { size: volumeSize(context, name) } : {}),
  };
}

/** Docker's document, with its null where a container made the volume and nothing was said. */
function inspect(context: ContainersContext, name: string): InspectDocument {
  const record = requireVolume(context.store, name, "looking up the volume");
  const { createdAt, labels, options, byContainer = false } = record;
  const orNull = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null =>
    byContainer && Object.keys(values).length === 0 ? null : values;
  return {
    CreatedAt: `${new Date(createdAt).toISOString().slice(0, 19)}Z`,
    Driver: "local",
    Labels: orNull(labels),
    Mountpoint: placeOf(context.store, record).data ?? dataPath(context.store, name),
    Name: name,
    Options: orNull(options),
    Scope: "local",
  };
}
