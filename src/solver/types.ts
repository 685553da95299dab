// SPDX-License-Identifier: Apache-2.0
import type { DiffId, Digest } from "../base/index.ts";
import type { CdiRegistry } from "../gpu/index.ts";
import type { Vertex, VertexId } from "../graph/index.ts";
import type { Bytecode, WheelLayerFacts, WheelStore } from "../python/index.ts";
import type { OciRuntime } from "../runtime/index.ts";
import type { Lease, Store } from "../store/index.ts";
import type { ContextTree, IgnoreFilter } from "./context-tree.ts";
import type { BuildListener } from "./events.ts";
import type { FileDigests } from "./fingerprint.ts";

/** A folder that a build may read. */
export interface LocalSource {
  readonly root: string;
  readonly filter?: IgnoreFilter;
}

/** What steps that install Python distributions use. */
export interface PythonResources {
  /** Opened when the first step needs it. */
  readonly wheels: () => Promise<WheelStore>;
  /** False: RUN steps that install distributions run as written. */
  readonly accelerate: boolean;
  /** Most layers for the distributions of one step; absent: the default budget. */
  readonly layers?: number;
  readonly bytecode: Bytecode;
  /** What the project's lock says of its layers, by the key of their steps. */
  readonly layerFacts?: ReadonlyMap<Digest, WheelLayerFacts>;
}

/** Everything outside the graph that steps may use. Values of secrets are in no vertex and no key. */
export interface SolveResources {
  readonly store: Store;
  readonly lease: Lease;
  /** Folder for state that a reboot may lose. */
  readonly runRoot: string;
  readonly locals: ReadonlyMap<string, LocalSource>;
  readonly secrets: ReadonlyMap<string, () => Buffer | undefined>;
  /** Agent socket paths by id. */
  readonly agents: ReadonlyMap<string, string>;
  readonly allow: ReadonlySet<string>;
  /** Seconds since the epoch that new files get. */
  readonly epoch: number;
  /** True when the user set `SOURCE_DATE_EPOCH`: every later time is brought down to it. */
  readonly isEpochChosen: boolean;
  readonly jobs: number;
  /** Where wheels come from, and how they become layers. */
  readonly python: PythonResources;
  /** Absent: every layer is made here. */
  readonly remote?: RemoteLayers;
  /** What others made, from build caches that the user named. */
  readonly imported?: ImportedSteps;
  /** Told of every step that made layers or that a cache knew. */
  readonly onResult?: (result: KeyedLayers) => void;
  /** CDI devices of this host, read when the first step asks for one; absent: there are none. */
  readonly devices?: () => Promise<CdiRegistry>;
  /** Found when the first RUN needs it. */
  readonly runtime: () => Promise<OciRuntime>;
  readonly listener?: BuildListener;
  readonly signal: AbortSignal;
}

/** A layer that is not here, as a registry has it. */
export interface RemoteLayer {
  readonly diffId: DiffId;
  readonly blob: { readonly digest: Digest; readonly size: number; readonly mediaType: string };
}

/**
 * Writes a layer's gzip to a file that does not exist yet, and says so as soon as it is whole; what tar is in it shows
 * at the end.
 */
export type BlobWriter = (
  path: string,
  onBlob: (blob: { readonly digest: Digest; readonly size: number }) => void,
) => Promise<{
  readonly diffId: DiffId;
  /** Bytes of the tar. */
  readonly size: number;
}>;

/** Writes a layer's gzip to a file that does not exist yet, without a look at what it is the gzip of. */
export type KnownBlobWriter = (
  path: string,
) => Promise<{ readonly digest: Digest; readonly size: number; readonly diffIdSize: number }>;

/** Layers that a build does without, because the registry that its image goes to has them. */
export interface RemoteLayers {
  /** The layer of a step of wheels with this key, when it need not be made. */
  wheels(key: Digest): Promise<RemoteLayer | undefined>;
  /** Takes the blob of a layer of wheels that is about to be sent; it is gone after the push. */
  take(key: Digest, write: BlobWriter): Promise<DiffId>;
  /**
   * Takes the blob of a layer whose facts the project's lock has, when it is exactly the blob that they say; undefined
   * when it has none or the blob is another one.
   */
  takeLocked(key: Digest, write: KnownBlobWriter): Promise<RemoteLayer | undefined>;
  /** Remembers a layer of wheels that the image gets and somebody else has, as gzip. */
  use(facts: WheelLayerFacts): void;
  /** The layers of an image of which only manifest and config are here. */
  image(manifest: Digest): readonly RemoteLayer[];
  /** Brings the layers of such an image into the store. */
  bring(manifest: Digest): Promise<void>;
}

/** What a step made, under the keys that are known of it. */
export interface KeyedLayers {
  readonly keys: readonly Digest[];
  /** Lowest first. */
  readonly layers: readonly DiffId[];
}

/** A layer that a build cache speaks of. */
export interface ImportedLayer {
  readonly diffId: DiffId;
  /** Bytes of its tar, when the cache knows them. */
  readonly size?: number;
  /** Absent: the cache knows only which one it is. */
  readonly blob?: RemoteLayer["blob"];
}

/** Steps that others ran. What is said of them is not proved before a layer's content was compared with its diffID. */
export interface ImportedSteps {
  /** The layers of the step with this key, lowest first. */
  find(key: Digest): readonly ImportedLayer[] | undefined;
  /** Brings a layer that has a blob into the store. Throws when it can't be had, or is another one. */
  bring(
    diffId: DiffId,
    options: {
      readonly signal: AbortSignal;
      readonly onProgress: (current: number, total: number) => void;
    },
  ): Promise<void>;
  /** Throws unless the blob of a layer is where it was said to be. */
  confirm(diffId: DiffId): Promise<void>;
  /** Does not find that key any more; `why` when a cache promised what it does not have. */
  forget(key: Digest, why?: unknown): void;
}

/** A layer that the image gets, though it is not here. */
export interface AbsentLayer {
  readonly diffId: DiffId;
  /** How somebody else has it; absent: nobody has it, and it is brought before it is needed outside the build. */
  readonly blob?: RemoteLayer["blob"];
  /**
   * Brings or makes it, once. Throws `E_LAYER_CLAIM` when it is another than was said, and `ForgottenStep` when the graph
   * has to be solved again.
   */
  readonly bring: () => Promise<void>;
  /** Asks whether the blob is there, for a layer that is left where it is. Throws `ForgottenStep`. */
  readonly confirm?: () => Promise<void>;
}

/** A step's result: a root file system as layers, lowest first. */
export interface RootfsResult {
  readonly kind: "rootfs";
  readonly layers: readonly DiffId[];
  /** Those of `layers` that were not here when the step was resolved. */
  readonly absent: ReadonlyMap<DiffId, AbsentLayer>;
  /** How many layers a vertex below made, for those that made other than one (an accelerated RUN makes several). */
  readonly split: ReadonlyMap<VertexId, number>;
}

/** A step's result: a folder of the user. */
export interface LocalResult {
  readonly kind: "local";
  readonly tree: ContextTree;
  readonly digests: FileDigests;
  readonly save: () => void;
}

/** What a vertex gives to those that use it. */
export type StepResult = RootfsResult | LocalResult;

/** One running step. */
export interface StepContext {
  readonly resources: SolveResources;
  readonly vertex: Vertex;
  readonly inputs: readonly StepResult[];
  readonly signal: AbortSignal;
  /** Shows output of the step. */
  readonly log: (stream: 1 | 2, data: Uint8Array) => void;
  readonly status: (name: string, current: number, total: number) => void;
}

/** How a kind of step gets its key and its result. */
export interface StepWorker {
  /**
   * A key from the inputs' identities, cheap to have; a hit saves computing the content key. Undefined when there is
   * no cheap one.
   */
  readonly quickKey?: (step: StepContext) => Digest | undefined;
  /** The key from what the step really uses of its inputs; undefined when the step must always run. */
  readonly key: (step: StepContext) => Promise<Digest | undefined> | Digest | undefined;
  /** Inputs whose files the key looks at; the others' are brought when the step runs. Default none. */
  readonly keyed?: (step: StepContext) => readonly StepResult[];
  /** Runs the step and returns the layers it made, lowest first. */
  readonly run: (step: StepContext) => Promise<readonly DiffId[]>;
  /** Layers below the new ones: those of input 0 for COPY and RUN, none for a download. */
  readonly base: (step: StepContext) => readonly DiffId[];
}

/** Names a failed step for the error that ends the build. */
export interface StepFailure {
  readonly vertex: VertexId;
  readonly label: string;
}
