// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import type { ByteSink } from "../base/index.ts";
import { loadBundle, planBundle, saveBundle } from "../images/index.ts";
import type { BundleDocument } from "../images/index.ts";
import { hostPlatform } from "../oci/index.ts";
import type { ImageRecord } from "../store/index.ts";
import type { BundleApi, BundleReport, BundleRequest, LoadBundleRequest } from "./facade-bundle.ts";
import { writeTo } from "./byte-streams.ts";
import { requireImageTrees } from "./deferred.ts";
import { itemsOf, keptBy } from "./image-transfer.ts";
import { shortName } from "./image-lookup.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** The bundles of an engine's store. */
export function bundleApi(rooms: Rooms): BundleApi {
  return { create: (request) => create(rooms, request), load: (request) => load(rooms, request) };
}

/** `bundle`. A file appears whole or not at all. */
async function create(rooms: Rooms, request: BundleRequest): Promise<BundleReport> {
  const store = rooms.writer();
  const { output, signal } = request;
  const { cwd } = rooms.settings;
  const items = request.images.flatMap((name) => itemsOf(store, name));
  const lease = store.lease();
  try {
    lease.keep(items.flatMap(({ record }) => keptBy(store, record)));
    return await withVertex(request, `bundle ${request.images.join(", ")}`, async () => {
      const content = await planBundle(store, {
        items,
        files: request.files.map((file) => resolve(cwd, file)),
        ...(request.wheels ? { wheels: await rooms.wheels() } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      lease.keep(content.items.flatMap(({ record }) => keptBy(store, record)));
      lease.keep([...content.bundle.wheels, ...content.bundle.claims.packs].map(({ digest }) => digest));
      for (const { record } of content.items) await requireImageTrees(rooms, record, request);
      const save = (sink: ByteSink): Promise<void> => saveBundle(store, content, sink, signal);
      await writeTo(cwd, output, save);
      const records = content.items.map(({ record }) => record);
      return reportOf(records, content.bundle, countClaims(content.bundle));
    });
  } finally {
    lease.release();
  }
}

/** `bundle --load`. */
async function load(rooms: Rooms, request: LoadBundleRequest): Promise<BundleReport> {
  const { input, signal, isTrusted } = request;
  const { cwd } = rooms.settings;
  const source = typeof input === "string" ? resolve(cwd, input) : input;
  const label = typeof input === "string" ? `load ${input}` : "load the standard input";
  const wheels = await rooms.wheels();
  const { records, bundle, claims } = await withVertex(request, label, () =>
    loadBundle(rooms.writer(), source, {
      host: hostPlatform(process.arch),
      wheels,
      isTrusted,
      ...(request.files === undefined ? {} : { files: resolve(cwd, request.files) }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  return reportOf(records, bundle, claims);
}

function countClaims({ claims }: BundleDocument): number {
  return Object.values(claims).reduce((sum, { length }) => sum + length, 0);
}

function reportOf(records: readonly ImageRecord[], { wheels, files }: BundleDocument, claims: number): BundleReport {
  return {
    images: records.map(({ id, names: [name] }) => ({ id, ...(name === undefined ? {} : { name: shortName(name) }) })),
    wheels: wheels.map(({ fileName, size }) => ({ fileName, size })),
    files: files.map(({ name }) => name),
    claims,
  };
}
