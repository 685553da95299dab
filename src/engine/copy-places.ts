// SPDX-License-Identifier: Apache-2.0
/* Opens the two places of a copy for as long as it takes. */
import * as fs from "node:fs";
import { resolve } from "node:path";
import { TareError, writeToPath } from "../base/index.ts";
import type { ImageSource, ImageTarget } from "../images/index.ts";
import { hostPlatform } from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import type { ImagePlace } from "../options/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Lease } from "../store/index.ts";
import { admitted } from "./admission.ts";
import { requireImageTrees } from "./deferred.ts";
import type { LongCall } from "./facade.ts";
import { fullName, requireImage } from "./image-lookup.ts";
import { keptBy } from "./image-transfer.ts";
import { remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";

/** What the places of one copy share. */
export interface CopyPlaces {
  readonly rooms: Rooms;
  readonly call: LongCall;
  /** That are copied; none: all. */
  readonly platforms: readonly Platform[];
  /** One client for each registry. */
  readonly clientFor: (domain: string) => Promise<RegistryClient>;
}

type FilePlace = Extract<ImagePlace, { path: string }>;

/** Reads from a place by `work`. */
export async function withSource<T>(
  places: CopyPlaces,
  place: ImagePlace,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  switch (place.kind) {
    case "registry": {
      const { registrySource } = await import("../images/index.ts");
      const name = remoteName(place.name);
      const { domain, repository, full, isPinned } = name;
      const client = await places.clientFor(domain);
      const tag = await admitted(places.rooms, { client, name, platforms: places.platforms, ...signalOf(places.call) });
      const remote = { client, repository, tag };
      return work(registrySource(remote, isPinned ? [] : [full]));
    }
    case "store":
      return withLease(places, (lease) => fromStore(places, place.name, { lease, work }));
    case "oci":
    case "oci-archive":
    case "docker-archive":
      return withLease(places, (lease) => fromFile(places, place, { lease, work }));
    case "docker-daemon":
      return withLease(places, (lease) => fromEngine(places, place.name, { lease, work }));
  }
}

async function withLease<T>({ rooms }: CopyPlaces, work: (lease: Lease) => Promise<T>): Promise<T> {
  const lease = rooms.writer().lease();
  try {
    return await work(lease);
  } finally {
    lease.release();
  }
}

interface Reading<T> {
  readonly lease: Lease;
  readonly work: (source: ImageSource) => Promise<T>;
}

async function fromStore<T>({ rooms, call }: CopyPlaces, name: string, { lease, work }: Reading<T>): Promise<T> {
  const { storeSource } = await import("../images/index.ts");
  const store = rooms.writer();
  const record = requireImage(store, name, "copying the image");
  lease.keep(keptBy(store, record));
  await requireImageTrees(rooms, record, call);
  return work(storeSource(store, record, name));
}

async function fromFile<T>({ rooms, call }: CopyPlaces, place: FilePlace, { lease, work }: Reading<T>): Promise<T> {
  const { dockerSource, layoutSource, openSource } = await import("../images/index.ts");
  const path = resolve(rooms.settings.cwd, place.path);
  requireKind(place, path);
  const source = await openSource(path, lease.folder, call.signal);
  const label = `\`${place.kind}:${place.path}\``;
  try {
    return await work(
      place.kind === "docker-archive"
        ? await dockerSource(source, label, place.name)
        : layoutSource(source, label, place.name),
    );
  } finally {
    source.close();
  }
}

/** Throws `E_USAGE` for a folder in place of a file, and the other way round. */
function requireKind({ kind, path: shown }: FilePlace, path: string): void {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  const wantsFolder = kind === "oci";
  if (!stats || stats.isDirectory() === wantsFolder) return;
  const [is, other] = wantsFolder ? ["a file", "`oci-archive:` or `docker-archive:`"] : ["a folder", "`oci:`"];
  throw new TareError("E_USAGE", `copying \`${kind}:${shown}\`: it is ${is}`, { hint: `write ${other} instead` });
}

async function fromEngine<T>({ rooms, call }: CopyPlaces, name: string, { lease, work }: Reading<T>): Promise<T> {
  const { dockerSource, openSource, readFromDocker } = await import("../images/index.ts");
  const endpoint = { host: rooms.settings.dockerHost, ...signalOf(call) };
  const source = await openSource(readFromDocker(endpoint, name), lease.folder, call.signal);
  try {
    return await work(await dockerSource(source, `\`docker-daemon:${name}\``, undefined));
  } finally {
    source.close();
  }
}

function signalOf({ signal }: LongCall): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Writes to a place by `work`; files and folders are whole when it has ended. */
export async function withTarget<T>(
  places: CopyPlaces,
  { place, names }: { readonly place: ImagePlace; readonly names: readonly string[] },
  work: (target: ImageTarget) => Promise<T>,
): Promise<T> {
  const { rooms, call } = places;
  const images = await import("../images/index.ts");
  switch (place.kind) {
    case "registry": {
      const { domain, repository, tag } = remoteName(place.name);
      return work(images.registryTarget({ client: await places.clientFor(domain), repository, tag }, rooms.writer()));
    }
    case "store": {
      const store = rooms.writer();
      const platform = hostPlatform(process.arch);
      return withLease(places, (lease) =>
        work(images.storeTarget({ store, lease, names: [fullName(place.name)], platform })),
      );
    }
    case "oci": {
      const folder = resolve(rooms.settings.cwd, place.path);
      requireKind(place, folder);
      return images.intoLayoutFolder(folder, { ...tagOf(place), names }, work);
    }
    case "oci-archive":
      return intoFile(places, place, (sink) =>
        images.intoArchive(sink, { format: "oci", ...tagOf(place), names }, work),
      );
    case "docker-archive": {
      const own = place.name === undefined ? names : [fullName(place.name)];
      return intoFile(places, place, (sink) => images.intoArchive(sink, { format: "docker", names: own }, work));
    }
    case "docker-daemon": {
      const form = { format: "docker", names: [fullName(place.name)] } as const;
      const endpoint = { host: rooms.settings.dockerHost, ...signalOf(call) };
      return images.streamIntoDocker(endpoint, (sink) => images.intoArchive(sink, form, work));
    }
  }
}

function tagOf({ name }: FilePlace): { readonly tag?: string } {
  return name === undefined ? {} : { tag: name };
}

async function intoFile<T>(
  { rooms }: CopyPlaces,
  place: FilePlace,
  write: (sink: Parameters<Parameters<typeof writeToPath>[1]>[0]) => Promise<T>,
): Promise<T> {
  const path = resolve(rooms.settings.cwd, place.path);
  requireKind(place, path);
  return writeToPath(path, write);
}
