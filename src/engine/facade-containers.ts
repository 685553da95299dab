// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";
import type { ByteSink, Filters, InspectDocument } from "./facade.ts";

/** A mount of a container, from `-v`, `--mount` or `--tmpfs`. Sources of binds are absolute. */
export type ContainerMount =
  | {
      readonly type: "bind";
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      /** `-v` makes a missing source directory, `--mount` refuses it. */
      readonly createSource: boolean;
      readonly recursive: boolean;
      readonly propagation?: string;
      readonly selinux?: "shared" | "private";
    }
  | {
      readonly type: "volume";
      /** Absent: an anonymous volume. */
      readonly source?: string;
      readonly target: string;
      readonly readonly: boolean;
      /** Do not fill an empty volume from the image's path. */
      readonly noCopy: boolean;
      readonly subpath?: string;
    }
  | {
      readonly type: "tmpfs";
      readonly target: string;
      readonly readonly: boolean;
      /** Bytes. */
      readonly size?: number;
      readonly mode?: number;
      /** Further mount options as written (`noexec`, `uid=…`). */
      readonly options: readonly string[];
    };

/** `--device`. */
export interface DeviceRequest {
  readonly source: string;
  readonly target: string;
  /** Of `r`, `w`, `m`. */
  readonly permissions: string;
}

/** Limits; absent = not limited. Sizes in bytes. */
export interface ResourceRequest {
  readonly memory?: number;
  readonly memoryReservation?: number;
  /** Memory plus swap; -1 = unlimited swap. */
  readonly memorySwap?: number;
  /** Thousand-millionths of a CPU: `--cpus 1.5` = 1500000000. */
  readonly nanoCpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1 or 0 = unlimited. */
  readonly pidsLimit?: number;
  readonly shmSize?: number;
  readonly oomScoreAdjust?: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
}

/** What a container may do. */
export interface SecurityRequest {
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** As written: `seccomp=unconfined`, `no-new-privileges:false`, `apparmor=…`, `label=…`, `systempaths=unconfined`. */
  readonly securityOptions: readonly string[];
  readonly privileged: boolean;
  readonly devices: readonly DeviceRequest[];
  readonly deviceCgroupRules: readonly string[];
  readonly groupAdd: readonly string[];
}

/** Namespaces; absent = the default (private where Docker's is). */
export interface NamespaceRequest {
  /** `none` or `host`; other modes are refused before they come here. */
  readonly network?: string;
  readonly ipc?: string;
  readonly pid?: string;
  readonly uts?: string;
  readonly cgroup?: "host" | "private";
  readonly user?: "host";
}

/** `create`, and the part of `run` that makes the container. */
export interface CreateRequest {
  readonly image: string;
  /** Empty: the image's CMD. */
  readonly command: readonly string[];
  /** `--entrypoint`: one program, or `""` to clear the image's; absent: the image's ENTRYPOINT. */
  readonly entrypoint?: string;
  readonly name?: string;
  readonly interactive: boolean;
  readonly tty: boolean;
  /** `KEY=value`, already resolved from `-e` and `--env-file`; a `KEY` alone unsets the image's variable. */
  readonly env: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly mounts: readonly ContainerMount[];
  readonly readOnly: boolean;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly init: boolean;
  readonly autoRemove: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly resources: ResourceRequest;
  readonly security: SecurityRequest;
  readonly namespaces: NamespaceRequest;
  readonly sysctls: Readonly<Record<string, string>>;
  /** `host:ip` as written, `=` allowed. */
  readonly addHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** Signal name or number as written. */
  readonly stopSignal?: string;
  /** Seconds. */
  readonly stopTimeout?: number;
  readonly pull: "always" | "missing" | "never";
  readonly platform?: string;
  readonly runtime?: string;
  readonly cgroupParent?: string;
  readonly noHealthcheck: boolean;
  /** Host path that receives the id; must not exist. */
  readonly cidfile?: string;
  readonly signal?: AbortSignal;
}

/** The user's terminal, for `-t`. */
export interface Terminal {
  size(): { readonly columns: number; readonly rows: number };
  /** Calls the listener at every change of size; the result stops that. */
  onResize(listener: () => void): () => void;
  /** Raw mode on the user's side; the engine sets it once the process runs and always resets it. */
  setRaw(raw: boolean): void;
}

/**
 * Where a foreground process reads and writes. A number is a file descriptor of this process that the engine may
 * hand on as it is (the fast way without `-t`). With a terminal, the engine copies between the pty and these.
 */
export interface ProcessIo {
  /** Absent: the process reads end-of-file at once. */
  readonly stdin?: number | Readable;
  readonly stdout: number | Writable;
  readonly stderr: number | Writable;
  readonly terminal?: Terminal;
  /** Signals to hand on to the process; absent with `--sig-proxy=false`. The result stops the listening. */
  readonly onSignal?: (listener: (signal: NodeJS.Signals) => void) => () => void;
}

/** How a container began. `exitCode` only when it was run in the foreground. */
export interface RunResult {
  readonly id: string;
  readonly exitCode?: number;
}

/** `exec`. */
export interface ExecRequest {
  readonly container: string;
  readonly command: readonly string[];
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detach: boolean;
  readonly env: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly privileged: boolean;
  readonly signal?: AbortSignal;
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
  readonly networks: readonly string[];
  /** As `ps` shows them: `0.0.0.0:80->8080/tcp`. */
  readonly ports: readonly string[];
  /** Bytes written above the image, and of the whole; only when asked for. */
  readonly size?: { readonly writable: number; readonly root: number };
}

/** One piece of output. */
export interface LogRecord {
  readonly stream: 1 | 2;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** RFC 3339 with nanoseconds, for `--timestamps`. */
  readonly timestamp: string;
  /** Bytes of a line with its line feed, or a part of a line. */
  readonly data: Uint8Array;
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

/** Containers. `container` is a name, an id or a unique id prefix; absent ones throw `E_CONTAINER_NOTFOUND`. */
export interface ContainersApi {
  /** Creates and starts; in the foreground waits for the end and removes with `autoRemove`. */
  run(request: CreateRequest, io: ProcessIo | "detached"): Promise<RunResult>;
  create(request: CreateRequest): Promise<{ readonly id: string }>;
  /** Starts a created or stopped one; with `io` attaches to it and waits. */
  start(container: string, io?: ProcessIo): Promise<RunResult>;
  /** Newest first. */
  list(request: ContainerListRequest): Promise<readonly ContainerSummary[]>;
  logs(request: LogsRequest): AsyncIterable<LogRecord>;
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
  inspect(container: string, options?: { readonly size?: boolean }): Promise<InspectDocument>;
  /** Removes those that do not run. Filters: until, label, label!. */
  prune(request: {
    readonly filters: Filters;
  }): Promise<{ readonly ids: readonly string[]; readonly reclaimed: number }>;
  /** Writes the container's root file system as a tar. */
  export(container: string, output: ByteSink, signal?: AbortSignal): Promise<void>;
  /** All names, for completion; fast. */
  names(options: { readonly all: boolean }): Promise<readonly string[]>;
}
