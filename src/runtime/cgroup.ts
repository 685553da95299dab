// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statfsSync } from "node:fs";

/** How this host mounts control groups; `hybrid` is v1 controllers beside a v2 tree. */
export type CgroupMode = "v1" | "v2" | "hybrid";

const CGROUP2_MAGIC = 0x63677270;

/** The host's mode: one statfs on a v2 host, one read of mountinfo elsewhere. */
export function cgroupMode(root: string = "/sys/fs/cgroup"): CgroupMode {
  try {
    if (statfsSync(root).type === CGROUP2_MAGIC) return "v2";
  } catch {
    return "v1";
  }
  return cgroupModeOf(readFileSync("/proc/self/mountinfo", "utf8"));
}

/** The mode that a mountinfo text shows, for a root that is not cgroup2 itself. */
export function cgroupModeOf(mountinfo: string): CgroupMode {
  const types = new Map(mountinfo.split("\n").map((line) => [line.split(" ")[4], line.split(" - ")[1]?.split(" ")[0]]));
  if (types.get("/sys/fs/cgroup") === "cgroup2") return "v2";
  return [...types.values()].includes("cgroup2") ? "hybrid" : "v1";
}

/** Where a hybrid host mounts its v2 tree, or undefined. */
export function unifiedMount(mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8")): string | undefined {
  const line = mountinfo.split("\n").find((text) => text.split(" - ")[1]?.startsWith("cgroup2 "));
  return line?.split(" ")[4];
}

/** Directories of a container's control group, one per mounted hierarchy, whether they exist or not. */
export function cgroupDirectories(cgroupsPath: string, mountinfo: string): string[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ");
    const type = after?.split(" ")[0];
    const point = before?.split(" ")[4];
    const usable = point !== undefined && (type === "cgroup" || type === "cgroup2");
    return usable ? [`${point}${cgroupsPath}`] : [];
  });
}
