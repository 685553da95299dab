// SPDX-License-Identifier: Apache-2.0
/** The face of trust: what is in an image. */
import type { SbomFormat } from "../trust/index.ts";

/** `sbom`. */
export interface SbomRequest {
  /** An image in the store. */
  readonly image: string;
  readonly platform?: string;
  readonly format: SbomFormat;
  /** Of the product, as documents name it. */
  readonly version: string;
  readonly signal?: AbortSignal;
}

/** A document that was attached to a manifest at a registry. */
export interface AttachedDocument {
  readonly predicateType: string;
  /** Of the artifact that holds it. */
  readonly digest: string;
  /** Of the manifest that it is about. */
  readonly subject: string;
}

/** Documents about images, and signatures. */
export interface TrustApi {
  /** A software bill of materials as a JSON value; equal images give equal ones. Throws `E_IMAGE_NOTFOUND`. */
  sbom(request: SbomRequest): Promise<Readonly<Record<string, unknown>>>;
}
