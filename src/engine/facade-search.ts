// SPDX-License-Identifier: Apache-2.0
/** The face of questions to registries: what they have, and what a name stands for. */
import type { Filters } from "./facade.ts";

/** `search`. */
export interface SearchRequest {
  readonly term: string;
  /** 1 to 100. */
  readonly limit: number;
  /** `is-official`, `is-automated`, `stars`. */
  readonly filters: Filters;
  readonly signal?: AbortSignal;
}

/** A repository of Docker Hub. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

/** `manifest inspect`. */
export interface ManifestRequest {
  readonly name: string;
  /** The registry may be talked to without TLS or with a certificate that nobody signed. */
  readonly insecure: boolean;
  /** With the manifests of an index, and the platform of a manifest. */
  readonly verbose: boolean;
  readonly signal?: AbortSignal;
}

/** A manifest or index of a registry. */
export interface InspectedManifest {
  /** As Docker shows it. */
  readonly name: string;
  readonly descriptor: ManifestDescriptor;
  /** As the registry has it. */
  readonly bytes: Uint8Array;
  /** Of an index, when they were asked for. */
  readonly parts?: readonly InspectedManifest[];
}

/** What names a manifest. */
export interface ManifestDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Readonly<Record<string, unknown>>;
}
