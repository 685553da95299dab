// SPDX-License-Identifier: Apache-2.0
/*
 * Takes a bundle in. Nothing of it is believed: the document is read strictly, every blob has to be there before
 * anything is taken and has the digest that names it, wheels are what their names say. Layers of wheels get no records:
 * the first build makes them again from the wheels, which gives the same layers, or a lock says which they are. What
 * can't be verified (the claims) is left alone unless the user trusts the maker of the bundle, and never replaces what
 * this store knows itself.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, digestOf, ensureDirectory, writeFileAtomic } from "../base/index.ts";
import { builtWheels, checkWheel, knownResolutions, readLock } from "../python/index.ts";
import { BUNDLE_FILE, parseBundle } from "./bundle-document.ts";
import { takeLayers, takePacks } from "./bundle-layers.ts";
import { loadFrom, openSource } from "./load.ts";
import { blobPath } from "./save.ts";
import type { Digest } from "../base/index.ts";
import type { WheelStore } from "../python/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { ArchiveSource } from "./archive-source.ts";
import type { BundleDocument, BundledFile } from "./bundle-document.ts";
import type { LoadOptions } from "./load.ts";

/** How a bundle is taken in. */
export interface BundleLoadOptions extends Pick<LoadOptions, "host" | "signal"> {
  readonly wheels: WheelStore;
  /** Folder for the locks and project files; absent: they stay in the archive. */
  readonly files?: string;
  /** Takes the claims too. */
  readonly isTrusted: boolean;
}

/** What came out of a bundle. */
export interface LoadedBundle {
  readonly records: readonly ImageRecord[];
  readonly bundle: BundleDocument;
  /** How many claims were taken. */
  readonly claims: number;
}

const FILE_LIMIT = 64 << 20;
const LOCK_LIMIT = 16 << 20;

/** Loads a bundle. Throws `E_BUNDLE` before anything is taken, `E_DIGEST_MISMATCH`, `E_WHEEL…`, and as `loadImages`. */
export async function loadBundle(
  store: Store,
  input: string | AsyncIterable<Uint8Array>,
  options: BundleLoadOptions,
): Promise<LoadedBundle> {
  const lease = store.lease();
  try {
    const source = await openSource(input, lease.folder, options.signal);
    try {
      return await takeAll(store, source, options);
    } finally {
      source.close();
    }
  } finally {
    lease.release();
  }
}

async function takeAll(store: Store, source: ArchiveSource, options: BundleLoadOptions): Promise<LoadedBundle> {
  const bundle = readDocument(source);
  requireBlobs(source, bundle);
  const files = bundle.files.map((file) => ({ ...file, bytes: readBlob(source, file, FILE_LIMIT) }));
  if (options.files !== undefined) requireFree(options.files, files);
  const { host, signal } = options;
  const records = await loadFrom(store, source, { host, ...(signal === undefined ? {} : { signal }) });
  await takeWheels(store, source, bundle, options);
  if (options.files !== undefined) writeFiles(options.files, files);
  const claims = options.isTrusted ? await takeClaims(store, source, { bundle, records }) : 0;
  return { records, bundle, claims };
}

function readDocument(source: ArchiveSource): BundleDocument {
  const bytes = source.read(BUNDLE_FILE);
  if (bytes) return parseBundle(bytes.toString("utf8"));
  throw new TareError("E_BUNDLE", `loading \`${source.label}\`: it is no bundle, ${BUNDLE_FILE} is not in it`, {
    hint: "`tare load` takes other archives of images",
  });
}

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/** Before anything is taken: a bundle that was cut short gives nothing. */
function requireBlobs(source: ArchiveSource, { wheels, files, claims }: BundleDocument): void {
  for (const { digest, size } of [...wheels, ...files, ...claims.resolutions, ...claims.packs]) {
    const name = blobPath(digest);
    const found = source.has(name) ? source.size(name) : undefined;
    if (found !== size) throw wrongBlob(source, digest, found === undefined ? "is missing" : `has ${found} bytes`);
  }
}

function wrongBlob({ label }: ArchiveSource, digest: Digest, why: string): TareError {
  return new TareError("E_BUNDLE", `loading \`${label}\`: \`${digest}\` ${why}`, {
    hint: "the bundle is cut short, damaged or forged; nothing of it was taken",
  });
}

function readBlob(source: ArchiveSource, { digest }: Blob, limit: number): Buffer {
  const bytes = source.read(blobPath(digest), limit);
  if (bytes && digestOf(bytes) === digest) return bytes;
  throw wrongBlob(source, digest, "has another digest");
}

/** What lies in the folder already stays, unless it is the same. Throws `E_BUNDLE`. */
function requireFree(folder: string, files: readonly (BundledFile & { readonly bytes: Buffer })[]): void {
  for (const { name, bytes } of files) {
    const stats = fs.lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (!stats || (stats.isFile() && fs.readFileSync(join(folder, name)).equals(bytes))) continue;
    throw new TareError("E_BUNDLE", `writing \`${join(folder, name)}\`: there is another one already`, {
      hint: "choose another folder with `--to`, or move the file away; nothing of the bundle was taken",
    });
  }
}

function writeFiles(folder: string, files: readonly (BundledFile & { readonly bytes: Buffer })[]): void {
  ensureDirectory(folder, 0o755);
  for (const { name, bytes } of files) writeFileAtomic(join(folder, name), bytes, 0o644);
}

async function takeWheels(
  store: Store,
  source: ArchiveSource,
  { wheels }: BundleDocument,
  options: BundleLoadOptions,
): Promise<void> {
  for (const wheel of wheels) {
    options.signal?.throwIfAborted();
    const { digest, size, fileName } = wheel;
    await store.blobs.write(source.open(blobPath(digest)), { digest, size });
    if (fileName.endsWith(".whl")) checkWheel(store.blobs.path(digest), fileName);
  }
  await options.wheels.fetch(wheels);
}

/** Each only where this store knows nothing; how many those were. */
async function takeClaims(
  store: Store,
  source: ArchiveSource,
  { bundle, records }: { readonly bundle: BundleDocument; readonly records: readonly ImageRecord[] },
): Promise<number> {
  const layers = new Set<Digest>(records.flatMap((record) => store.contentOf(record).diffIds));
  let taken = 0;
  for (const step of bundle.claims.steps) {
    const isOwn = step.layers.length > 0 && step.layers.every((layer) => layers.has(layer));
    if (!isOwn || store.cache.get(step.key) !== undefined) continue;
    store.cache.put(step.key, { layers: step.layers }, step.layers);
    taken += 1;
  }
  const packs = await takePacks(store, source, bundle.claims.packs);
  return taken + packs + takeLayers(store, layers, bundle.claims.layers) + takeAnswers(store, source, bundle);
}

function takeAnswers(store: Store, source: ArchiveSource, { claims }: BundleDocument): number {
  let taken = 0;
  const known = knownResolutions(store);
  for (const answer of claims.resolutions) {
    if (known.get(answer.key) !== undefined) continue;
    const pylock = readBlob(source, answer, LOCK_LIMIT).toString("utf8");
    readLock(pylock, "pylock.toml");
    known.put(answer.key, pylock);
    taken += 1;
  }
  const built = builtWheels(store);
  for (const wheel of claims.built) {
    if (built.get(wheel.key) !== undefined || !store.blobs.has(wheel.digest)) continue;
    built.put(wheel.key, wheel);
    taken += 1;
  }
  return taken;
}
