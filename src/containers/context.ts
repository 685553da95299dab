// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import type { DevicePlaces } from "../gpu/index.ts";
import { Networks } from "../network/index.ts";
import type { DocumentStore, Store } from "../store/index.ts";
import { withEvents } from "./events.ts";
import { identify } from "./process-identity.ts";
import type { ProcessIdentity, ProcessTable } from "./process-identity.ts";
import type { GpuUsage } from "./gpu-usage.ts";
import type { Restarter } from "./restarter.ts";
import type { ContainerRuntime } from "./runtime-port.ts";
import type { StateFiles } from "./state.ts";
import type { ContainerRecord, HostSettings } from "./types.ts";

/** What the functions of this area work with; made once per command. */
export interface ContainersContext {
  readonly store: Store;
  readonly runtime: ContainerRuntime;
  readonly processes: ProcessTable;
  /** Starts containers again whose restart policy says so. */
  readonly restarter: Restarter;
  /** Told when a container's health changes: program and arguments; its id and the status are added. Empty: nobody. */
  readonly healthCommand: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where `stats` asks for the use of GPUs; absent: it shows none. */
  readonly gpuUsage?: GpuUsage;
  /** Where devices are looked for that new containers ask for by name; absent: where they usually are. */
  readonly devicePlaces?: () => DevicePlaces;
  /** Where ports are published that name no address; absent: 127.0.0.1. */
  readonly publishAddress?: () => string;
  /** Finds an image for `--filter ancestor=`; undefined when there is none. */
  readonly findImage?: (text: string) => { readonly id: Digest; readonly diffIds: readonly Digest[] } | undefined;
}

/**
 * A container's folder:
 *
 *     containers/<id>/
 *       config.json        the OCI bundle
 *       upper/  work/      its overlayfs layer
 *       rootfs/            where the root file system is mounted, in the container's own mount namespace
 *       mount-points/      for files that come with devices
 *       etc/               hosts, hostname, resolv.conf as mounted over the image's
 *       logs/  log.pipe    output: numbered files, and how it gets there
 *       health/            of the health check
 *       pid  oom  exits/   written by the runtime and conmon
 */
export interface ContainerFiles extends StateFiles {
  readonly folder: string;
  readonly upper: string;
  readonly work: string;
  readonly rootfs: string;
  readonly etc: string;
  /** Empty files and folders that files of devices are mounted on: the lowest layer. */
  readonly mountPoints: string;
  /** Folder of the log's files. */
  readonly logs: string;
  /** What conmon writes a log of files into. */
  readonly logPipe: string;
  /** Where conmon writes the exit code, as a file named by the id. */
  readonly exits: string;
  readonly supervisorPid: string;
  /** What the runtime wrote about the last start. */
  readonly runtimeLog: string;
  /** What the watcher of the container's health check writes. */
  readonly health: string;
  /** Made by `wait`, so that a supervisor that removes its container leaves it time to read the exit code. */
  readonly waiting: string;
}

/** The paths of one container. Touches nothing. */
export function filesOf(context: Pick<ContainersContext, "store">, id: string): ContainerFiles {
  const folder = join(context.store.containersRoot, id);
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    upper: at("upper"),
    work: at("work"),
    rootfs: at("rootfs"),
    etc: at("etc"),
    mountPoints: at("mount-points"),
    logs: at("logs"),
    logPipe: at("log.pipe"),
    pidFile: at("pid"),
    exits: at("exits"),
    exitFile: join(folder, "exits", id),
    supervisorPid: at("conmon.pid"),
    runtimeLog: at("runtime.log"),
    oomFile: at("oom"),
    health: at("health"),
    waiting: at("waiting"),
  };
}

/** The kind of document that containers are kept as. */
const CONTAINER_KIND = "container";

/** The records of all containers; with `host`, for changes of one of them: that of a `--rm` container may be lost in a power cut. */
export function recordsOf(
  context: Pick<ContainersContext, "store">,
  host?: Pick<HostSettings, "autoRemove">,
): DocumentStore<ContainerRecord> {
  const { documents, events } = context.store;
  return withEvents(documents<ContainerRecord>(CONTAINER_KIND, { lasting: host?.autoRemove !== true }), events);
}

/** The networks of this store. */
export function networksOf(context: Pick<ContainersContext, "store">): Networks {
  return new Networks(context.store);
}

/** Who this process is. */
export function ownIdentity(context: ContainersContext): ProcessIdentity {
  const { processes } = context;
  return identify(process.pid, processes) ?? { pid: process.pid, startTime: "0", bootId: processes.bootId() };
}
