// SPDX-License-Identifier: Apache-2.0
/* The answer to "where are the bytes of this image". Every number is exact: bytes of file content by lstat. */

import type { LeftOut } from "../python/index.ts";

/** Who a file belongs to: a Python distribution, a package of the system, or nobody but its folder. */
export type OwnerKind = "distribution" | "package" | "directory";

/** Bytes of one owner. */
export interface OwnedBytes {
  readonly kind: OwnerKind;
  /** `scikit-learn`, `libc6`, or an absolute path. */
  readonly name: string;
  readonly version?: string;
  readonly size: number;
  readonly files: number;
}

/** A layer, lowest first. */
export interface LayerSize {
  readonly index: number;
  readonly diffId: string;
  /** Bytes of all its files, also of those that upper layers hide. */
  readonly size: number;
  readonly files: number;
  /** Bytes of its files that no container sees. */
  readonly hidden: number;
  /** The step of the image's history that made it; empty where that is silent. */
  readonly createdBy: string;
  /** The wheels it was made of, as `name version`; empty for other layers. */
  readonly wheels: readonly string[];
  /** What of it is seen, by owner, largest first. */
  readonly parts: readonly OwnedBytes[];
}

/** A Python distribution: the files of its RECORD, and the `.pyc` files of its modules. */
export interface DistributionSize {
  readonly name: string;
  readonly version: string;
  /** Its .dist-info, absolute. */
  readonly path: string;
  readonly size: number;
  readonly files: number;
  /** Bytes of `.pyc` files, part of `size`. */
  readonly bytecode: number;
  /** Indices of the layers that its files are in. */
  readonly layers: readonly number[];
}

/** A package of the image's own package manager (dpkg). */
export interface PackageSize {
  readonly name: string;
  readonly version: string;
  readonly size: number;
  readonly files: number;
}

/** A shared library or extension module. */
export interface SharedObject {
  readonly path: string;
  readonly size: number;
  readonly layer: number;
  /** Name of the distribution or package that it belongs to. */
  readonly owner?: string;
}

/** A folder with what is below it and belongs to no distribution and no package. */
export interface DirectorySize {
  readonly path: string;
  readonly size: number;
  readonly files: number;
}

/** Equal files of at least 64 KiB at several paths. */
export interface Duplicate {
  readonly digest: string;
  /** Bytes of one of them. */
  readonly size: number;
  /** Bytes of all but one. */
  readonly wasted: number;
  readonly paths: readonly string[];
}

/** Files that are in the image but that no container sees, since an upper layer replaces or deletes them. */
export interface HiddenBytes {
  readonly size: number;
  readonly files: number;
  /** The largest, at most a hundred. */
  readonly largest: readonly { readonly path: string; readonly size: number; readonly layer: number }[];
}

/** What a rule finds dispensable. */
export interface DeadWeight {
  readonly rule: string;
  readonly summary: string;
  readonly size: number;
  readonly files: number;
  /** True when `tare build --slim` leaves it out of this image; the others go by another way of building. */
  readonly isSlim: boolean;
  /** The largest files, at most ten. */
  readonly largest: readonly { readonly path: string; readonly size: number }[];
}

/** Where the bytes of an image are. All lists are complete and sorted by size unless they say otherwise. */
export interface ImageSize {
  readonly names: readonly string[];
  readonly id: string;
  /** Bytes of file content in all layers: what is stored. */
  readonly size: number;
  /** Bytes of the files that a container sees. */
  readonly merged: number;
  /** How many files a container sees. */
  readonly files: number;
  readonly layers: readonly LayerSize[];
  readonly distributions: readonly DistributionSize[];
  readonly packages: readonly PackageSize[];
  readonly sharedObjects: readonly SharedObject[];
  /** Down to three names deep; a folder includes those below it. */
  readonly directories: readonly DirectorySize[];
  readonly duplicates: readonly Duplicate[];
  readonly hidden: HiddenBytes;
  readonly deadWeight: readonly DeadWeight[];
  /** What `--slim` left out when its layers were made here, by rule. */
  readonly leftOut: readonly LeftOut[];
}
