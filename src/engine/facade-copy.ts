// SPDX-License-Identifier: Apache-2.0
/** The face of copies: images from one place to another. */
import type { LongCall } from "./facade.ts";

/**
 * `copy`. A place is a name at a registry, `store:NAME`, `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:NAME]` or `docker-daemon:NAME`.
 */
export interface CopyRequest extends LongCall {
  readonly source: string;
  readonly target: string;
  /** The whole index. */
  readonly allPlatforms: boolean;
  /** Only these; several make a new index. Neither: this machine's. */
  readonly platforms: readonly string[];
  /** What refers to the image too: signatures, attestations, bills of materials. */
  readonly referrers: boolean;
}

/** A copied image. */
export interface CopyResult {
  readonly source: string;
  readonly target: string;
  /** Of the manifest or index at the target. */
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The target had it under that name already. */
  readonly existed: boolean;
  /** Layers and configs, each once. */
  readonly blobs: { readonly copied: number; readonly mounted: number; readonly existing: number };
  /** Bytes of the blobs that were copied. */
  readonly bytes: number;
  /** Manifests that refer to what was copied. */
  readonly referrers: number;
}
