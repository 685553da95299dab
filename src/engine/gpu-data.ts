// SPDX-License-Identifier: Apache-2.0
import {
  currentGpuData,
  fetchGpuData,
  formatGpuData,
  lookUpGpuFacts,
  parseGpuData,
  pushGpuData,
  resetGpuData,
  updateGpuData,
} from "../gpu/index.ts";
import type { CurrentGpuData, GpuDataChange } from "../gpu/index.ts";
import type {
  GpuDataApi,
  GpuDataChanged,
  GpuDataPushRequest,
  GpuDataSummary,
  GpuDataUpdateRequest,
} from "./facade-gpu-data.ts";
import { withVertex } from "./listener.ts";
import { openRemotePlace, refusePinned } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";

/** Compatibility data of an engine. */
export function gpuDataApi(rooms: Rooms): GpuDataApi {
  return {
    show: async () => summaryOf(await currentGpuData(rooms.reader())),
    document: async () => textOf(await currentGpuData(rooms.reader())),
    lookUp: async (name, version) => lookUpGpuFacts((await currentGpuData(rooms.reader())).data, name, version),
    update: (request) => update(rooms, request),
    reset: async () => changedOf(await resetGpuData(rooms.writer())),
    push: (request) => push(rooms, request),
  };
}

function summaryOf({ data, origin, from, at, digest }: CurrentGpuData): GpuDataSummary {
  const tables = Object.entries(data).filter(([, rows]) => Array.isArray(rows));
  return {
    schema: data.schema,
    version: data.version,
    date: data.date,
    origin,
    ...(from === undefined ? {} : { from }),
    ...(at === undefined ? {} : { updatedAt: new Date(at).toISOString() }),
    ...(digest === undefined ? {} : { digest }),
    counts: Object.fromEntries(tables.map(([name, rows]: [string, readonly unknown[]]) => [name, rows.length])),
  };
}

function textOf({ data }: CurrentGpuData): string {
  return formatGpuData(data);
}

function changedOf({ before, after }: GpuDataChange): GpuDataChanged {
  return { before: summaryOf(before), after: summaryOf(after) };
}

/** `gpu data update`. */
async function update(rooms: Rooms, request: GpuDataUpdateRequest): Promise<GpuDataChanged> {
  const { source, force } = request;
  const store = rooms.writer();
  if (source.kind === "bytes") {
    return changedOf(await updateGpuData(store, { bytes: source.bytes, from: source.name, force }));
  }
  const { listener, signal } = request;
  const place = await openRemotePlace(rooms.settings, source.reference, listener === undefined ? {} : { listener });
  return withVertex(request, `fetch ${place.shown}`, async () => {
    const bytes = await fetchGpuData(place, signal === undefined ? {} : { signal });
    return changedOf(await updateGpuData(store, { bytes, from: place.shown, force }));
  });
}

/** `gpu data push`. */
async function push(
  rooms: Rooms,
  request: GpuDataPushRequest,
): Promise<{ readonly reference: string; readonly digest: string; readonly version: string }> {
  refusePinned(request.reference);
  const bytes = request.bytes ?? Buffer.from(textOf(await currentGpuData(rooms.reader())));
  const { version } = parseGpuData(bytes.toString("utf8"));
  const { signal } = request;
  const place = await openRemotePlace(rooms.settings, request.reference);
  return withVertex(request, `push ${place.shown}`, async () => {
    const digest = await pushGpuData(place, bytes, signal === undefined ? {} : { signal });
    return { reference: place.shown, digest, version };
  });
}
