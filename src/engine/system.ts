// SPDX-License-Identifier: Apache-2.0
import type { Layer, Store, StoreEvent } from "../store/index.ts";
import type { EventsRequest } from "./facade-events.ts";
import type { FsckFinding, SystemApi, UsageRow } from "./facade.ts";
import type { Rooms } from "./rooms.ts";

/** The store and the host of an engine. */
export function systemApi(rooms: Rooms): SystemApi {
  return {
    usage: () => usage(rooms),
    prune: async (request) => (await import("./system-prune.ts")).pruneSystem(rooms, request),
    fsck: (request) => fsck(rooms, request),
    events: (request) => lazyEvents(rooms, request),
    check: async () => (await import("./host-checks.ts")).checkHost(rooms.settings),
    planInstall: async () => {
      const { checkHost } = await import("./host-checks.ts");
      const { planInstall } = await import("./install.ts");
      return planInstall(await checkHost(rooms.settings));
    },
    install: async (plan, call) => (await import("./install.ts")).install(plan, call, rooms.settings.env),
    info: async () => (await import("./info.ts")).info(rooms),
  };
}

async function* lazyEvents(rooms: Rooms, request: EventsRequest): AsyncGenerator<StoreEvent, void, undefined> {
  const { events } = await import("./events.ts");
  yield* events(rooms, request);
}

const KINDS: Readonly<Record<string, string>> = {
  cache: "build cache",
  layers: "loose layers",
  blobs: "loose blobs",
  temporary: "temporary files",
  "mounts-cache": "cache mounts",
};
/** Rows that are shown also when there is nothing. */
const ALWAYS: ReadonlySet<string> = new Set(["images", "containers", "volumes", "build cache", "wheels"]);

async function usage(rooms: Rooms): Promise<readonly UsageRow[]> {
  const { volumeUsage } = await import("../containers/index.ts");
  const rows = rooms
    .reader()
    .usage()
    .map((row) => ({ ...row, kind: KINDS[row.kind] ?? row.kind }));
  const volumes = { kind: "volumes", ...volumeUsage(await rooms.containersToRead()) };
  const order = [...ALWAYS];
  const place = ({ kind }: UsageRow): number => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...rows, volumes]
    .filter((row) => row.count > 0 || ALWAYS.has(row.kind))
    .toSorted((a, b) => place(a) - place(b));
}

async function fsck(
  rooms: Rooms,
  request: { readonly repair: boolean; readonly quick: boolean; readonly signal?: AbortSignal },
): Promise<readonly FsckFinding[]> {
  const store: Store = request.repair ? rooms.writer() : rooms.reader();
  const { packTree } = await import("../archive/index.ts");
  const verifyLayer = async (layer: Layer): Promise<Layer["diffId"]> => {
    const packed = await packTree(layer.tree, undefined, request.signal ? { signal: request.signal } : {});
    return packed.diffId;
  };
  const findings = await store.fsck({
    repair: request.repair,
    quick: request.quick,
    ...(request.quick ? {} : { verifyLayer }),
    ...(request.signal ? { signal: request.signal } : {}),
  });
  // What killed commands left is no damage: every command that writes clears it.
  return findings.filter(({ kind, repaired }) => kind !== "temporary" || repaired);
}
