// SPDX-License-Identifier: Apache-2.0
import { packTree } from "../archive/index.ts";
import type { DiffId } from "../base/index.ts";
import type { LayerStaging } from "../store/index.ts";
import type { StepContext } from "./types.ts";

/** How a filled staging folder becomes a layer. */
export interface FinishOptions {
  /** False when nothing in the tree can have extended attributes, which saves asking. */
  readonly xattrs: boolean;
  /** Seconds: times later than `after` become `to`. */
  readonly clamp?: { readonly after: number; readonly to: number };
}

/** Computes the diffID of a staged tree, publishes it as a layer, and returns the diffID. The staging is used up. */
export async function finishLayer(step: StepContext, staging: LayerStaging, options: FinishOptions): Promise<DiffId> {
  const packed = await packTree(staging.tree, undefined, options);
  step.signal.throwIfAborted();
  const layer = staging.commit({
    diffId: packed.diffId,
    size: packed.size,
    contentSize: packed.contentSize,
    entries: packed.entries,
    opaque: packed.opaque,
    whiteouts: packed.whiteouts,
    hasXattrs: packed.hasXattrs,
  });
  return layer.diffId;
}
