// SPDX-License-Identifier: Apache-2.0
import { GunzipMembers, spliceTree } from "../archive/index.ts";
import type { SpliceLayout } from "../archive/index.ts";
import { Hasher } from "../base/index.ts";
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

/** The gzip of a tree, checked against its diffID on the way. A chunk is valid until the next one. */
export async function* runPack(job: PackJob): AsyncGenerator<Uint8Array> {
  const { tree, xattrs, layout, diffId, size } = job;
  const gzip = handOver(async (sink) => {
    const options = { xattrs, ...(layout === undefined ? {} : { layout }) };
    const result = await spliceTree(tree, () => undefined, sink, options);
    const isSame = result.toc ? result.toc.plainDiffId === diffId : result.diffIdSize === size;
    if (!isSame) throw changedTree({ diffId });
  });
  yield* verified(gzip, job);
}

/** Inflates what was made, a tenth of the work of making it, so that no changed tree leaves this machine. */
async function* verified(gzip: AsyncIterable<Uint8Array>, job: Pick<PackJob, "diffId">): AsyncGenerator<Uint8Array> {
  const hasher = new Hasher();
  const members = new GunzipMembers();
  try {
    for await (const chunk of gzip) {
      for (const piece of members.push(chunk, false)) hasher.update(piece);
      yield chunk;
    }
    for (const piece of members.push(new Uint8Array(0), true)) hasher.update(piece);
    members.end();
  } finally {
    members.close();
  }
  if (hasher.digest() !== job.diffId) throw changedTree(job);
}
