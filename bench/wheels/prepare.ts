// SPDX-License-Identifier: Apache-2.0
/** What needs the network, done once; and the way into a place without one. */
import { spawnSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { newerDocker } from "./newer-docker.ts";
import type { Options } from "./options.ts";
import { prepareBase } from "./tare-contenders.ts";
import { TOOLS, describeWheels, fetchWheels } from "./wheels.ts";

const INSIDE = "TARE_BENCH_INSIDE";

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

/** This process runs in the private network namespace. */
export function isInside(): boolean {
  return process.env[INSIDE] === "1";
}

/** Runs this program again where only a loopback of its own exists; its exit code. */
export function runInside(): number {
  const words = ["--net", "--mount", "--fork", "--kill-child", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const { status } = spawnSync("unshare", [...words, process.execPath, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...cleanEnvironment(), [INSIDE]: "1" },
  });
  return status ?? 1;
}

/** Without settings of installers, engines and proxies that would reach only one side. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:PIP_|UV_|DOCKER_|BUILDKIT_|BUILDX_|TARE_|SOURCE_DATE_EPOCH$)|^(?:https?|all|no)_proxy$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
