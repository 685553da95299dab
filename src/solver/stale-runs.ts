// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { readTextIfPresent, removeTree } from "../base/index.ts";
import { cleanupContainer } from "../runtime/index.ts";
import type { OciRuntime } from "../runtime/index.ts";
import type { Lease, Store } from "../store/index.ts";

/**
 * The folders of running RUN steps:
 *
 *     <runRoot>/build/<lease id>-<random>/
 *       config.json  rootfs/ …     the OCI bundle; secrets that the step may read
 *       state/<container id>/      the runtime's own record
 *
 * The lease's name says whose it is: when the lease is gone, so is the build.
 */
export function newRunFolder(runRoot: string, lease: Lease): string {
  return join(runsOf(runRoot), `${lease.id}-${randomBytes(8).toString("hex")}`);
}

/** The runtime's state directory of a RUN step. */
export function runState(folder: string): string {
  return join(folder, "state");
}

/**
 * Clears what killed builds left of their RUN steps: processes, control groups, bundles. Call it after
 * `store.recover()`. One readdir when there is nothing. Returns the names of the folders that are gone now.
 */
export async function removeStaleRuns(
  store: Store,
  runRoot: string,
  runtime: () => Promise<OciRuntime>,
): Promise<readonly string[]> {
  // Listed before the leases: a folder is made after its lease.
  const folders = namesIn(runsOf(runRoot));
  if (folders.length === 0) return [];
  const leases = new Set(namesIn(join(store.root, "tmp")));
  const stale = folders.filter((name) => !leases.has(name.slice(0, name.lastIndexOf("-"))));
  for (const name of stale) await removeRun(join(runsOf(runRoot), name), runtime);
  return stale;
}

async function removeRun(folder: string, runtime: () => Promise<OciRuntime>): Promise<void> {
  for (const id of namesIn(runState(folder))) {
    await cleanupContainer(await runtime(), runState(folder), id, cgroupsPathIn(folder));
  }
  removeTree(folder);
}

function cgroupsPathIn(folder: string): string | undefined {
  return /"cgroupsPath":"([^"\\]+)"/.exec(readTextIfPresent(join(folder, "config.json")) ?? "")?.[1];
}

function runsOf(runRoot: string): string {
  return join(runRoot, "build");
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
