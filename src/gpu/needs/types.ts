// SPDX-License-Identifier: Apache-2.0
/* What the parts of this folder tell one another. */
import type { Digest } from "../../base/index.ts";
import type { ObjectKernels } from "../elf/kernels.ts";
import type { GpuPackage, ImageNeeds } from "../types.ts";

/** An image as the store has it. */
export interface NeedsSubject {
  /** As the user names it. */
  readonly image: string;
  /** `NAME=value` of its config. */
  readonly env: readonly string[];
  /** Lowest first. */
  readonly diffIds: readonly Digest[];
}

/** A wheel of a lock or of a layer; without its bytes in the store only its name can be told. */
export interface GpuWheel {
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  readonly digest?: Digest;
}

/** How long work is done. */
export interface NeedsOptions {
  readonly signal?: AbortSignal;
  /** Told before each file that is read as a whole. */
  readonly onFile?: (file: ReadFile) => void;
}

/** A file that is about to be read. */
export interface ReadFile {
  /** The distribution: `torch 2.7.0`. */
  readonly of: string;
  readonly path: string;
  readonly size: number;
}

/** A distribution's own files, in a wheel or installed. */
export interface DistributionFiles {
  /** Text of METADATA or PKG-INFO. */
  readonly metadata: string;
  readonly objects: readonly SharedObject[];
}

/** A shared object of a distribution. */
export interface SharedObject {
  readonly path: string;
  readonly size: number;
  /** What code for GPUs it has; undefined when that can't be told. */
  read(signal: AbortSignal | undefined): Promise<ObjectKernels | undefined>;
}

/** An installed distribution of a layer. */
export interface InstalledPackage {
  /** Of its `.dist-info`, without leading slash; it is seen as long as no upper layer hides it. */
  readonly path: string;
  readonly package: GpuPackage;
}

/** The driver library of /usr/local/cuda/compat. */
export type CompatLibrary = NonNullable<ImageNeeds["compat"]>;

/** What one layer has, whatever is above it. Paths have no leading slash. */
export interface LayerNeeds {
  readonly packages: readonly InstalledPackage[];
  readonly toolkits: readonly { readonly path: string; readonly version: string }[];
  readonly compat: readonly { readonly path: string; readonly facts: CompatLibrary }[];
  readonly libc: readonly { readonly path: string; readonly kind: "glibc" | "musl" }[];
}
