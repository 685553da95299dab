// SPDX-License-Identifier: Apache-2.0
/*
 * A layer's tar as it travels. gzip is made by `spliceTree`: what wheels hold compressed is taken over, the rest goes
 * through our own encoder, so that the same layer has the same digest whatever machine and version of zlib sends it.
 */
import * as fs from "node:fs";
import { TareError, ioError, writeAll } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import { compress, spliceTree } from "../archive/index.ts";
import type { SpliceLayout, SpliceResult } from "../archive/index.ts";
import type { ByteSink } from "../base/index.ts";
import type { LayerCompression } from "../oci/index.ts";
import type { InstallSettings, LayerSource, WheelToInstall } from "../python/index.ts";
import type { Layer, LayerFacts, Store } from "../store/index.ts";
import { handOver } from "./hand-over.ts";
import { packOnThread } from "./layer-thread.ts";
import type { IdleThreads } from "./layer-thread.ts";
import type { PackJob } from "./pack-job.ts";
import { changedTree, layerTar } from "./unpack-layer.ts";

/** Where the files of layers made of wheels come from. */
export interface WheelLayers {
  has(diffId: DiffId): Promise<boolean>;
  /** Fetches wheels that are not here any more. The caller closes it. */
  open(diffId: DiffId, signal?: AbortSignal): Promise<LayerSource | undefined>;
  /** The same wheels as files. */
  files(diffId: DiffId, signal?: AbortSignal): Promise<LayerWheels | undefined>;
  /** Makes the trees of deferred layers among these. */
  unpack(diffIds: readonly DiffId[], signal?: AbortSignal): Promise<void>;
}

/** All that a layer is made of. */
export interface LayerWheels {
  readonly wheels: readonly WheelToInstall[];
  readonly settings: InstallSettings;
}

/** No layer is made of wheels. */
export const NO_WHEELS: WheelLayers = {
  has: async () => false,
  open: async () => undefined,
  files: async () => undefined,
  unpack: async () => undefined,
};

/** What a layer is compressed with. */
export interface CompressJob {
  readonly store: Store;
  readonly wheels: WheelLayers;
  readonly compression: LayerCompression;
  /** How gzip members are cut; default `ms`. */
  readonly layout?: SpliceLayout;
  /** Those of several layers; default: one for this layer. */
  readonly threads?: IdleThreads;
  readonly signal?: AbortSignal;
}

/** The bytes of a layer as it travels. Throws `E_LAYER_MISSING`, and `E_STORE_DAMAGED` when its tree was changed. */
export async function* compressedLayer(job: CompressJob, diffId: DiffId): AsyncGenerator<Uint8Array> {
  const layer = await layerOf(job, diffId);
  const { compression } = job;
  if (compression === "none") return yield* layerTar(job.store, layer);
  // A tree from outside does not give its tar again: the tar's own bytes are compressed.
  if (compression === "zstd" || layer.blob !== undefined) {
    return yield* compress(layerTar(job.store, layer), { kind: compression });
  }
  if (await job.wheels.has(diffId)) return yield* handOver(async (sink) => void (await splice(job, layer, sink)));
  const { threads: idle, signal } = job;
  yield* packOnThread(packJobOf(job, layer), { ...(idle && { idle }), ...(signal && { signal }) });
}

function packJobOf({ layout }: CompressJob, { tree, diffId, size, hasXattrs, opaque }: Layer): PackJob {
  return { tree, diffId, size, xattrs: hasXattrs || opaque.length > 0, ...(layout === undefined ? {} : { layout }) };
}

/**
 * Writes a layer's gzip to a new file and tells its digest: for layers whose digest has to be known before it is known
 * whether they are sent. Those of wheels are made by threads, of the wheels alone. Throws as `compressedLayer`.
 */
export async function spoolLayer(job: CompressJob, diffId: DiffId, path: string): Promise<SpliceResult> {
  try {
    const made = await spoolWheels(job, diffId, path);
    return made ?? (await spoolTree(job, await layerOf(job, diffId), path));
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw ioError(`packing layer \`${diffId}\``, error);
  }
}

async function spoolWheels(job: CompressJob, diffId: DiffId, path: string): Promise<SpliceResult | undefined> {
  const { signal, layout } = job;
  const found = await job.wheels.files(diffId, signal);
  const layer = found && job.store.layers.facts(diffId);
  if (!layer) return undefined;
  const { spliceWheelLayer } = await import("../python/index.ts");
  const result = await spliceWheelLayer(found.wheels, found.settings, {
    path,
    ...(layout === undefined ? {} : { layout }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!isOf(layer, result)) throw changedTree(layer);
  return result;
}

/** Its content is hashed on the way, so that no changed tree leaves this machine. */
async function spoolTree(job: CompressJob, layer: Layer, path: string): Promise<SpliceResult> {
  const file = fs.openSync(path, "wx", 0o600);
  try {
    return await splice(job, layer, { write: (chunk) => writeAll(file, chunk) }, true);
  } finally {
    fs.closeSync(file);
  }
}

/** A tree that came from outside need not give its tar again. */
function isOf(layer: LayerFacts, { toc, diffIdSize, diffId = layer.diffId }: SpliceResult): boolean {
  if (toc) return layer.blob !== undefined || toc.plainDiffId === layer.diffId;
  return diffIdSize === layer.size && diffId === layer.diffId;
}

async function layerOf({ store, wheels, signal }: CompressJob, diffId: DiffId): Promise<Layer> {
  await wheels.unpack([diffId], signal);
  const [layer] = store.layers.getAll([diffId]);
  if (layer) return layer;
  throw new TareError("E_LAYER_MISSING", `packing layer \`${diffId}\`: it is not in the store`);
}

async function splice(job: CompressJob, layer: Layer, sink: ByteSink, measure = false): Promise<SpliceResult> {
  const { wheels, signal } = job;
  const source = await wheels.open(layer.diffId, signal);
  try {
    const result = await spliceTree(layer.tree, source?.sourceOf ?? ((): undefined => undefined), sink, {
      xattrs: layer.hasXattrs || layer.opaque.length > 0,
      measure,
      ...(job.layout === undefined ? {} : { layout: job.layout }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!isOf(layer, result)) throw changedTree(layer);
    return result;
  } finally {
    source?.close();
  }
}
