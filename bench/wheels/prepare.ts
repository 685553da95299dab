// SPDX-License-Identifier: Apache-2.0
/** What needs the network, done once. */
import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { newerDocker } from "./newer-docker.ts";
import type { Options } from "./options.ts";
import { prepareBase } from "./tare-contenders.ts";
import { TOOLS, describeWheels, fetchWheels } from "./wheels.ts";

/** Where things are in the cache. */
export const wheelsIn = (cache: string): string => join(cache, "wheels");
export const baseIn = (cache: string): string => join(cache, "base");
export const newerDockerIn = (cache: string): string => join(cache, "newer-docker");

/** Fetches wheels, base and a newer Docker into the cache. */
export async function prepare({ set, cache, folder, peers }: Options): Promise<void> {
  mkdirSync(cache, { recursive: true });
  mkdirSync(folder, { recursive: true });
  requireSpace(folder, set.space);
  fetchWheels(wheelsIn(cache), [...set.pins, set.changed, ...set.variants, ...TOOLS]);
  await describeWheels(wheelsIn(cache));
  if (peers.includes("buildkit-uv")) newerDocker(newerDockerIn(cache));
  prepareBase(baseIn(cache));
}

function requireSpace(folder: string, wanted: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= wanted) return;
  const gigabytes = (bytes: number): string => `${Math.round(bytes / 1e9)} GB`;
  throw new Error(`${folder} has ${gigabytes(free)} free, this set needs ${gigabytes(wanted)}: name another --folder`);
}
