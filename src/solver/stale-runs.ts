// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { ensureDirectory, readTextIfPresent, removeTree, writeFileAtomic } from "../base/index.ts";
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
  const cgroupsPath = cgroupsPathIn(folder);
  const known = namesIn(runState(folder));
  // The runtime may have died with its record removed and its control groups still there.
  const ids = known.length > 0 || cgroupsPath === undefined ? known : [basename(cgroupsPath)];
  let isGone = true;
  for (const id of ids) isGone = (await cleanupContainer(await runtime(), runState(folder), id, cgroupsPath)) && isGone;
  removeTree(folder);
  if (!isGone && cgroupsPath !== undefined) remember(folder, cgroupsPath);
}

/** Keeps of a run only what the next clean-up needs: no secret, no file of the step. */
function remember(folder: string, cgroupsPath: string): void {
  ensureDirectory(folder);
  writeFileAtomic(join(folder, "config.json"), JSON.stringify({ linux: { cgroupsPath } }));
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
