// SPDX-License-Identifier: Apache-2.0
/** What the parts of this room, and those that use it, say to one another. */
import type { Digest } from "../base/index.ts";

/** The C library of a root file system: it decides which binary wheels run there (PEP 600, PEP 656). */
export interface LibC {
  readonly kind: "glibc" | "musl";
  /** `major.minor`. */
  readonly version: string;
}

/** Where an installer puts a wheel's parts: absolute paths inside the image (binary distribution format, "spread"). */
export interface InstallScheme {
  readonly purelib: string;
  readonly platlib: string;
  readonly scripts: string;
  /** Headers of a distribution go to `<headers>/<distribution's name>`. */
  readonly headers: string;
  readonly data: string;
  /** Folders among these that are links in the image, and where they lead: `/usr/local/man` on Debian. */
  readonly links?: Readonly<Record<string, string>>;
}

/** An interpreter in an image: all that decides which wheel fits it and where its files go. */
export interface PythonTarget {
  readonly implementation: "cpython" | "pypy";
  /** `3.11.2`; a pre-release as `3.15.0a1`. */
  readonly version: string;
  /** As in image platforms: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly libc: LibC;
  /** Absolute path in the image, for the first line of scripts. */
  readonly executable: string;
  readonly scheme: InstallScheme;
  /** Free-threaded builds have ABI `cp313t`. */
  readonly isFreeThreaded?: boolean;
}

/** PEP 610's `direct_url.json`, as it is written beside a distribution that came from no index. */
export type DirectUrl = Readonly<Record<string, unknown>>;

/** A file of an index, a `--find-links` page or a disk. */
export interface DistributionFile {
  /** `numpy-2.3.5-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl`. */
  readonly fileName: string;
  /** Absolute http(s) URL without credentials, or undefined for a file on this machine. */
  readonly url?: string;
  /** Absolute path on this machine. */
  readonly path?: string;
  /** Known before the file was read; undefined where a lock or an index gives none. */
  readonly digest?: Digest;
  /** Bytes, where known. */
  readonly size?: number;
}

/** A wheel to install. */
export interface WheelRef {
  /** Normalised (PEP 503): `scikit-learn`. */
  readonly name: string;
  /** Normalised version (PEP 440). */
  readonly version: string;
  readonly fileName: string;
  /** sha256 of the wheel's bytes: its identity. */
  readonly digest: Digest;
  readonly size: number;
  /** The user asked for it by name; it gets a `REQUESTED` file. */
  readonly isRequested: boolean;
  readonly direct?: DirectUrl;
}

/** Which `.pyc` files a layer gets: those that importing the distribution loads, all, or none. */
export type Bytecode = "imported" | "all" | "none";

/** A wheel or sdist in the store. */
export interface StoredFile {
  readonly fileName: string;
  readonly digest: Digest;
  readonly size: number;
  /** Absolute path of the verified bytes. */
  readonly path: string;
}

/** How files are brought into the store. */
export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** Bytes of all files so far and in all (of those whose size is known). */
  readonly onProgress?: (current: number, total: number) => void;
}

/**
 * Wheels and sdists, as downloaded and verified. Where a file came from is remembered (without credentials), so that
 * one that prune removed can be fetched again by its digest.
 */
export interface WheelStore {
  /** The file, when it is in the store. */
  find(digest: Digest): StoredFile | undefined;
  /**
   * Brings files into the store, largest first and several at a time; what it has already is not fetched. In the order
   * of `files`. Throws `E_HTTP`, `E_DIGEST_MISMATCH`, `E_INDEX_AUTH`, `E_WHEEL_MISSING`, `E_NOSPACE`.
   */
  fetch(files: readonly DistributionFile[], options?: FetchOptions): Promise<readonly StoredFile[]>;
  /** A file known by name and digest alone: from the store, or from where it once came. Throws as `fetch`. */
  require(file: Pick<WheelRef, "fileName" | "digest">, options?: FetchOptions): Promise<StoredFile>;
  /** Remembers where a file can be fetched, without fetching it. */
  note(file: DistributionFile): void;
  /** Takes over user and password of URLs in a project's own files, in memory only. */
  useCredentials(urls: readonly string[]): void;
}
