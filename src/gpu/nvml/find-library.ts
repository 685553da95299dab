// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { driverFolders, installedVersions } from "../generate/libraries.ts";
import { statusOf } from "../host/read.ts";
import { WSL_FOLDER } from "../host/wsl.ts";
import type { HostDriver } from "../types.ts";

const NAME = "libnvidia-ml.so";

/**
 * The library to ask about NVIDIA's driver: that of the loaded module's version below the driver's root. One of another
 * version is better than none, as it says itself that it does not fit; on this host the loader may know one. Undefined
 * when a root of its own has none.
 */
export function findNvml(root: string, { kind, version }: HostDriver): string | undefined {
  const usable = candidates(root, kind, version).find((path) => statusOf(path) !== undefined);
  return usable ?? (root === "/" ? `${NAME}.1` : undefined);
}

/** In WSL2 the driver is Windows', and what a distribution has installed besides does not work there. */
function candidates(root: string, kind: HostDriver["kind"], version: string | undefined): readonly string[] {
  if (kind === "wsl") return [join(root, WSL_FOLDER, "lib", `${NAME}.1`)];
  const versions = [...(version === undefined ? [] : [version]), ...installedVersions(root).toReversed()];
  return versions.flatMap((each) => driverFolders(root, each).map((folder) => join(root, folder, `${NAME}.${each}`)));
}
