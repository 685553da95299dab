// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { Hasher, TareError, digestOf, hexOf, ioError, systemErrorCode } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import type { OpenFile } from "./effects.ts";
import { requireSpace } from "./space.ts";
import type { BlobInfo, BlobStore } from "./types.ts";

/** A blob on its way in: a private file of this process's lease. */
interface Ingest extends OpenFile {
  readonly hasher: Hasher;
  size: number;
  closed: boolean;
}

/** Blobs as files named by their digest. Needs no database. */
export function blobStore(context: StoreContext): BlobStore {
  const stat = (digest: Digest): BlobInfo | undefined => statBlob(context, digest);
  return {
    has: (digest) => stat(digest) !== undefined,
    stat,
    path: (digest) => {
      if (!stat(digest)) throw missing(digest);
      return context.layout.blob(digest);
    },
    read: (digest) => readBlob(context, digest),
    write: (source, expected = {}) => writeBlob(context, source, expected),
    writeBytes: (data) => writeBytes(context, data),
  };
}

function missing(digest: Digest): TareError {
  return new TareError("E_BLOB_MISSING", `opening blob \`${digest}\`: it is not in the store`, {
    hint: "pull or build the image again; `tare system fsck` shows what else is missing",
    details: { digest },
  });
}

function statBlob(context: StoreContext, digest: Digest): BlobInfo | undefined {
  const facts = fs.statSync(context.layout.blob(digest), { throwIfNoEntry: false });
  return facts && { digest, size: facts.size };
}

function readBlob(context: StoreContext, digest: Digest): Buffer {
  const path = context.layout.blob(digest);
  const bytes = readOrThrow(path, digest);
  const actual = digestOf(bytes);
  if (actual === digest) return bytes;
  throw new TareError("E_STORE_DAMAGED", `reading blob \`${digest}\`: its bytes have the digest \`${actual}\``, {
    hint: "run `tare system fsck --repair`, then pull or build the image again",
    details: { digest, actual, path },
  });
}

function readOrThrow(path: string, digest: Digest): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") throw missing(digest);
    throw ioError(`reading blob \`${digest}\``, error);
  }
}

function writeBytes(context: StoreContext, data: Uint8Array | string): BlobInfo {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const digest = digestOf(bytes);
  context.lease().keep([digest]);
  const known = statBlob(context, digest);
  if (known?.size === bytes.length) return known;
  requireSpace(context.layout, bytes.length, `writing blob \`${digest}\``);
  const ingest = begin(context);
  try {
    take(context, ingest, bytes);
    if (context.sync === "full") context.effects.sync("blob.sync", ingest);
    return publish(context, ingest, {});
  } catch (error) {
    throw abandon(context, ingest, error);
  }
}

async function writeBlob(
  context: StoreContext,
  source: AsyncIterable<Uint8Array>,
  expected: Partial<BlobInfo>,
): Promise<BlobInfo> {
  const known = expected.digest && knownBlob(context, expected.digest);
  if (known && known.size === (expected.size ?? known.size)) {
    await endSource(source);
    return known;
  }
  requireSpace(context.layout, expected.size ?? 0, `writing blob \`${expected.digest ?? "of unknown digest"}\``);
  const ingest = begin(context);
  try {
    for await (const chunk of source) {
      take(context, ingest, chunk);
      if (expected.size !== undefined && ingest.size > expected.size) throw wrongSize(ingest, expected);
    }
    if (context.sync === "full") await context.effects.syncLater("blob.sync", ingest);
    return publish(context, ingest, expected);
  } catch (error) {
    throw abandon(context, ingest, error);
  }
}

/** Kept first, then looked at: a prune in between either sees the claim or is seen. */
function knownBlob(context: StoreContext, digest: Digest): BlobInfo | undefined {
  context.lease().keep([digest]);
  return statBlob(context, digest);
}

/** Tells a source that nobody will read it, so that it closes what it holds. */
async function endSource(source: AsyncIterable<Uint8Array>): Promise<void> {
  if ("destroy" in source && typeof source.destroy === "function") source.destroy();
  else await source[Symbol.asyncIterator]().return?.();
}

function begin(context: StoreContext): Ingest {
  const path = join(context.lease().folder, `blob-${randomBytes(6).toString("hex")}`);
  return { path, descriptor: context.effects.create("blob.open", path), hasher: new Hasher(), size: 0, closed: false };
}

function take(context: StoreContext, ingest: Ingest, chunk: Uint8Array): void {
  context.effects.write("blob.write", ingest, chunk);
  ingest.hasher.update(chunk);
  ingest.size += chunk.length;
}

function wrongSize(ingest: Ingest, expected: Partial<BlobInfo>): TareError {
  const name = expected.digest ?? "of unknown digest";
  const but = `${ingest.size} bytes came, ${expected.size} were announced`;
  return new TareError("E_DIGEST_MISMATCH", `writing blob \`${name}\`: ${but}`, { details: { ...expected } });
}

function publish(context: StoreContext, ingest: Ingest, expected: Partial<BlobInfo>): BlobInfo {
  const digest = ingest.hasher.digest();
  const { size } = ingest;
  if (expected.size !== undefined && expected.size !== size) throw wrongSize(ingest, expected);
  if (expected.digest !== undefined && expected.digest !== digest) {
    const why = `its bytes have the digest \`${digest}\``;
    throw new TareError("E_DIGEST_MISMATCH", `writing blob \`${expected.digest}\`: ${why}`, {
      details: { expected: expected.digest, actual: digest },
    });
  }
  const { effects, layout } = context;
  close(ingest);
  context.lease().keep([digest]);
  effects.rename("blob.rename", ingest.path, join(layout.blobs, hexOf(digest)));
  if (context.sync === "full") effects.syncDirectory("blob.syncdir", layout.blobs);
  return { digest, size };
}

function close(ingest: Ingest): void {
  if (ingest.closed) return;
  ingest.closed = true;
  fs.closeSync(ingest.descriptor);
}

/** Drops the private file and returns the error to throw. */
function abandon(context: StoreContext, ingest: Ingest, error: unknown): unknown {
  close(ingest);
  context.effects.unlink("blob.open", ingest.path);
  return error;
}
