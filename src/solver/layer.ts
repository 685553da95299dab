// SPDX-License-Identifier: Apache-2.0
import { packTree } from "../archive/index.ts";
import type { DiffId } from "../base/index.ts";
import type { LayerStaging } from "../store/index.ts";

/** How a filled staging folder becomes a layer. */
export interface FinishOptions {
  /** False when nothing in the tree can have extended attributes, which saves asking. Default true. */
  readonly xattrs?: boolean;
  /** Seconds: times later than `after` become `to`. */
  readonly clamp?: { readonly after: number; readonly to: number };
  readonly signal?: AbortSignal;
}

/** Computes the diffID of a staged tree, publishes it as a layer, and returns the diffID. The staging is used up. */
export async function finishLayer(staging: LayerStaging, options: FinishOptions = {}): Promise<DiffId> {
  const packed = await packTree(staging.tree, undefined, options);
  options.signal?.throwIfAborted();
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = packed;
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}
