// SPDX-License-Identifier: Apache-2.0
import type { Marker } from "../requirements/types.ts";
import type { DirectUrl, DistributionFile } from "../types.ts";

/** Where a package comes from that is not a file of an index. */
export type LockedSource =
  | {
      readonly kind: "vcs";
      readonly vcs: string;
      readonly url: string;
      readonly commit: string;
      readonly requestedRevision?: string;
      readonly subdirectory?: string;
    }
  | {
      readonly kind: "directory";
      readonly path: string;
      readonly isEditable: boolean;
      readonly subdirectory?: string;
      /** uv: its dependencies are installed, itself is not. */
      readonly isVirtual?: boolean;
    }
  | { readonly kind: "archive"; readonly file: DistributionFile; readonly subdirectory?: string };

/** A package of a lock. */
export interface LockedPackage {
  /** Normalised. */
  readonly name: string;
  /** Absent for a folder whose version is decided when it is built. */
  readonly version?: string;
  readonly marker?: Marker;
  readonly requiresPython?: string;
  readonly wheels: readonly DistributionFile[];
  readonly sdist?: DistributionFile;
  readonly source?: LockedSource;
  /** Packages that it needs, where the lock says so. */
  readonly dependencies: readonly LockedDependency[];
}

/** An edge of a lock. */
export interface LockedDependency {
  readonly name: string;
  readonly version?: string;
  readonly marker?: Marker;
  readonly extras: readonly string[];
}

/** A lock file, whatever its format. */
export interface Lock {
  readonly format: "pylock" | "uv";
  /** As given to `readLock`, for messages. */
  readonly file: string;
  readonly requiresPython?: string;
  readonly packages: readonly LockedPackage[];
  /** Markers of the environments it was made for; none means all. */
  readonly environments: readonly Marker[];
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  readonly defaultGroups: readonly string[];
  /** For locks that are graphs: the edges of the project itself, of its extras and of its groups. */
  readonly roots?: {
    readonly own: readonly LockedDependency[];
    readonly extras: Readonly<Record<string, readonly LockedDependency[]>>;
    readonly groups: Readonly<Record<string, readonly LockedDependency[]>>;
  };
  /** `[tool.tare]` of a lock that Tare wrote. */
  readonly tare?: Readonly<Record<string, unknown>>;
}

/** A package chosen for a target. One of `wheel`, `sdist` and `source` is there, in this order of preference. */
export interface SelectedPackage {
  readonly name: string;
  readonly version?: string;
  readonly wheel?: DistributionFile;
  readonly sdist?: DistributionFile;
  readonly source?: LockedSource;
  readonly isRequested: boolean;
  /** PEP 610. */
  readonly direct?: DirectUrl;
  readonly dependencies: readonly string[];
}
