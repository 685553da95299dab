// SPDX-License-Identifier: Apache-2.0
/* Which limits this kernel has: a file of the controller is there or is not. Asked only when such a limit is wanted. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TareError, readTextIfPresent, systemErrorCode } from "../base/index.ts";
import { mountOf, unifiedMount } from "./cgroup.ts";

/** Limits that not every kernel has. */
export type OptionalLimit =
  | "blkioWeight"
  | "blkioWeightDevice"
  | "readBps"
  | "readIops"
  | "writeBps"
  | "writeIops"
  | "swappiness"
  | "oomKillDisable"
  | "realtime";

/** Controller, its files in a v1 hierarchy, and those of the v2 tree; one of them is enough. */
const FILES: Readonly<Record<OptionalLimit, readonly [string, readonly string[], readonly string[]]>> = {
  blkioWeight: ["blkio", ["blkio.weight", "blkio.bfq.weight"], ["io.bfq.weight", "io.weight"]],
  blkioWeightDevice: ["blkio", ["blkio.weight_device", "blkio.bfq.weight_device"], ["io.bfq.weight"]],
  readBps: ["blkio", ["blkio.throttle.read_bps_device"], ["io.max"]],
  readIops: ["blkio", ["blkio.throttle.read_iops_device"], ["io.max"]],
  writeBps: ["blkio", ["blkio.throttle.write_bps_device"], ["io.max"]],
  writeIops: ["blkio", ["blkio.throttle.write_iops_device"], ["io.max"]],
  swappiness: ["memory", ["memory.swappiness"], []],
  oomKillDisable: ["memory", ["memory.oom_control"], []],
  realtime: ["cpu", ["cpu.rt_runtime_us"], []],
};

/** Whether this kernel has a limit, where its hierarchies are mounted (`mountinfo`). */
export function hasLimit(
  limit: OptionalLimit,
  mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8"),
): boolean {
  const [controller, v1, v2] = FILES[limit];
  const mount = mountOf(controller, mountinfo);
  if (mount !== undefined) return hasFile(mount, v1);
  const tree = unifiedMount(mountinfo);
  return tree !== undefined && hasFile(tree, v2);
}

/** Some files are in every group but the root one. */
function hasFile(mount: string, names: readonly string[]): boolean {
  const has = (folder: string): boolean => names.some((name) => existsSync(join(folder, name)));
  if (names.length === 0) return false;
  return (
    has(mount) ||
    readdirSync(mount, { withFileTypes: true }).some((entry) => entry.isDirectory() && has(join(mount, entry.name)))
  );
}

/**
 * Gives the groups above a container real-time of their own, without which the kernel refuses it to the container (it
 * has to be handed down from the root group). Throws `E_UNSUPPORTED` when they have none to give.
 */
export function provideRealtime(cgroupsPath: string, runtime: number): void {
  const mount = mountOf("cpu", readFileSync("/proc/self/mountinfo", "utf8"));
  if (mount === undefined) return;
  const parent = dirname(cgroupsPath);
  try {
    raiseRealtime(mount, parent, runtime);
  } catch (error) {
    throw new TareError("E_UNSUPPORTED", `giving the control group \`${parent}\` ${runtime} µs of real-time`, {
      hint: `the kernel says ${systemErrorCode(error) ?? "no"}: all groups together may have kernel.sched_rt_runtime_us`,
      exitCode: 125,
      cause: error,
    });
  }
}

/** A group needs what its groups have together, so those above come first. */
function raiseRealtime(mount: string, path: string, more: number): void {
  const folder = join(mount, path);
  if (path === "/" || path === "." || !existsSync(folder)) return;
  const groups = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const given = groups.reduce((sum, { name }) => sum + realtimeOf(join(folder, name)), 0);
  const lacking = given + more - realtimeOf(folder);
  if (lacking <= 0) return;
  raiseRealtime(mount, dirname(path), lacking);
  writeFileSync(join(folder, "cpu.rt_runtime_us"), String(given + more));
}

function realtimeOf(folder: string): number {
  return Number(readTextIfPresent(join(folder, "cpu.rt_runtime_us")) ?? 0);
}
