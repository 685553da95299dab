// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** What an entry is; `fs.Stats` without following links fits. */
export interface EntryKind {
  isDirectory(): boolean;
}

// Runtimes mount onto these before they have locked the root down; a link there has led them out more than once
// (CVE-2019-16884, CVE-2023-27561, CVE-2026-41579, CVE-2026-47766).
const MOUNT_POINTS = ["proc", "sys", "dev"];

/**
 * Refuses an image whose /proc, /sys or /dev is anything but a directory or absent. `lookup` gets paths without a leading
 * slash and must not follow links. Throws `E_ROOTFS`.
 */
export function checkRootfs(lookup: (path: string) => EntryKind | undefined): void {
  for (const path of MOUNT_POINTS) {
    const entry = lookup(path);
    if (entry === undefined || entry.isDirectory()) continue;
    throw new TareError("E_ROOTFS", `checking the image's root file system: /${path} is not a directory`, {
      hint: "such an image can lead a runtime out of its container; rebuild it without that entry",
      exitCode: 125,
    });
  }
}
