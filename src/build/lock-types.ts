// SPDX-License-Identifier: Apache-2.0
import type { LockChange } from "../python/index.ts";
import type { BuildListener } from "../solver/index.ts";

/** What `tare lock` can say. Options that are absent are those of the lock that is there. */
export interface LockRequest {
  /** Absolute path of the project. */
  readonly folder: string;
  /** `-o`: where the lock is written, relative to the folder. Default `pylock.toml`. */
  readonly output?: string;
  /** `3.11` or `3.11.2`. */
  readonly python?: string;
  /** `linux/arm64` */
  readonly platform?: string;
  readonly accelerator?: string;
  readonly isUniversal?: boolean;
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  /** Names to move to their newest versions; `true` for all. */
  readonly upgrade?: true | readonly string[];
  /** Only tells whether the lock is what the project asks for; nothing is written. */
  readonly isCheck: boolean;
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** A package of a lock, as it is for the target. */
export interface LockedVersion {
  readonly name: string;
  readonly version?: string;
  /** Bytes of the file that the target gets, where they are known. */
  readonly size?: number;
  /** False for sources, which are built. */
  readonly isWheel: boolean;
}

/** What locking did, or would do. */
export interface LockResult {
  /** Relative to the folder. */
  readonly file: string;
  /** Files that it is made from. */
  readonly inputs: readonly string[];
  readonly python: string;
  /** `of python:3.11-slim`, `stated`. */
  readonly pythonReason: string;
  readonly platform: string;
  readonly isUniversal: boolean;
  readonly accelerator?: string;
  /** Those of the target. */
  readonly packages: readonly LockedVersion[];
  readonly changes: readonly LockChange[];
  /** Bytes of the target's files, as far as they are known. */
  readonly size: number;
  /** The lock that was there is what the requirements ask for. */
  readonly isCurrent: boolean;
  readonly isWritten: boolean;
  /** For a check: what in it does not satisfy the requirements. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}
