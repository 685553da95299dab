// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";
import type { ContainerImage } from "./types.ts";
import type { Healthcheck } from "../oci/index.ts";
import type { ResourceLimits } from "../runtime/index.ts";
import type { GpuRequest, Link, LogConfig, NetworkAttachment, PortBinding, RestartPolicy } from "../options/index.ts";

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
      /** What is mounted below the source becomes read-only too. */
      readonly recursiveReadOnly?: boolean;
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
      /** Of a volume that is not there yet. */
      readonly labels?: Readonly<Record<string, string>>;
      readonly driverOptions?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: "image";
      /** As the user wrote it. */
      readonly source: string;
      readonly target: string;
      readonly readonly: true;
      readonly subpath?: string;
      /** The image it names; put in before the container is made. */
      readonly image?: ContainerImage;
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

/** A weight or a rate of one block device of the host. */
export interface DeviceValue {
  readonly path: string;
  readonly value: number;
}

/** Limits; absent = not limited. Sizes in bytes. Devices are named by path: they are looked up at every start. */
export interface ResourceRequest extends Omit<ResourceLimits, `${string}Devices`> {
  readonly shmSize?: number;
  readonly oomScoreAdjust?: number;
  readonly blkioWeightDevices?: readonly DeviceValue[];
  /** Bytes, or operations, a second. */
  readonly deviceReadBps?: readonly DeviceValue[];
  readonly deviceReadIops?: readonly DeviceValue[];
  readonly deviceWriteBps?: readonly DeviceValue[];
  readonly deviceWriteIops?: readonly DeviceValue[];
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
  readonly ipc?: string;
  readonly pid?: string;
  readonly uts?: string;
  readonly cgroup?: "host" | "private";
  /** `host`, or `keep-id` with its parts as written. */
  readonly user?: string;
}

/** How a container is joined to networks, and what of it can be reached from outside. */
export interface NetworkRequest {
  /** `default`, `bridge`, `none`, `host`, `container:NAME`, or a network's name or id. */
  readonly mode: string;
  /** The first is that of `mode`; further ones are user-defined networks. */
  readonly attachments: readonly NetworkAttachment[];
  readonly links: readonly Link[];
  /** `-p`; an address "" is the settings' one. */
  readonly ports: readonly PortBinding[];
  /** `-P`: all exposed ports. */
  readonly publishAll: boolean;
  /** `--expose`, as `80/tcp`. */
  readonly exposed: readonly string[];
}

/** `create`, and the part of `run` that makes the container. */
export interface CreateRequest {
  /** As the user wrote it. */
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
  /** `--volumes-from`: `container[:ro|rw]`, as written. */
  readonly volumesFrom?: readonly string[];
  readonly readOnly: boolean;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly init: boolean;
  readonly autoRemove: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly resources: ResourceRequest;
  readonly security: SecurityRequest;
  /** Devices by name: `--device vendor.com/class=name`, `--gpus`. Absent: none. */
  readonly deviceRequests?: readonly GpuRequest[];
  /** What happens where the image can't run on the GPUs that it would get; absent: error. */
  readonly gpuCheck?: "error" | "warn" | "off";
  readonly namespaces: NamespaceRequest;
  /** Absent: the default network, nothing published. */
  readonly network?: NetworkRequest;
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
  readonly runtime?: string;
  readonly cgroupParent?: string;
  /** Absent: `no`. */
  readonly restart?: RestartPolicy;
  readonly noHealthcheck: boolean;
  /** `--log-driver` and `--log-opt`; absent: the default. */
  readonly log?: LogConfig;
  /** `--health-…`: what is absent, 0 or empty is the image's. */
  readonly healthcheck?: Healthcheck;
  /** Host path that receives the id; must not exist. */
  readonly cidfile?: string;
  /** Told what is left out because this host lacks it. */
  readonly onWarning?: (text: string) => void;
  /** Told what a flag changes besides what it says. */
  readonly onNote?: (text: string) => void;
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
  /** Bytes that end the session and not the program, for a terminal; absent: ctrl-p ctrl-q. Empty: none. */
  readonly detachKeys?: readonly number[];
  /** Signals to hand on to the process; absent with `--sig-proxy=false`. The result stops the listening. */
  readonly onSignal?: (listener: (signal: NodeJS.Signals) => void) => () => void;
}

/** How a container began. `exitCode` only when it was run in the foreground. */
export interface RunResult {
  readonly id: string;
  readonly exitCode?: number;
  /** The user left it running. */
  readonly isDetached?: boolean;
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
