// SPDX-License-Identifier: Apache-2.0
import type {
  ContainerImage,
  ContainersContext,
  ContainerStats,
  LogRecord,
  StatsRequest,
} from "../containers/index.ts";
import type { FoundDevices } from "../gpu/index.ts";
import { parseImageConfig } from "../oci/index.ts";
import type { ImageConfig } from "../oci/index.ts";
import { parseLogConfig } from "../options/index.ts";
import type { LogConfig } from "../options/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { readCheckedBlob } from "./checked-blob.ts";
import type { ContainersApi, CreateRequest, LogsRequest } from "./facade-containers.ts";
import { devicesNow, noteUnaskedGpus, requiredDevices, requireSuitableGpus, withGpusOfVariable } from "./gpu-run.ts";
import { requireTrees } from "./deferred.ts";
import { lookUpImage, platformOf } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** The containers of an engine's store. */
export function containersApi(rooms: Rooms): ContainersApi {
  const room = (): Promise<typeof import("../containers/index.ts")> => import("../containers/index.ts");
  const change = (): Promise<ContainersContext> => rooms.containers();
  const look = (): Promise<ContainersContext> => rooms.containersToRead();
  return {
    run: async (request, io) => {
      const asked = await withGpusOfVariable(request);
      const { image, complete } = await prepared(rooms, asked, await requiredDevices(rooms, asked));
      return (await room()).runContainer(await change(), image, complete, io);
    },
    create: async (request) => {
      const asked = await withGpusOfVariable(request);
      const { image, complete } = await prepared(rooms, asked, await devicesNow(rooms, asked));
      return (await room()).createContainer(await change(), image, complete);
    },
    start: async (name, io) => (await room()).startContainer(await change(), name, io),
    attach: async (name, io) => (await room()).attachContainer(await change(), name, io),
    list: async (request) => (await room()).listContainers(await look(), request),
    logs: (request) => logs(rooms, request),
    logDetails: async (name) => (await room()).containerLogDetails(await look(), name),
    exec: async (request, io) => (await room()).execInContainer(await change(), request, io),
    stop: async (name, options) => (await room()).stopContainer(await change(), name, options),
    restart: async (name, options) => (await room()).restartContainer(await change(), name, options),
    kill: async (name, signal) => (await room()).killContainer(await change(), name, signal),
    pause: async (name) => (await room()).pauseContainer(await change(), name),
    unpause: async (name) => (await room()).unpauseContainer(await change(), name),
    rename: async (name, wanted) => (await room()).renameContainer(await change(), name, wanted),
    remove: async (name, options) => (await room()).removeContainer(await change(), name, options),
    wait: async (name, signal) => (await room()).waitContainer(await change(), name, signal),
    ports: async (name) => (await room()).containerPorts(await look(), name),
    inspect: async (name, options = {}) => (await room()).inspectContainer(await look(), name, options),
    security: async (name, of) => (await import("./container-security.ts")).security(rooms, name, of),
    prunable: async (filters) => (await room()).prunableContainers(await look(), filters),
    prune: async ({ filters }) => (await room()).pruneContainers(await change(), filters),
    changes: async (name) => (await room()).containerChanges(await look(), name),
    processes: async (name, words) => (await room()).containerProcesses(await look(), name, words),
    copyFrom: async (request, to) => (await import("./container-files.ts")).copyFrom(rooms, request, to),
    copyTo: async (request, from) => (await import("./container-files.ts")).copyTo(rooms, request, from),
    commit: async (request) => (await import("./container-commit.ts")).commit(rooms, request),
    setRestartPolicy: async (name, policy) => (await room()).setRestartPolicy(await change(), name, policy),
    update: async (name, changes, warn) => (await room()).updateContainer(await change(), name, changes, warn),
    stats: (request) => stats(rooms, request),
    export: async (name, output, signal) => {
      const { exportContainer } = await room();
      const { writeTo } = await import("./byte-streams.ts");
      const context = await look();
      await writeTo(rooms.settings.cwd, output, (sink) => exportContainer(context, name, sink, signal));
    },
    names: async (options) => (await room()).containerNames(await look(), options),
  };
}

interface Prepared {
  readonly image: ContainerImage;
  readonly complete: Parameters<typeof import("../containers/index.ts").createContainer>[2];
}

/** The image of a new container, and what it is made with. */
async function prepared(rooms: Rooms, request: CreateRequest, devices: FoundDevices | undefined): Promise<Prepared> {
  const log = await logConfigFor(rooms, request);
  const image = await imageFor(rooms, request);
  await noteUnaskedGpus(rooms, request, image);
  await requireSuitableGpus(rooms, request, { image, devices });
  return { image, complete: { ...(await withMountedImages(rooms, request)), log } };
}

/** Checked before an image is pulled. Throws `E_USAGE`, `E_UNSUPPORTED`, `E_SETTINGS`. */
async function logConfigFor(rooms: Rooms, request: CreateRequest): Promise<LogConfig> {
  const { logDefaults } = await import("./user-settings.ts");
  return parseLogConfig(request.logDriver, request.logOptions ?? [], logDefaults(rooms.settings));
}

async function* logs(rooms: Rooms, request: LogsRequest): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const { containerLogs } = await import("../containers/index.ts");
  const { container, ...options } = request;
  yield* containerLogs(await rooms.containersToRead(), container, options);
}

async function* stats(rooms: Rooms, request: StatsRequest): AsyncGenerator<readonly ContainerStats[], void, undefined> {
  const { containerStats } = await import("../containers/index.ts");
  yield* containerStats(await rooms.containersToRead(), request);
}

/** The request with the images that `--mount type=image` names, looked up or pulled as the container's own. */
async function withMountedImages(rooms: Rooms, request: CreateRequest): Promise<CreateRequest> {
  if (!request.mounts.some(({ type }) => type === "image")) return request;
  const mounts = request.mounts.map(async (mount) => {
    if (mount.type !== "image") return mount;
    return { ...mount, image: await imageFor(rooms, { ...request, image: mount.source }) };
  });
  return { ...request, mounts: await Promise.all(mounts) };
}

/** Which image is wanted, and how it may be brought. */
export type WantedImage = Pick<CreateRequest, "image" | "pull" | "platform" | "listener" | "signal">;

/** The image that a container is made of. Throws `E_IMAGE_NOTFOUND`; what a pull throws. */
export async function imageFor(rooms: Rooms, request: WantedImage): Promise<ContainerImage> {
  const store = rooms.writer();
  const record = await recordFor(rooms, request);
  const { id, config } = await configFor(store, record, request.platform);
  await requireTrees(rooms, config.rootfs.diff_ids, request);
  return {
    reference: request.image,
    id,
    target: record.target,
    diffIds: config.rootfs.diff_ids,
    defaults: config.config ?? {},
  };
}

/** An image that is here is found without loading what would pull it. */
async function recordFor(rooms: Rooms, request: WantedImage): Promise<ImageRecord> {
  const { image, pull, platform, listener, signal } = request;
  const doing = "looking up the image";
  const known = pull === "always" ? undefined : lookUpImage(rooms.writer(), image);
  if (known) return known;
  const { imageOrPull } = await import("./registry.ts");
  return imageOrPull(rooms, image, {
    policy: pull,
    doing,
    ...(platform === undefined ? {} : { platform }),
    ...(listener === undefined ? {} : { listener }),
    ...(signal === undefined ? {} : { signal }),
  });
}

interface FoundConfig {
  readonly id: ImageRecord["id"];
  readonly config: ImageConfig;
}

/** Without a platform the config is read by the record's id alone: one file, and no other room is loaded. */
export async function configFor(store: Store, record: ImageRecord, platform: string | undefined): Promise<FoundConfig> {
  if (platform === undefined) {
    return { id: record.id, config: parseImageConfig(readCheckedBlob(store, record.id).toString("utf8")) };
  }
  const { selectImage } = await import("../images/index.ts");
  const { manifest, config } = selectImage(store.blobs, record, platformOf(platform));
  return { id: manifest.config.digest, config };
}
