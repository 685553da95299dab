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

/** A mounted hierarchy of control groups. */
export interface Hierarchy {
  /** Where it is mounted. */
  readonly point: string;
  /** The group that the mount begins with; `/` shows all. */
  readonly root: string;
  /** Its options, the controllers among them; absent for the v2 tree. */
  readonly v1?: readonly string[];
}

/** The hierarchies that a mountinfo text shows, in its order. */
export function hierarchies(mountinfo: string): readonly Hierarchy[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", point] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (point === undefined) return [];
    if (type === "cgroup2") return [{ point, root }];
    return type === "cgroup" ? [{ point, root, v1: options.split(",") }] : [];
  });
}

/** Whether a hierarchy has a controller of v1, or with an empty name (as in `/proc/PID/cgroup`) is the v2 tree. */
export function hasController({ v1 }: Hierarchy, controller: string): boolean {
  return controller === "" ? v1 === undefined : v1?.includes(controller) === true;
}

/** Where a v1 controller is mounted, or with an empty name the v2 tree; undefined where it is not. */
export function mountOf(controller: string, mountinfo: string): string | undefined {
  return hierarchies(mountinfo).find((each) => hasController(each, controller))?.point;
}

/** Where a hybrid host mounts its v2 tree, or undefined. */
export function unifiedMount(mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8")): string | undefined {
  return mountOf("", mountinfo);
}

/** Directories of a container's control group, one per mounted hierarchy, whether they exist or not. */
export function cgroupDirectories(cgroupsPath: string, mountinfo: string): string[] {
  return hierarchies(mountinfo).map(({ point }) => `${point}${cgroupsPath}`);
}
