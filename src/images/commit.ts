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
  const config = committedConfig(options.config, options.changes);
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

/** The container's config after the changes; a changed entrypoint drops a command that is not changed too. */
export function committedConfig(container: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const changed = applyChanges(container, changes);
  if (changed.Entrypoint === container.Entrypoint || changed.Cmd !== container.Cmd) return changed;
  const { Cmd: _, ...rest } = changed;
  return rest;
}
