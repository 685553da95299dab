// SPDX-License-Identifier: Apache-2.0
/* An image of what a container has become: its image's layers, and one more of what it changed. */
import { extractLayer, packTree } from "../archive/index.ts";
import type { PackResult } from "../archive/index.ts";
import { parseImageConfig } from "../oci/index.ts";
import type { ContainerConfig, HistoryEntry } from "../oci/index.ts";
import type { Digest, DiffId } from "../base/index.ts";
import { asDiffId } from "../base/index.ts";
import type { ImageRecord, LayerStaging, Store } from "../store/index.ts";
import { applyChanges } from "./changes.ts";
import { handOver } from "./hand-over.ts";
import { writeImage } from "./write-image.ts";

/** What `commit` makes an image of. */
export interface CommitOptions {
  /** The container's overlayfs upper directory; read only. */
  readonly upper: string;
  /** Paths in it (no leading slash) that are no changes of the container's own. */
  readonly exclude: ReadonlySet<string>;
  /** The config blob of the container's image, and its layers. */
  readonly imageId: Digest;
  readonly layers: readonly Digest[];
  /** The container's configuration, which `changes` go before. */
  readonly config: ContainerConfig;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  readonly author?: string;
  readonly message?: string;
  /** Full names with tag. */
  readonly names: readonly string[];
  readonly created: Date;
  readonly signal?: AbortSignal;
}

/**
 * Makes the image; a container that changed nothing adds no layer. The same files, options and time give the same
 * image. Throws `E_CHANGE`, `E_WHITEOUT`, `E_IO` when a file shrinks meanwhile, `E_NOSPACE`, `E_ABORTED`.
 */
export async function commitImage(store: Store, options: CommitOptions): Promise<ImageRecord> {
  const config = mergeCommitted(applyChanges({}, options.changes), options.config);
  const base = parseImageConfig(store.blobs.read(options.imageId).toString("utf8"));
  const layer = await layerOf(store, options);
  const created = options.created.toISOString();
  const { author, message } = options;
  const entry: HistoryEntry = {
    created,
    ...(author ? { author } : {}),
    created_by: (options.config.Cmd ?? []).join(" "),
    ...(message ? { comment: message } : {}),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  const { rootfs: _, author: __, ...inherited } = base;
  const image = writeImage(store, {
    config: { ...inherited, created, ...(author ? { author } : {}), config, history: [...(base.history ?? []), entry] },
    layers: [...options.layers.map(asDiffId), ...(layer === undefined ? [] : [layer])],
  });
  return store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, options.names);
}

async function layerOf(store: Store, options: CommitOptions): Promise<DiffId | undefined> {
  const staging = store.layers.stage();
  try {
    const { entries, ...packed } = await copyTree(staging, options);
    if (entries === 0) {
      staging.discard();
      return undefined;
    }
    const { diffId, size, contentSize, opaque, whiteouts, hasXattrs } = packed;
    return (await staging.commitLater({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs })).diffId;
  } catch (error) {
    staging.discard();
    throw error;
  }
}

/** By way of a tar, so that what lands in the layer is what a layer can hold, and its digest is known at the end. */
async function copyTree(staging: LayerStaging, { upper, exclude, signal }: CommitOptions): Promise<PackResult> {
  const signalled = signal === undefined ? {} : { signal };
  let packed: PackResult | undefined;
  const tar = handOver(async (sink) => {
    packed = await packTree(upper, sink, { exclude, ...signalled });
  });
  await extractLayer(tar, staging.tree, { mode: "overlay", digest: false, ...signalled });
  if (packed === undefined) throw new Error("an archive was read to its end before it was written");
  return packed;
}

/** As Docker merges: what the changes say wins; a changed entrypoint drops the container's command. */
export function mergeCommitted(changed: ContainerConfig, container: ContainerConfig): ContainerConfig {
  const named = new Set((changed.Env ?? []).map(variableOf));
  const env = [...(changed.Env ?? []), ...(container.Env ?? []).filter((entry) => !named.has(variableOf(entry)))];
  const hasEntrypoint = (changed.Entrypoint?.length ?? 0) > 0;
  const cmd = changed.Cmd?.length || hasEntrypoint ? changed.Cmd : container.Cmd;
  const merged: ContainerConfig = {
    ...changed,
    User: changed.User || container.User || "",
    ...given("ExposedPorts", united(container.ExposedPorts, changed.ExposedPorts)),
    ...(env.length > 0 ? { Env: env } : {}),
    ...given("Cmd", cmd),
    ...given("Entrypoint", changed.Entrypoint ?? container.Entrypoint),
    ...given("Healthcheck", changed.Healthcheck ?? container.Healthcheck),
    ...given("WorkingDir", changed.WorkingDir || container.WorkingDir || undefined),
    ...given("Volumes", united(container.Volumes, changed.Volumes)),
    ...given("Labels", united(container.Labels, changed.Labels)),
    ...given("StopSignal", changed.StopSignal || container.StopSignal || undefined),
  };
  return merged;
}

function given<Key extends keyof ContainerConfig>(
  key: Key,
  value: ContainerConfig[Key] | undefined,
): Pick<ContainerConfig, never> {
  return value === undefined ? {} : { [key]: value };
}

function united<T>(
  one: Readonly<Record<string, T>> | undefined,
  other: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | undefined {
  const all = { ...one, ...other };
  return Object.keys(all).length > 0 ? all : undefined;
}

function variableOf(entry: string): string {
  return entry.split("=", 1)[0] ?? entry;
}
