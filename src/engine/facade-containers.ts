// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";
import type { RestartPolicy } from "../options/index.ts";
import type { BuildListener } from "../solver/index.ts";
import type {
  ContainerChange,
  ContainerProcesses,
  ContainerStats,
  CreateRequest as ContainerRequest,
  ExecRequest,
  LimitChanges,
  LogRecord,
  ProcessIo,
  RunResult,
  SecurityReport,
  StatsRequest,
  PrunedContainer,
} from "../containers/index.ts";
import type { ByteSink, Filters, InspectDocument, LongCall } from "./facade.ts";

export type {
  ContainerChange,
  ContainerMount,
  ContainerProcesses,
  ContainerStats,
  DeviceRequest,
  DeviceValue,
  ExecRequest,
  LimitChanges,
  LogRecord,
  NamespaceRequest,
  NetworkRequest,
  ProcessIo,
  PrunedContainer,
  ResourceRequest,
  RunResult,
  SecurityFinding,
  SecurityReport,
  SecurityRequest,
  StatsRequest,
  Terminal,
} from "../containers/index.ts";

/** `create`, and the part of `run` that makes the container. */
export interface CreateRequest extends Omit<ContainerRequest, "log"> {
  readonly pull: "always" | "missing" | "never";
  readonly platform?: string;
  /** `--log-driver` and `--log-opt` as written; the rest is the settings'. */
  readonly logDriver?: string;
  readonly logOptions?: readonly string[];
  /** Told when the image has to be pulled. */
  readonly listener?: BuildListener;
}

/** States as Docker names them. */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** A row of `ps`. Times in milliseconds since the epoch. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** As the user wrote it when the container was made. */
  readonly image: string;
  readonly imageId: string;
  readonly command: readonly string[];
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly state: ContainerState;
  readonly exitCode?: number;
  readonly health?: "starting" | "healthy" | "unhealthy";
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly string[];
  /** How many of the mounts are volumes. */
  readonly localVolumes: number;
  readonly networks: readonly string[];
  /** As `ps` shows them: `0.0.0.0:80->8080/tcp`. */
  readonly ports: readonly string[];
  /** Bytes written above the image, and of the whole; only when asked for. */
  readonly size?: { readonly writable: number; readonly root: number };
}

/** `logs`. */
export interface LogsRequest {
  readonly container: string;
  readonly follow: boolean;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Lines from the end; absent = all. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/** `cp`: one side is a container. */
export interface CopyFilesRequest extends LongCall {
  readonly container: string;
  /** In the container; counts from its root. A slash or `/.` at its end means what it means to Docker. */
  readonly path: string;
  /** Follow a link that is the source. */
  readonly followLink: boolean;
  /** Keep owners of files copied out; files copied in belong to the container's user, where it has one. */
  readonly archive: boolean;
}

/** `commit`. */
export interface CommitRequest extends LongCall {
  readonly container: string;
  /** Absent: the image has only its id. */
  readonly name?: string;
  /** Dockerfile instructions for the image's config. */
  readonly changes: readonly string[];
  readonly author?: string;
  readonly message?: string;
  /** Let a running container stand still meanwhile. */
  readonly pause: boolean;
}

/** `ps`. */
export interface ContainerListRequest {
  /** Also those that do not run; implied by a `status` or `exited` filter. */
  readonly all: boolean;
  /** The newest so many, whatever their state; -1 = no limit. */
  readonly last: number;
  readonly size: boolean;
  /** id, name, label, status, exited, ancestor, before, since, volume, network, health. */
  readonly filters: Filters;
}

/** A published port: `80/tcp`, and where it is reached: `127.0.0.1:8080`. */
export interface PublishedAt {
  readonly port: string;
  readonly address: string;
}

/** Containers. `container` is a name, an id or a unique id prefix; absent ones throw `E_CONTAINER_NOTFOUND`. */
export interface ContainersApi {
  /** Creates and starts; in the foreground waits for the end and removes with `autoRemove`. */
  run(request: CreateRequest, io: ProcessIo | "detached"): Promise<RunResult>;
  create(request: CreateRequest): Promise<{ readonly id: string }>;
  /** Starts a created or stopped one; with `io` attaches to it and waits. */
  start(container: string, io?: ProcessIo): Promise<RunResult>;
  /** Joins a running one's streams to `io` until its end or the detach keys. Throws `E_CONTAINER_STATE`. */
  attach(container: string, io: ProcessIo): Promise<RunResult>;
  /** Newest first. */
  list(request: ContainerListRequest): Promise<readonly ContainerSummary[]>;
  /** The output in batches, each as soon as it is there. */
  logs(request: LogsRequest): AsyncIterable<readonly LogRecord[]>;
  /** What `logs --details` prints before every line. */
  logDetails(container: string): Promise<string>;
  /** The exit code of the program; 0 at once with `detach`. */
  exec(request: ExecRequest, io: ProcessIo): Promise<number>;
  /** Sends the stop signal (default: the container's), then SIGKILL after `timeout` seconds (-1 = never). */
  stop(container: string, options: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  /** Stops if it runs, then starts. */
  restart(container: string, options: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  /** Throws `E_CONTAINER_STATE` when it does not run. */
  kill(container: string, signal: string): Promise<void>;
  pause(container: string): Promise<void>;
  unpause(container: string): Promise<void>;
  rename(container: string, name: string): Promise<void>;
  /** Throws `E_CONTAINER_STATE` for a running one without `force`. */
  remove(container: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void>;
  /** The exit code, as soon as it does not run. */
  wait(container: string, signal?: AbortSignal): Promise<number>;
  /** What a container may do; with `image` what a container of that image would be allowed without any flag. */
  security(name: string, of: "container" | "image"): Promise<SecurityReport>;
  /** Published ports of a running container; none when it does not run. */
  ports(container: string): Promise<readonly PublishedAt[]>;
  inspect(container: string, options?: { readonly size?: boolean }): Promise<InspectDocument>;
  /** What `prune` would remove at this moment. */
  prunable(filters: Filters): Promise<readonly PrunedContainer[]>;
  /** Removes those that do not run. Filters: until, label, label!. */
  prune(request: {
    readonly filters: Filters;
  }): Promise<{ readonly ids: readonly string[]; readonly reclaimed: number }>;
  /** What differs from the image, by path. */
  changes(container: string): Promise<readonly ContainerChange[]>;
  /** The host's `ps` with these arguments, its rows of the container only. Throws `E_CONTAINER_STATE`. */
  processes(container: string, psArguments: readonly string[]): Promise<ContainerProcesses>;
  /** To a local path (relative to the engine's `cwd`), or as a tar to a stream. Bytes that went over. */
  copyFrom(request: CopyFilesRequest, to: string | Writable): Promise<number>;
  /** From a local path, or from a tar. */
  copyTo(request: CopyFilesRequest, from: string | Readable): Promise<number>;
  /** An image of what the container has become. Throws `E_CHANGE`, `E_REF`. */
  commit(request: CommitRequest): Promise<{ readonly id: string; readonly name?: string }>;
  /** Changes limits, of a running one at once; `warn` is told what this kernel lacks. Throws `E_USAGE`. */
  /** `update --restart`. Throws `E_USAGE` for one that removes itself. */
  setRestartPolicy(container: string, policy: RestartPolicy): Promise<void>;
  update(container: string, changes: LimitChanges, warn?: (text: string) => void): Promise<void>;
  /** Rounds of what containers use, until the signal or after one without `stream`. */
  stats(request: StatsRequest): AsyncIterable<readonly ContainerStats[]>;
  /** Writes the container's root file system as a tar. */
  export(container: string, output: ByteSink, signal?: AbortSignal): Promise<void>;
  /** All names, for completion; fast. */
  names(options: { readonly all: boolean }): Promise<readonly string[]>;
}
