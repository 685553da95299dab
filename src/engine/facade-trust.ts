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

/** Documents about images, and signatures. */
export interface TrustApi {
  /** A software bill of materials as a JSON value; equal images give equal ones. Throws `E_IMAGE_NOTFOUND`. */
  sbom(request: SbomRequest): Promise<Readonly<Record<string, unknown>>>;
}
