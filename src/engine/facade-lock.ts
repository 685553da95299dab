// SPDX-License-Identifier: Apache-2.0
/* Locks of Python projects: that part of the face. */
import type { LockRequest, LockResult } from "../build/index.ts";

export type { LockRequest, LockResult, LockedVersion } from "../build/index.ts";
export type { LockChange } from "../python/index.ts";

/** Locking. */
export interface LocksApi {
  /**
   * Resolves a project's requirements and writes its lock, or with `isCheck` only tells whether the lock that is there
   * is what they ask for. Needs neither root nor an image. Throws `E_RESOLVE` with an explanation when nothing fits,
   * `E_LOCK` when there is nothing to lock or to check.
   */
  lock(request: LockRequest): Promise<LockResult>;
}
