// SPDX-License-Identifier: Apache-2.0
/* `--lock-facts`: what a build found out about its layers of wheels, for those who build from the same lock. */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, hexOf, writeFileAtomic } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { TransferMemo } from "../images/index.ts";
import { knownLayer, spliceWheelLayer, wheelLayer, wheelsOfLayer, writeLayerFacts } from "../python/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { Graph } from "../graph/index.ts";
import type { WheelLayerFacts } from "../python/index.ts";
import type { Lease } from "../store/index.ts";
import type { BuildPlace } from "./run-build.ts";

/** What the facts are of and where they go. */
export interface LockFactsJob {
  readonly lease: Lease;
  readonly graph: Graph;
  /** `pylock.toml` */
  readonly lock: string;
  readonly signal: AbortSignal;
}

/** The lock to write to. Throws `E_USAGE` when a build has none that can hold facts. */
export function requireLock(lock: string | undefined): string {
  if (lock !== undefined) return lock;
  throw new TareError("E_USAGE", "writing facts of layers: the build is not that of a project with a pylock.toml", {
    hint: "`tare lock` writes one",
  });
}

/**
 * Writes the facts of the layers of wheels that this machine made into the lock, which stays as it is otherwise. What a
 * registry said is no fact. Throws what reading wheels throws, and io errors.
 */
export async function writeLockFacts(place: BuildPlace, job: LockFactsJob): Promise<void> {
  const steps = [...job.graph.vertices.values()].filter(({ op }) => op.type === "wheels");
  const facts: WheelLayerFacts[] = [];
  for (const step of steps) {
    const key = cacheKey(step, []);
    const known = knownLayer(place.store, key);
    if (!known || known.isClaim) continue;
    const { diffId, size } = known;
    facts.push({ key, diffId, size, blob: await blobOf(place, job, diffId) });
  }
  const text = fs.readFileSync(job.lock, "utf8");
  const next = writeLayerFacts(text, facts);
  if (next !== text) writeFileAtomic(job.lock, next, fs.statSync(job.lock).mode & 0o777);
}

/** As it travels: remembered from a push, or made now. */
async function blobOf(
  place: BuildPlace,
  { lease, signal }: LockFactsJob,
  diffId: DiffId,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const { store } = place;
  const memo = new TransferMemo(store);
  const known = memo.blobOf(diffId, "gzip");
  if (known) return { digest: known.digest, size: known.size };
  const layer = wheelLayer(store, diffId);
  if (!layer) throw new TareError("E_LAYER_MISSING", `writing facts of layers: nothing is known of \`${diffId}\``);
  ensureDirectory(lease.folder);
  const path = join(lease.folder, `facts-${hexOf(diffId)}`);
  try {
    const wheels = await wheelsOfLayer(store, await place.wheels(), layer, signal);
    const { digest, size } = await spliceWheelLayer(wheels, layer.settings, { path, signal });
    return { digest, size };
  } finally {
    fs.rmSync(path, { force: true });
  }
}
