// SPDX-License-Identifier: Apache-2.0
import * as zlib from "node:zlib";
import { spliceTree } from "../archive/index.ts";
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
async function* verified(gzip: AsyncIterable<Uint8Array>, layer: Pick<PackJob, "diffId">): AsyncGenerator<Uint8Array> {
  const hasher = new Hasher();
  const inflate = zlib.createGunzip({ chunkSize: 1 << 18 });
  inflate.on("data", (chunk: Buffer) => hasher.update(chunk));
  const ended = new Promise<void>((resolve, reject) => inflate.once("end", resolve).once("error", reject));
  ended.catch(() => undefined);
  try {
    for await (const chunk of gzip) {
      // The chunk's memory is used again when the reader comes back; the copy is the inflater's.
      const copy = Buffer.from(chunk);
      const isFull = !inflate.write(copy);
      yield chunk;
      if (isFull && inflate.writableNeedDrain) await new Promise<void>((drained) => inflate.once("drain", drained));
    }
    inflate.end();
    await ended;
  } finally {
    inflate.destroy();
  }
  if (hasher.digest() !== layer.diffId) throw changedTree(layer);
}
