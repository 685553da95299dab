// SPDX-License-Identifier: Apache-2.0
/* Heavy work on one layer that a thread does; what goes in and comes out can be cloned. */
import { isMainThread } from "node:worker_threads";
import { decompress, decompressGzip, detectCompression, extractLayer } from "../archive/index.ts";
import type { ExtractResult } from "../archive/index.ts";
import type { Digest } from "../base/index.ts";
import { FrontierReader } from "./file-frontier.ts";
import type { GrowingFile } from "./file-frontier.ts";

/** A blob to hash and unpack while it arrives. */
export interface UnpackJob {
  readonly file: GrowingFile;
  /** It is a tar as it is. */
  readonly isPlain: boolean;
  /** An empty directory; without it the blob is hashed only. */
  readonly tree?: string;
}

/** What a blob held. */
export interface UnpackReport {
  readonly digest: Digest;
  readonly facts?: ExtractResult;
}

/** Does the job in this thread. Throws what unpacking throws, before the digest of the blob is known. */
export async function runUnpack({ file, isPlain, tree }: UnpackJob, signal?: AbortSignal): Promise<UnpackReport> {
  const reader = new FrontierReader(file);
  if (tree === undefined) return { digest: await reader.digest() };
  const tar = isPlain ? reader.pieces() : await decompressed(reader, file.size);
  const facts = await extractLayer(tar, tree, { mode: "overlay", ...(signal === undefined ? {} : { signal }) });
  return { digest: await reader.digest(), facts };
}

/** gzip by this thread alone, which waits for the file when it is no other's too. */
async function decompressed(reader: FrontierReader, size: number): Promise<AsyncIterable<Uint8Array>> {
  if (detectCompression(await reader.magic()) !== "gzip") return decompress(reader.pieces());
  if (!isMainThread) reader.block();
  return decompressGzip(reader.pieces(), size);
}
