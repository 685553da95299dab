// SPDX-License-Identifier: Apache-2.0
import { dirname } from "node:path";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { devicePlaces } from "./requested-devices.ts";
import type { ContainerRecord } from "./types.ts";

/** Made by the start of every container to mount on, where an image lacks them. */
const ALWAYS: readonly string[] = [
  "dev",
  "dev/console",
  "dev/mqueue",
  "dev/pts",
  "dev/shm",
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
  "proc",
  "sys",
];

/**
 * Paths that a container's last start may have made only to mount something there, with the folders above them. What of
 * them is empty and not in the image is no change of the container: an empty `libcuda.so.1` would break the next image.
 */
export function mountPointsOf(context: Pick<ContainersContext, "store">, record: ContainerRecord): ReadonlySet<string> {
  const places = devicePlaces(record, filesOf(context, record.id).folder);
  return new Set([...ALWAYS, ...places.flatMap(withParents)]);
}

/** A path and all folders above it, the path first. */
export function withParents(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === "." || parent === "/" ? [path] : [path, ...withParents(parent)];
}
