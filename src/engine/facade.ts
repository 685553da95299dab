// SPDX-License-Identifier: Apache-2.0
/**
 * The face of the product: what the command line, the HTTP API and library users call. Requests and answers are plain
 * immutable data with Docker's meanings; nothing here prints. Container requests are in `facade-containers.ts`.
 *
 * Every method may reject with a `TareError`; `E_ABORTED` when its `signal` fires. Long work reports through a
 * `BuildListener`, so that one renderer draws builds, base images, loads and saves alike.
 */
import type { Readable, Writable } from "node:stream";
import type { BuildListener } from "../solver/index.ts";
import type { ContainersApi } from "./facade-containers.ts";
import type { EventsRequest, StoreEvent } from "./facade-events.ts";
import type { BootApi } from "./facade-boot.ts";
import type { LocksApi } from "./facade-lock.ts";
import type { GpusApi } from "./facade-gpu.ts";
import type { NetworksApi } from "./facade-networks.ts";
import type { WheelsApi } from "./facade-wheels.ts";
import type { DevelopApi } from "./facade-develop.ts";
import type { GpuDataApi } from "./facade-gpu-data.ts";
import type { BundleApi } from "./facade-bundle.ts";
import type { RegistryApi } from "./facade-registry.ts";
import type { SizeApi } from "./facade-size.ts";
import type { TrustApi } from "./facade-trust.ts";
import type { VolumesApi } from "./facade-volumes.ts";
import type { BuildRequest, BuildResult, PlainDockerfile, ProjectDecision } from "./types.ts";

/** How an engine is opened. */
export interface EngineOptions {
  /** The store's folder; default: `TARE_ROOT` of `env`, else `/var/lib/tare` or `$XDG_DATA_HOME/tare`. */
  readonly root?: string;
  /** The only environment that the engine reads. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * The file that says which images of registries are let in (containers-policy.json(5)); default: the user's
   * `~/.config/containers/policy.json`, else `/etc/containers/policy.json`, else all are.
   */
  readonly signaturePolicy?: string;
  /** Base of relative paths in requests that carry no `cwd` of their own. */
  readonly cwd: string;
}

/** Opens an engine; cheap: the store and the rooms are loaded by the first method that needs them. */
export type OpenEngine = (options: EngineOptions) => Engine;

/** All that Tare can do. Safe to use from several callers at once; `close` ends it. */
export interface Engine {
  /** Builds and publishes what the outputs ask for. A failing RUN rejects with `E_RUN_FAILED`. */
  build(request: BuildRequest): Promise<BuildResult>;
  /**
   * Compiles without running a step (`plan`, `build --plan`). For a project without a Dockerfile that resolves, and
   * builds what has to be built to know it.
   */
  plan(request: PlanRequest): Promise<BuildPlan>;
  /** Reads the Dockerfile and reports what is doubtful in it (`build --check`); errors reject as in `build`. */
  check(request: BuildRequest): Promise<readonly BuildFinding[]>;
  readonly containers: ContainersApi;
  readonly volumes: VolumesApi;
  readonly images: ImagesApi;
  readonly sizes: SizeApi;
  readonly bases: BasesApi;
  readonly networks: NetworksApi;
  readonly locks: LocksApi;
  readonly bundles: BundleApi;
  readonly wheels: WheelsApi;
  readonly registry: RegistryApi;
  readonly trust: TrustApi;
  readonly boot: BootApi;
  readonly develop: DevelopApi;
  readonly gpus: GpusApi;
  readonly gpuData: GpuDataApi;
  readonly system: SystemApi;
  /** Releases leases, locks and the database; call once. `exiting`: the process ends right after, which is quicker. */
  close(options?: { readonly exiting?: boolean }): void;
}

/** A build to be compiled only. */
export interface PlanRequest extends BuildRequest {
  /** Also as a plain Dockerfile; for a project that has none. */
  readonly dockerfile?: boolean;
}

/** A compiled build. */
export interface BuildPlan {
  /** `graph.printGraph` of the targets. */
  readonly text: string;
  /** `graph.describeGraph` of the targets. */
  readonly vertices: readonly Readonly<Record<string, unknown>>[];
  /** For a project without a Dockerfile. */
  readonly decisions?: readonly ProjectDecision[];
  /** When it was asked for. */
  readonly dockerfile?: PlainDockerfile;
}

/** Something doubtful in a Dockerfile. */
export interface BuildFinding {
  readonly rule: string;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly endLine?: number;
  readonly text?: string;
}

/** `--filter key=value` by key, values in order; the engine knows the keys and throws `E_USAGE` for others. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Docker's `inspect` document, with its field names (`Id`, `RepoTags`, `Config`, `State` …). */
export type InspectDocument = Readonly<Record<string, unknown>>;

/** A row of `images`. */
export interface ImageSummary {
  /** Config digest, Docker's image ID. */
  readonly id: string;
  /** Manifest or index digest. */
  readonly digest: string;
  /** As Docker shows them: `python:3.11-slim`, `quay.io/a/b:1`; empty for a dangling image. */
  readonly names: readonly string[];
  /** From the config, milliseconds since the epoch. */
  readonly createdAt: number;
  /** Bytes of all unpacked layers. */
  readonly size: number;
  /** Bytes of layers that another image uses too; only when `sharedSize` was asked for. */
  readonly sharedSize?: number;
  /** Containers (also stopped) made of it. */
  readonly containers: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly string[];
}

/** One line of `history`, newest first. */
export interface HistoryEntry {
  /** The image ID on the newest line, else `<missing>`. */
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly size: number;
  readonly comment: string;
  /** Full names that end at this line. */
  readonly names: readonly string[];
}

/** What `rmi` and the prunes did, in order. */
export interface RemovalReport {
  readonly entries: readonly { readonly kind: "untagged" | "deleted"; readonly subject: string }[];
  /** Bytes that nothing refers to any more. */
  readonly reclaimed: number;
}

/** Where bytes come from: a path relative to the engine's `cwd`, or a stream. */
export type ByteSource = string | Readable;
/** Where bytes go: a path relative to the engine's `cwd` (written atomically), or a stream, which is not closed. */
export type ByteSink = string | Writable;

/** What every long operation accepts. */
export interface LongCall {
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** `save`: images to an archive. */
export interface SaveRequest extends LongCall {
  /** At least one. */
  readonly images: readonly string[];
  /** `docker` archives hold the OCI layout too, as Docker ≥ 25 writes them; `oci` holds no `manifest.json`. */
  readonly format: "docker" | "oci";
  readonly platforms: readonly string[];
  /** How layers made here are compressed: `none` (default), `gzip`, `gzip:single`, `estargz`, `zstd`. */
  readonly compression?: string;
  readonly output: ByteSink;
}

/** `load`: images from an archive (docker or OCI layout, plain, gzip, zstd or xz), or an OCI layout folder. */
export interface LoadRequest extends LongCall {
  readonly input: ByteSource;
  readonly platforms: readonly string[];
}

/** `import`: a root file system's tar to an image of one layer. */
export interface ImportRequest extends LongCall {
  readonly input: ByteSource;
  readonly name?: string;
  /** `--change`: Dockerfile instructions for the config. */
  readonly changes: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

/** Images in the store. */
export interface ImagesApi {
  /** Newest first. Filters: dangling, label, before, since, until, reference. `all` adds intermediate ones, if any. */
  list(request?: { readonly filters?: Filters; readonly sharedSize?: boolean }): Promise<readonly ImageSummary[]>;
  /** Throws `E_IMAGE_NOTFOUND`. */
  inspect(name: string, options?: { readonly platform?: string }): Promise<InspectDocument>;
  /** Throws `E_IMAGE_NOTFOUND`. */
  history(name: string, options?: { readonly platform?: string }): Promise<readonly HistoryEntry[]>;
  /** Gives an image another name. Throws `E_IMAGE_NOTFOUND`, `E_REF`. */
  tag(source: string, target: string): Promise<void>;
  /** `rmi`. Throws `E_IMAGE_NOTFOUND`, `E_IMAGE_INUSE`. */
  remove(name: string, options: { readonly force: boolean; readonly prune: boolean }): Promise<RemovalReport>;
  /** Dangling images, or with `all` every image without a container. Filters: until, label, label!. */
  prune(request: { readonly all: boolean; readonly filters: Filters }): Promise<RemovalReport>;
  save(request: SaveRequest): Promise<void>;
  /** What was loaded: names, or for nameless images their ids. */
  load(request: LoadRequest): Promise<readonly { readonly name?: string; readonly id: string }[]>;
  import(request: ImportRequest): Promise<{ readonly id: string; readonly name?: string }>;
  /** The image that a run of `name` would use. Throws `E_IMAGE_NOTFOUND` with near names in the hint. */
  resolve(
    name: string,
    options?: { readonly platform?: string },
  ): Promise<{ readonly id: string; readonly digest: string }>;
  /** All names as Docker shows them, for completion; fast. */
  names(): Promise<readonly string[]>;
}

/** `tare base`. */
export interface BaseRequest extends LongCall {
  /** `debian:bookworm-slim`, `python:3.11-slim` … */
  readonly recipe: string;
  /** Debian suite, when the recipe's own is not wanted. */
  readonly suite?: string;
  /** Debian packages besides the recipe's. */
  readonly packages: readonly string[];
  readonly mirror?: string;
  /** Names of the result; default: the recipe's name. */
  readonly tags: readonly string[];
  /** Debian or OCI architecture name; default: this machine's. */
  readonly architecture?: string;
  /** Assemble again although the name exists. */
  readonly force: boolean;
}

/** An assembled base image. */
export interface BaseResult {
  readonly id: string;
  readonly digest: string;
  readonly names: readonly string[];
  readonly packages: number;
  readonly size: number;
  /** True when the store had it already and nothing was done. */
  readonly existed: boolean;
}

/** Base images without a registry. */
export interface BasesApi {
  assemble(request: BaseRequest): Promise<BaseResult>;
  /** Recipe names that `assemble` knows, with one line each. */
  recipes(): Promise<readonly { readonly name: string; readonly summary: string }[]>;
}

/** One line of `system df`. */
export interface UsageRow {
  readonly kind: string;
  readonly count: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
}

/** `system prune`. Stopped containers, dangling images, layers, blobs, rubbish and stale mounts always. */
export interface SystemPruneRequest {
  /** All images without a container, not only dangling ones. */
  readonly all: boolean;
  readonly volumes: boolean;
  /** Build cache too, and wheels that no layer is made of; with `all` those made here from sources too. */
  readonly cache: boolean;
  readonly filters: Filters;
  readonly signal?: AbortSignal;
}

/** What `system prune` did. */
export interface SystemPruneReport {
  readonly containers: readonly string[];
  readonly images: RemovalReport["entries"];
  readonly volumes: readonly string[];
  readonly cacheRecords: number;
  /** Wheels and sdists that no layer is made of. */
  readonly wheels: number;
  /** Leftover mounts, processes and temporary folders that were cleaned. */
  readonly leftovers: number;
  readonly reclaimed: number;
}

/** One finding of `system fsck`. */
export interface FsckFinding {
  readonly kind: string;
  readonly subject: string;
  readonly problem: string;
  readonly repair: string;
  readonly repaired: boolean;
}

/** One line of `system check`: something this host has or lacks. */
export interface HostCheck {
  readonly name: string;
  readonly status: "ok" | "warning" | "missing";
  /** What was found: version, path, kernel feature. */
  readonly detail: string;
  /** What does not work without it. */
  readonly needed: string;
  /** Debian package that brings it; `system install` installs these. */
  readonly package?: string;
  readonly hint?: string;
}

/** What `system install` does: `commands` are shown before anything is installed. */
export interface InstallPlan {
  readonly packages: readonly string[];
  readonly commands: readonly (readonly string[])[];
}

/** The store and the host. */
export interface SystemApi {
  usage(): Promise<readonly UsageRow[]>;
  prune(request: SystemPruneRequest): Promise<SystemPruneReport>;
  fsck(request: {
    readonly repair: boolean;
    readonly quick: boolean;
    readonly signal?: AbortSignal;
  }): Promise<readonly FsckFinding[]>;
  check(): Promise<readonly HostCheck[]>;
  /** What is missing and would be installed; nothing is done. */
  planInstall(): Promise<InstallPlan>;
  /** Installs by the plan; output of the package manager goes to the listener as logs of one vertex. */
  install(plan: InstallPlan, call: LongCall): Promise<void>;
  /** What happened in the store, and what does. */
  events(request: EventsRequest): AsyncIterable<StoreEvent>;
  /** `tare info`: root, runtime, cgroups, kernel, counts … keys as Docker's `info` where it has them. */
  info(): Promise<InspectDocument>;
}
