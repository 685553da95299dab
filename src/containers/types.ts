// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import type { DevicePlaces } from "../gpu/index.ts";
import type { Join } from "../network/index.ts";
import type { GpuRequest, Link, PortBinding } from "../options/index.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { LogConfig, RestartPolicy } from "../options/index.ts";
import type { Healthcheck } from "../oci/index.ts";
import type { RestartState } from "./restart-policy.ts";
import type { NamespaceRequest, ResourceRequest, SecurityRequest } from "./request.ts";

/** The part of an OCI image configuration that a container inherits (config.md, "Properties", `config`). */
export interface ImageDefaults {
  readonly User?: string | undefined;
  readonly Env?: readonly string[] | null | undefined;
  readonly Entrypoint?: readonly string[] | null | undefined;
  readonly Cmd?: readonly string[] | null | undefined;
  readonly Volumes?: Readonly<Record<string, object>> | null | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | null | undefined;
  readonly StopSignal?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null | undefined;
  readonly Healthcheck?: Healthcheck | null | undefined;
  /** What `CMD-SHELL` of a health check runs with. */
  readonly Shell?: readonly string[] | null | undefined;
}

/** The image a container is made from, resolved: the caller has checked that its layers are in the store. */
export interface ContainerImage {
  /** As the user wrote it. */
  readonly reference: string;
  /** Digest of the image config (Docker's image ID). */
  readonly id: Digest;
  /** Digest of what the name pointed to (manifest or index). */
  readonly target: Digest;
  /** Layers, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly defaults: ImageDefaults;
}

/** The merged configuration of a container, in the words of Docker's `Config`. */
export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint: readonly string[] | null;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Volumes: Readonly<Record<string, object>> | null;
  readonly ExposedPorts: Readonly<Record<string, object>> | null;
  readonly StopSignal: string | undefined;
  readonly StopTimeout: number | undefined;
  readonly Healthcheck: Healthcheck | undefined;
  readonly Shell?: readonly string[] | undefined;
}

/** A mount of a container, resolved: `source` is a host path (empty for tmpfs). */
export interface MountPoint {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Volume name. */
  readonly name?: string | undefined;
  /** The volume was made for this container alone. */
  readonly anonymous?: boolean | undefined;
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  readonly recursive: boolean;
  /** `readonly`: what is mounted below the source is read-only too. */
  readonly recursiveReadOnly?: boolean | undefined;
  /** Volume: do not fill it from the image. */
  readonly noCopy?: boolean | undefined;
  /** Volume: in memory, this container's alone. */
  readonly inMemory?: boolean | undefined;
  /** Volume, image: a path in it, resolved when the container starts and never beyond it. */
  readonly subpath?: string | undefined;
  /** Volume: labels and options for one that is not there yet. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
  /** Image: what is mounted; the store keeps it while the record is there. */
  readonly image?: { readonly id: Digest; readonly target: Digest; readonly layers: readonly Digest[] } | undefined;
  /** Bind: make a missing source directory. */
  readonly createSource?: boolean | undefined;
  /** Further mount options (`size=…`, `mode=…`, `noexec`). */
  readonly options: readonly string[];
}

/** The host's side of a container: what the runtime needs besides `ContainerConfig`. */
export interface HostSettings {
  readonly resources: ResourceRequest;
  readonly security: SecurityRequest;
  /** Devices by name, looked up at every start; absent: none. */
  readonly deviceRequests?: readonly GpuRequest[] | undefined;
  /** Where they are looked for; absent: where they usually are. */
  readonly devicePlaces?: DevicePlaces | undefined;
  readonly namespaces: NamespaceRequest;
  /** Docker's NetworkMode: `none`, `host`, `container:<id>`, `bridge`, or the first network's name. */
  readonly network: string;
  /** The networks that it joins when it starts; absent in records of versions without networks. */
  readonly joins?: readonly Join[] | undefined;
  /** Published when it starts, addresses filled in. */
  readonly ports?: readonly PortBinding[] | undefined;
  readonly publishAll?: boolean | undefined;
  readonly links?: readonly Link[] | undefined;
  readonly readOnly: boolean;
  readonly init: boolean;
  readonly autoRemove: boolean;
  /** Absent: `no`. */
  readonly restart?: RestartPolicy | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly addHosts: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly runtime: string | undefined;
  readonly cgroupParent: string | undefined;
  /** Absent: files with the usual limits. */
  readonly log?: LogConfig | undefined;
}

/** How a run ended. Times in milliseconds since the epoch. */
export interface RunEnd {
  readonly exitCode: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly oomKilled: boolean;
  readonly error: string;
}

/** The run before the one that is being started. */
export interface PreviousRun extends RunEnd {
  readonly status: "exited" | "restarting";
}

/**
 * What was last written about a container's life. It is not what is true: a reader derives that from the processes
 * and the exit file (`deriveState`).
 *
 *     created → running(starting) → running(started) → exited → running …
 *                   └─ restarting ←────────┘             │
 *        └──────────────┴────────────────┴──────────────┴──→ removing → (gone)
 */
export type StoredState =
  | { readonly status: "created" }
  | {
      readonly status: "running";
      readonly mode: "foreground" | "detached";
      /** Foreground: the `tare` process. Detached: the starting `tare` process, then conmon. */
      readonly supervisor: ProcessIdentity;
      readonly started: boolean;
      /** The first process of the container, once known. */
      readonly process?: ProcessIdentity | undefined;
      readonly startedAt: number;
      /** What it was before this start. */
      readonly previous?: PreviousRun | undefined;
      /** Its processes are stopped where they are. */
      readonly paused?: boolean | undefined;
      /** Who is clearing up after it; nobody else may, while that process lives. */
      readonly claimedBy?: ProcessIdentity | undefined;
    }
  | ({ readonly status: "exited" } & RunEnd)
  | ({
      /** It has ended, and its restart policy starts it again. */
      readonly status: "restarting";
      /** Milliseconds since the epoch. */
      readonly due: number;
      /** Who is making the waiter; in a boot where this process and the waiter are gone nothing will start it. */
      readonly preparedBy: ProcessIdentity;
      /** The process that waits and then starts it. */
      readonly waiter?: ProcessIdentity | undefined;
    } & RunEnd)
  | { readonly status: "removing"; readonly by: ProcessIdentity };

/**
 * A container as kept in the store. Never changed in place. Prune reads `layers`, `imageId`, `imageTarget` and
 * `state.status` of it.
 */
export interface ContainerRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The image as the user wrote it. */
  readonly image: string;
  /** Digest of the image config. */
  readonly imageId: Digest;
  /** Digest of what the name pointed to. */
  readonly imageTarget: Digest;
  /** diffIDs, lowest first; the store keeps these layers while the record is there. */
  readonly layers: readonly Digest[];
  readonly config: ContainerConfig;
  readonly host: HostSettings;
  readonly mounts: readonly MountPoint[];
  /** Absent: never restarted, never stopped by a user. */
  readonly restart?: RestartState | undefined;
  readonly state: StoredState;
}

/** The truth about a container at this moment. */
export interface DerivedState {
  readonly status: "created" | "running" | "restarting" | "exited" | "removing" | "dead";
  readonly paused: boolean;
  /** 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  /** Milliseconds since the epoch; 0: never. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly oomKilled: boolean;
  readonly error: string;
}
