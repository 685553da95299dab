// SPDX-License-Identifier: Apache-2.0
/* A cache in a folder: a layout of OCI images with a tag for each cache, so that any tool can carry it elsewhere. */
import * as fs from "node:fs";
import { join } from "node:path";
import {
  Hasher,
  Semaphore,
  TareError,
  digestOf,
  ensureDirectory,
  fileChunks,
  ioError,
  isTareError,
  readTextIfPresent,
  writeAll,
  writeFileAtomic,
} from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { MEDIA_TYPES, layerCompression, layerMediaType, parseManifest, serializeManifest } from "../../oci/index.ts";
import type { Descriptor, LayerCompression } from "../../oci/index.ts";
import type { Store } from "../../store/index.ts";
import { compressedLayer } from "../compress-layer.ts";
import type { CompressJob, WheelLayers } from "../compress-layer.ts";
import { REF_ANNOTATION } from "../image-names.ts";
import { IdleThreads } from "../layer-thread.ts";
import { changeLayoutIndex } from "../layout-index.ts";
import type { AbsentBlobs } from "../push-layer.ts";
import { blobPath } from "../save.ts";
import { TransferMemo, stoppable } from "../transfer.ts";
import { BUILD_CACHE_TYPE, cacheManifest } from "./document.ts";
import { describeCache } from "./write.ts";
import type { BuildCacheContent, LocalCache } from "./write.ts";

/** How a cache is written to a folder. */
export interface FolderCacheOptions {
  readonly tag: string;
  readonly compression: LayerCompression;
  readonly wheels: WheelLayers;
  /** Opens what the store lacks. */
  readonly open: AbsentBlobs["open"];
  readonly signal?: AbortSignal;
}

interface FolderJob extends FolderCacheOptions {
  readonly store: Store;
  readonly folder: string;
  readonly memo: TransferMemo;
  readonly threads: IdleThreads;
  readonly signal: AbortSignal;
}

const LAYERS_AT_ONCE = 3;
const BLOBS = "blobs/sha256";
const PARTIAL = ".partial-";
/** Nobody writes for so long at one layer. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** Writes a cache; the tag names it when all of it is there. What only the tag's last cache had goes. Throws `E_IO`. */
export async function writeFolderCache(
  store: Store,
  content: BuildCacheContent,
  folder: string,
  options: FolderCacheOptions,
): Promise<Digest> {
  const work = stoppable(options.signal);
  const threads = new IdleThreads();
  const lease = store.lease();
  lease.keep(content.layers);
  const job = { ...options, store, folder, memo: new TransferMemo(store), threads, signal: work.signal };
  try {
    ensureDirectory(join(folder, BLOBS), 0o755);
    removeStale(join(folder, BLOBS));
    const slots = new Semaphore(LAYERS_AT_ONCE);
    const { layers, document } = describeCache(store, content);
    const blobs = await work.all(layers.map((layer) => slots.run(() => writeLayer(job, layer))));
    return await publish(job, document, blobs);
  } catch (error) {
    throw ioError(`writing the build cache \`${folder}\``, error);
  } finally {
    threads.close();
    lease.release();
  }
}

/** What a killed command left. */
function removeStale(blobs: string): void {
  for (const name of fs.readdirSync(blobs).filter((each) => each.startsWith(PARTIAL))) {
    const since = fs.statSync(join(blobs, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > STALE_MS) fs.rmSync(join(blobs, name), { recursive: true, force: true });
  }
}

type LocalLayer = LocalCache["layers"][number];

async function writeLayer(job: FolderJob, layer: LocalLayer): Promise<Descriptor> {
  const { diffId, local } = layer;
  const { compression, memo } = job;
  const isMade = local.digest === diffId && layerCompression(local.mediaType) === "none" && compression !== "none";
  if (!isMade) return { ...local, ...(await writeBlob(job, openAsItIs(job, layer), local)) };
  const known = memo.blobOf(diffId, compression);
  const blob = await writeBlob(job, () => compressedLayer(compressJob(job), diffId), known, { isExact: false });
  const mediaType = layerMediaType(compression);
  memo.setBlob(diffId, compression, { ...blob, mediaType });
  return { mediaType, ...blob };
}

function compressJob({ store, wheels, compression, threads, signal }: FolderJob): CompressJob {
  return { store, wheels, compression, threads, signal };
}

/** The bytes that the store's description names. */
function openAsItIs(job: FolderJob, { diffId, local }: LocalLayer): () => AsyncIterable<Uint8Array> {
  const { store, signal } = job;
  if (store.blobs.has(local.digest)) return () => fileChunks(store.blobs.path(local.digest));
  if (local.digest === diffId) return () => compressedLayer({ ...compressJob(job), compression: "none" }, diffId);
  const open = job.open(local, signal);
  if (open) return open;
  throw new TareError("E_BLOB_MISSING", `writing layer \`${local.digest}\`: its bytes are not in the store`, {
    details: { digest: local.digest },
  });
}

type Blob = Pick<Descriptor, "digest" | "size">;

/** One that is there is not written again. */
async function writeBlob(
  { folder, signal }: FolderJob,
  open: () => AsyncIterable<Uint8Array>,
  known: Blob | undefined,
  { isExact = true }: { readonly isExact?: boolean } = {},
): Promise<Blob> {
  if (known && fs.statSync(join(folder, blobPath(known.digest)), { throwIfNoEntry: false })?.size === known.size) {
    return { digest: known.digest, size: known.size };
  }
  const partial = fs.mkdtempSync(join(folder, BLOBS, PARTIAL));
  const file = fs.openSync(join(partial, "blob"), "w", 0o644);
  try {
    const hasher = new Hasher();
    let size = 0;
    for await (const chunk of open()) {
      signal.throwIfAborted();
      hasher.update(chunk);
      writeAll(file, chunk);
      size += chunk.length;
    }
    const digest = hasher.digest();
    if (isExact && known && digest !== known.digest) throw wrongBytes(known.digest, digest);
    fs.fsyncSync(file);
    fs.renameSync(join(partial, "blob"), join(folder, blobPath(digest)));
    return { digest, size };
  } finally {
    fs.closeSync(file);
    fs.rmSync(partial, { recursive: true, force: true });
  }
}

function wrongBytes(expected: Digest, actual: Digest): TareError {
  return new TareError("E_DIGEST_MISMATCH", `writing \`${expected}\`: its bytes have the digest \`${actual}\``, {
    details: { expected, actual },
  });
}

/** Documents, then the index, then what nothing names any more. */
async function publish({ folder, tag }: FolderJob, document: string, blobs: readonly Descriptor[]): Promise<Digest> {
  const write = (text: string): Blob => {
    const [digest, size] = [digestOf(text), Buffer.byteLength(text)];
    writeFileAtomic(join(folder, blobPath(digest)), text, 0o644);
    return { digest, size };
  };
  const config = write(document);
  const empty = blobs.length === 0 ? [{ mediaType: "application/vnd.oci.empty.v1+json", ...write("{}") }] : [];
  const manifest = write(serializeManifest(cacheManifest(config, [...blobs, ...empty])));
  const isOurs = ({ annotations }: Descriptor): boolean => annotations?.[REF_ANNOTATION] === tag;
  const entry = { mediaType: MEDIA_TYPES.ociManifest, ...manifest, annotations: { [REF_ANNOTATION]: tag } };
  await changeLayoutIndex(
    folder,
    (before) => [...before.filter((each) => !isOurs(each)), entry],
    (before, kept) => {
      const old = before.filter((each) => isOurs(each) && each.digest !== manifest.digest);
      removeUnused(folder, { old, kept });
    },
  );
  return manifest.digest;
}

/** Blobs of the caches that were replaced, unless something that is left may need them. */
function removeUnused(
  folder: string,
  { old, kept }: { readonly old: readonly Descriptor[]; readonly kept: readonly Descriptor[] },
): void {
  const needed = new Set<Digest>();
  for (const { digest } of kept) {
    const names = namedBy(folder, digest);
    // Something else is in the folder too: what it needs is not known.
    if (names === undefined) return;
    for (const name of names) needed.add(name);
  }
  for (const digest of old.flatMap((entry) => namedBy(folder, entry.digest) ?? [])) {
    if (!needed.has(digest)) fs.rmSync(join(folder, blobPath(digest)), { force: true });
  }
}

/** What a cache's manifest names, itself too; undefined when it is none. */
function namedBy(folder: string, digest: Digest): readonly Digest[] | undefined {
  try {
    const manifest = parseManifest(readTextIfPresent(join(folder, blobPath(digest))) ?? "");
    if (manifest.artifactType !== BUILD_CACHE_TYPE) return undefined;
    return [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
  } catch (error) {
    if (isTareError(error, "E_MANIFEST")) return undefined;
    throw error;
  }
}
