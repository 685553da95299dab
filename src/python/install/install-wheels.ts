// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { DEFAULT_EPOCH } from "../../base/index.ts";
import { unpack } from "./unpack.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { InstallSettings, UnpackReport, WheelToInstall } from "./unpack.ts";

/** What an installation wrote. */
export interface Installed {
  readonly files: number;
  /** Bytes of content. */
  readonly size: number;
  /** Files that a later wheel replaced, as pip would: worth a warning. */
  readonly replaced: readonly { readonly path: string; readonly by: string }[];
}

/** Below this many compressed bytes a thread costs more than it gives. */
const THREAD_FROM = 6 << 20;
/** A wheel of more than this is unpacked by several threads. */
const SPLIT_FROM = 24 << 20;

let pool: WorkerPool | undefined;

/**
 * Installs wheels into the empty tree of a layer, in order: of two files at one path the later one stays, as with pip.
 * Everything has the mode 644 or 755 and the fixed time. On an error the tree is worthless. Throws `E_WHEEL`,
 * `E_WHEEL_RECORD`, `E_ZIP…`, `E_BOMB`, `E_NOSPACE`, `E_ABORTED`.
 */
export async function installWheels(
  wheels: readonly WheelToInstall[],
  tree: string,
  settings: InstallSettings,
  signal?: AbortSignal,
): Promise<Installed> {
  const cost = wheels.reduce((sum, { file }) => sum + fs.statSync(file).size, 0);
  const job = { wheels, settings, tree };
  const reports: readonly UnpackReport[] =
    cost < THREAD_FROM
      ? [await unpack({ ...job, part: 0, parts: 1 }, signal)]
      : await onThreads(job, { cost, parts: wheels.length === 1 && cost >= SPLIT_FROM ? threads().size : 1 }, signal);
  const folders = new Set(reports.flatMap((report) => report.folders));
  // Deepest first: what is put into a folder changes its time.
  for (const folder of [...folders].sort().toReversed()) fs.utimesSync(folder, DEFAULT_EPOCH, DEFAULT_EPOCH);
  return {
    files: reports.reduce((sum, report) => sum + report.files, 0),
    size: reports.reduce((sum, report) => sum + report.size, 0),
    replaced: reports.flatMap((report) => report.replaced),
  };
}

async function onThreads(
  job: { readonly wheels: readonly WheelToInstall[]; readonly settings: InstallSettings; readonly tree: string },
  { cost, parts }: { readonly cost: number; readonly parts: number },
  signal: AbortSignal | undefined,
): Promise<readonly UnpackReport[]> {
  const jobs = Array.from({ length: parts }, (_, part) => ({ ...job, part, parts }));
  const settled = await Promise.allSettled(jobs.map((one) => threads().run(one, cost / parts, signal)));
  return settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

function threads(): WorkerPool {
  return (pool ??= new WorkerPool(availableParallelism()));
}
