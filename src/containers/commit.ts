// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, isTareError } from "../base/index.ts";
import { readContainerConfig } from "../oci/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { MOUNT_POINTS } from "./changes.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { pauseContainer, unpauseContainer } from "./exec.ts";
import type { ContainerView } from "./filters.ts";
import { findView } from "./find.ts";
import { imageTree, isOpaque } from "./image-tree.ts";
import type { ContainerConfig, ContainerRecord } from "./types.ts";

/** `commit`. */
export interface CommitRequest {
  readonly container: string;
  /** Full names with tag; none: the image has only its id. */
  readonly names: readonly string[];
  /** Dockerfile instructions for the image's config. */
  readonly changes: readonly string[];
  readonly author?: string;
  readonly message?: string;
  /** Let a running container stand still meanwhile, so that its files fit together. */
  readonly pause: boolean;
  readonly created: Date;
  readonly signal?: AbortSignal;
}

/**
 * Makes an image of a container: its image and one more layer of what it changed, without what is mounted into it.
 * Throws `E_CONTAINER_NOTFOUND`, `E_CONTAINER_STATE`, `E_CHANGE`, `E_IO` when a file changes meanwhile.
 */
export async function commitContainer(context: ContainersContext, request: CommitRequest): Promise<ImageRecord> {
  const { commitImage } = await import("../images/index.ts");
  const view = findView(context, request.container);
  const { record } = view;
  const { upper } = filesOf(context, record.id);
  const { container: _, pause: __, ...options } = request;
  return await standingStill(context, view, request.pause, () =>
    commitImage(context.store, {
      ...options,
      upper,
      exclude: notOwnChanges(context, record, upper),
      imageId: record.imageId,
      layers: record.layers,
      config: imageConfigOf(record.config),
    }),
  );
}

/** A container that was paused already stays so. */
async function standingStill<T>(
  context: ContainersContext,
  { record, state }: ContainerView,
  pause: boolean,
  work: () => Promise<T>,
): Promise<T> {
  if (!pause || state.status !== "running" || state.paused) return await work();
  await pauseContainer(context, record.id).catch((error: unknown) => Promise.reject(orWithoutPause(error)));
  try {
    return await work();
  } finally {
    await unpauseContainer(context, record.id);
  }
}

function orWithoutPause(error: unknown): unknown {
  if (!isTareError(error, "E_UNSUPPORTED")) return error;
  const hint = "`--pause=false` commits it while it runs";
  return new TareError("E_UNSUPPORTED", error.message, { hint, cause: error });
}

/** What an image inherits; the names of this one container and its terminal are not part of it. */
function imageConfigOf(config: ContainerConfig): ReturnType<typeof readContainerConfig> {
  const { User, Env, Cmd, Entrypoint, WorkingDir, Labels, Volumes, ExposedPorts, StopSignal, Healthcheck } = config;
  const all = { User, Env, Cmd, Entrypoint, WorkingDir, Labels, Volumes, ExposedPorts, StopSignal, Healthcheck };
  return readContainerConfig(
    Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined)),
    "config",
  );
}

/** Empty mount points that starting has made, and directories that are in the upper one only because of them. */
function notOwnChanges(context: ContainersContext, record: ContainerRecord, upper: string): ReadonlySet<string> {
  const image = imageTree(context, record);
  const excluded = new Set<string>();
  const isEmpty = (path: string): boolean =>
    fs.readdirSync(`${upper}/${path}`).every((name) => excluded.has(`${path}/${name}`));
  // The deepest come first: a directory is empty when all that is in it is left out.
  for (const path of [...MOUNT_POINTS].sort((a, b) => b.length - a.length)) {
    const stats = fs.lstatSync(`${upper}/${path}`, { throwIfNoEntry: false });
    if (!stats || image.lookup(path)) continue;
    if (stats.isDirectory() ? isEmpty(path) : stats.isFile() && stats.size === 0) excluded.add(path);
  }
  for (const path of ["etc", "dev"]) {
    const stats = fs.lstatSync(`${upper}/${path}`, { throwIfNoEntry: false });
    const old = image.lookup(path)?.stats;
    if (!stats?.isDirectory() || !old?.isDirectory() || isOpaque(`${upper}/${path}`)) continue;
    const isSame = stats.mode === old.mode && stats.uid === old.uid && stats.gid === old.gid;
    const hasStub = [...excluded].some((stub) => stub.startsWith(`${path}/`));
    if (isSame && hasStub && isEmpty(path)) excluded.add(path);
  }
  return excluded;
}
