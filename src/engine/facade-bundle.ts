// SPDX-License-Identifier: Apache-2.0
/* Images with all that a build on another machine needs, as one archive: that part of the face. */
import type { ByteSink, ByteSource, LongCall } from "./facade.ts";

/** `bundle`. */
export interface BundleRequest extends LongCall {
  /** At least one. */
  readonly images: readonly string[];
  /** The wheels that the images' layers are made of go along; those that are not here any more are fetched. */
  readonly wheels: boolean;
  /** Locks and project files that go along, relative to the engine's `cwd`. */
  readonly files: readonly string[];
  readonly output: ByteSink;
}

/** What a bundle has, or what came out of one. */
export interface BundleReport {
  /** Those asked for, then the bases that they stand on. */
  readonly images: readonly { readonly name?: string; readonly id: string }[];
  readonly wheels: readonly { readonly fileName: string; readonly size: number }[];
  /** Names of locks and project files. */
  readonly files: readonly string[];
  /**
   * What nobody can verify: results of build steps, answers of the resolver, wheels built from sources, compiled
   * modules, what layers are made of. Of a loaded bundle, how many were taken.
   */
  readonly claims: number;
}

/** `bundle --load`. */
export interface LoadBundleRequest extends LongCall {
  readonly input: ByteSource;
  /** Folder for the locks and project files in it, relative to the engine's `cwd`; absent: they stay in the archive. */
  readonly files?: string;
  /** Takes also what can't be verified, where this store knows nothing itself. */
  readonly isTrusted: boolean;
}

/** Bundles. */
export interface BundleApi {
  /**
   * Writes a bundle; any tool that reads OCI or Docker archives finds the images in it. Throws as `save`, and
   * `E_WHEEL_MISSING`, `E_BUNDLE`.
   */
  create(request: BundleRequest): Promise<BundleReport>;
  /** Throws as `load`, and `E_BUNDLE` for what is no bundle, damaged or forged. */
  load(request: LoadBundleRequest): Promise<BundleReport>;
}
