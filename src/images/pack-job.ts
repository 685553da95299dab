// SPDX-License-Identifier: Apache-2.0
import { spliceTree } from "../archive/index.ts";
import type { SpliceLayout } from "../archive/index.ts";
import type { DiffId } from "../base/index.ts";
import { handOver } from "./hand-over.ts";
import { changedTree } from "./unpack-layer.ts";

/** A tree to compress; a thread does it, so it can be cloned. */
export interface PackJob {
  readonly tree: string;
  readonly diffId: DiffId;
  /** Bytes of its tar. */
  readonly size: number;
  readonly xattrs: boolean;
  readonly layout?: SpliceLayout;
}

/**
 * The gzip of a tree, checked against its diffID on the way, so that no changed tree leaves this machine. A chunk is
 * valid until the next one.
 */
export function runPack(job: PackJob): AsyncGenerator<Uint8Array> {
  const { tree, xattrs, layout } = job;
  return handOver(async (sink) => {
    const options = { xattrs, measure: true, ...(layout === undefined ? {} : { layout }) };
    const { toc, diffId } = await spliceTree(tree, () => undefined, sink, options);
    if ((toc?.plainDiffId ?? diffId) !== job.diffId) throw changedTree(job);
  });
}
