// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import type { Dockerfile } from "../dockerfile/index.ts";
import type { GraphBuilder, VertexId } from "../graph/index.ts";
import type { ContainerConfig, HistoryEntry, ImageConfig, Platform } from "../oci/index.ts";

/** An image that a stage starts from: in the store, or its manifest and config are. */
export interface ResolvedImage {
  /** Full name with tag or digest. */
  readonly name: string;
  readonly manifest: Digest;
  /** What its name stands for: the manifest, or the index that has it. */
  readonly target: Digest;
  /** Of its config: Docker's image ID. */
  readonly id: Digest;
  readonly config: ImageConfig;
}

/** What `--build-context name=…` stands for. */
export type NamedContext =
  | { readonly kind: "image"; readonly image: ResolvedImage }
  | { readonly kind: "local"; readonly name: string }
  | { readonly kind: "stage"; readonly target: string };

/** The world outside the Dockerfile, as the compiler sees it. */
export interface SourceResolver {
  /** The image for `FROM` or `--from`; pulls it when it may. Throws `E_IMAGE_NOTFOUND`. */
  image(reference: string, platform: Platform): Promise<ResolvedImage>;
  /** The named context of that name, if there is one. */
  namedContext(name: string, platform: Platform): Promise<NamedContext | undefined>;
}

/** What a Dockerfile is compiled with. */
export interface CompileOptions {
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  /** The platform was asked for with `--platform`. */
  readonly isPlatformExplicit: boolean;
  /** More than one platform is built, so labels name it. */
  readonly isMultiPlatform: boolean;
  readonly noCache: boolean;
  readonly noCacheFilter: readonly string[];
  readonly network: "default" | "none" | "host";
  readonly extraHosts: readonly string[];
  readonly shmSize?: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly cgroupParent?: string;
  /** Seconds since 1970 for history and config. */
  readonly epoch: number;
}

/** One compilation: a Dockerfile, its options, and where vertices go. */
export interface Compilation {
  readonly dockerfile: Dockerfile;
  readonly options: CompileOptions;
  readonly resolver: SourceResolver;
  readonly graph: GraphBuilder;
}

/** A history line; `layer` is false for lines that changed only the config. */
export interface DraftHistory extends HistoryEntry {
  readonly layer: boolean;
  /** The vertex that made the layer; absent for lines of the base image. */
  readonly vertex?: VertexId;
}

/** What a stage built on another stage takes over besides its files and config. */
export interface StageVariables {
  /** ENV and ARG in force. */
  readonly environment: ReadonlyMap<string, string>;
  /** ARGs declared, for the history of RUN. */
  readonly declared: ReadonlyMap<string, string | undefined>;
}

/** A compiled stage: its last vertex and the image config without layers. */
export interface CompiledStage extends StageVariables {
  readonly vertex: VertexId;
  readonly platform: Platform;
  readonly author: string | undefined;
  readonly config: ContainerConfig;
  /** Config fields of the base that Tare does not know, kept. */
  readonly base: ImageConfig | undefined;
  readonly history: readonly DraftHistory[];
}
