// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { linux, mountPointsBelow } from "../base/index.ts";

/**
 * Unmounts what is mounted in a container's folder. On the host nothing ever is; but conmon's exit command lives in the
 * container's private mount namespace and sees the root file system there.
 */
export function releaseMounts(folder: string): void {
  for (const point of mountsBelow(folder, readFileSync("/proc/self/mountinfo", "utf8"))) {
    linux.umount2(point, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW);
  }
}

/** Mount points at or below a folder, deepest first, from a mountinfo text. */
export function mountsBelow(folder: string, mountinfo: string): readonly string[] {
  return mountPointsBelow(folder, mountinfo).toReversed();
}
