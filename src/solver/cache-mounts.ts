// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError, canGiveFiles } from "../base/index.ts";
import type { CacheMounts } from "../store/index.ts";

/** A cache folder taken for one step. */
export interface TakenCache {
  readonly folder: string;
  release(): void;
}

/** How a cache is taken and what a new one looks like. */
export interface CacheRequest {
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Fills a new cache (`from=`, `source=`). */
  readonly fill?: (folder: string) => Promise<void>;
  readonly signal: AbortSignal;
}

const POLL_MS = 50;

/**
 * Takes the folder of a `RUN --mount=type=cache`. `shared`: at once, whoever else uses it; `locked`: waits until nobody
 * does; `private`: another folder when somebody does (Dockerfile reference, "RUN --mount=type=cache").
 */
export async function takeCache(mounts: CacheMounts, request: CacheRequest): Promise<TakenCache> {
  const { id, release } = await claim(mounts, request);
  const folder = mounts.path(id);
  if (fs.readdirSync(folder).length === 0) {
    await request.fill?.(folder);
    if (canGiveFiles()) fs.chownSync(folder, request.uid, request.gid);
    fs.chmodSync(folder, request.mode);
  }
  return { folder, release };
}

async function claim(
  mounts: CacheMounts,
  request: CacheRequest,
): Promise<{ readonly id: string; readonly release: () => void }> {
  if (request.sharing === "shared") return { id: request.id, release: () => undefined };
  for (let copy = 1; ; copy += 1) {
    const id = copy === 1 || request.sharing === "locked" ? request.id : `${request.id}#${copy}`;
    const release = mounts.claim(id);
    if (release) return { id, release };
    if (request.sharing === "locked") await pause(request);
  }
}

async function pause(request: CacheRequest): Promise<void> {
  try {
    await sleep(POLL_MS, undefined, { signal: request.signal });
  } catch (cause) {
    throw new TareError("E_ABORTED", `waiting for cache mount \`${request.id}\`: interrupted`, {
      cause,
      exitCode: 130,
    });
  }
}
