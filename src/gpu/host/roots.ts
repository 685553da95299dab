// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { statusOf } from "./read.ts";

/** Where things of this host's GPUs are looked for. */
export interface HostPlace {
  /** Folder with the driver's files, `/` by default; GPU operators have it at /run/nvidia/driver. */
  readonly driverRoot?: string;
  /** Folder whose `dev` has the device nodes; by default the driver's where it has some, else `/`. */
  readonly devRoot?: string;
}

/** The three folders that everything is read below. */
export interface HostRoots {
  readonly driver: string;
  readonly dev: string;
  /** Of /proc and /sys: the driver's where it has them (as a root folder that is mounted elsewhere), else `/`. */
  readonly kernel: string;
}

const NODES: readonly string[] = ["dev/nvidiactl", "dev/dxg", "dev/kfd", "dev/dri"];

/** The folders of a place. */
export function rootsOf({ driverRoot = "/", devRoot }: HostPlace): HostRoots {
  const driver = resolve(driverRoot);
  const has = (path: string): boolean => statusOf(join(driver, path)) !== undefined;
  return {
    driver,
    dev: devRoot === undefined ? (NODES.some(has) ? driver : "/") : resolve(devRoot),
    kernel: has("proc/devices") ? driver : "/",
  };
}
