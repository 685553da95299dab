// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { statusOf } from "../host/read.ts";
import type { HostRoots } from "../host/roots.ts";
import { WSL_FOLDER } from "../host/wsl.ts";

const NAME = "libnvidia-ml.so.1";
const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };

/**
 * The library to ask: below the driver's root where distributions put it, on this host else what the loader's own
 * configuration finds by its name. Undefined when a root that is mounted elsewhere has none.
 */
export function findNvml({ driver }: HostRoots): string | undefined {
  const found = folders()
    .map((folder) => join(driver, folder, NAME))
    .find((path) => statusOf(path) !== undefined);
  return found ?? (driver === "/" ? NAME : undefined);
}

/** In WSL2 the driver is Windows', and what a distribution has installed besides does not work there. */
function folders(): readonly string[] {
  const machine = MACHINES[process.arch] ?? "";
  const debian = ["/usr/lib", "/lib"].flatMap((base) => [`${base}/${machine}`, `${base}/${machine}/nvidia/current`]);
  return [`${WSL_FOLDER}/lib`, "/usr/lib64", ...debian, "/lib64", "/usr/lib"];
}
