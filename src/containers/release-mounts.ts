// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { linux } from "../base/index.ts";

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
  const points = mountinfo.split("\n").map((line) => unescapeOctal(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`)).toReversed();
}

/** mountinfo writes space, tab, line feed and backslash as `\040` and so on (proc(5)). */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
