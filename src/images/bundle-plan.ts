// SPDX-License-Identifier: Apache-2.0
/* Images with all that a build on a machine without a network needs, as one archive. */
import * as fs from "node:fs";
import { basename } from "node:path";
import { TareError, digestOf, ioError } from "../base/index.ts";
import { builtWheels, knownResolutions, originOf, resolverWheel, wheelLayer } from "../python/index.ts";
import { BUNDLE_FILE, formatBundle, isBundledName } from "./bundle-document.ts";
import { bundledLayers, bundledPacks, packFiles } from "./bundle-layers.ts";
import { blobPath, document, saveImages } from "./save.ts";
import type { ByteSink, Digest } from "../base/index.ts";
import type { StoredFile, WheelStore } from "../python/index.ts";
import type { Store } from "../store/index.ts";
import type { BundleDocument, BundledFile, BundledWheel } from "./bundle-document.ts";
import type { SaveItem, SavedFile } from "./save.ts";

/** What a bundle is made of. */
export interface BundlePlanOptions {
  readonly items: readonly SaveItem[];
  /** Absolute paths of locks and project files. */
  readonly files: readonly string[];
  /** Where wheels that are not here any more are fetched; absent: none go along. */
  readonly wheels?: WheelStore;
  readonly signal?: AbortSignal;
}

/** A bundle that only has to be written. */
export interface BundleContent {
  /** The images asked for, and the bases that they stand on. */
  readonly items: readonly SaveItem[];
  readonly bundle: BundleDocument;
  /** Files of the archive besides the images' own. */
  readonly extra: readonly SavedFile[];
}

/**
 * Collects what goes into a bundle. Wheels that prune removed are fetched again. Throws `E_BUNDLE` for a file that can't
 * go along, and what fetching throws.
 */
export async function planBundle(store: Store, options: BundlePlanOptions): Promise<BundleContent> {
  const items = [...options.items, ...basesOf(store, options.items)];
  const layers = new Set(items.flatMap(({ record }) => store.contentOf(record).diffIds));
  const stored = options.wheels === undefined ? [] : await wheelsOf(store, layers, options.wheels, options.signal);
  const files = options.files.map(readFile);
  requireFit(files);
  const bundle = documentOf(store, { layers, stored, files });
  const answers = new Map(resolutionsOf(store, stored).map(({ pylock }) => [digestOf(pylock), pylock]));
  const extra: readonly SavedFile[] = [
    document(BUNDLE_FILE, formatBundle(bundle)),
    ...stored.map(wheelFile),
    ...packFiles(store, bundle.claims.packs),
    ...files.map(({ digest, bytes }) => document(blobPath(digest), bytes)),
    ...[...answers].map(([digest, pylock]) => document(blobPath(digest), pylock)),
  ];
  return { items, bundle, extra };
}

/** Writes a bundle to a sink, which is not closed. Throws as `saveImages`. */
export function saveBundle(
  store: Store,
  { items, extra }: BundleContent,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  return saveImages(store, items, sink, { format: "docker", extra, ...(signal === undefined ? {} : { signal }) });
}

/** Named images on whose layers the others stand: what their builds start from. */
function basesOf(store: Store, items: readonly SaveItem[]): readonly SaveItem[] {
  const own = new Set(items.map(({ record }) => record.target));
  const chains = items.map(({ record }) => store.contentOf(record).diffIds.join());
  return store.images.list().flatMap((record): readonly SaveItem[] => {
    if (own.has(record.target) || record.names.length === 0) return [];
    const chain = store.contentOf(record).diffIds.join();
    const isBase = chain !== "" && chains.some((other) => other.startsWith(`${chain},`));
    return isBase ? [{ record, names: record.names }] : [];
  });
}

/** The wheels of layers, and the resolver's own where it is here. */
async function wheelsOf(
  store: Store,
  layers: ReadonlySet<Digest>,
  wheels: WheelStore,
  signal: AbortSignal | undefined,
): Promise<readonly StoredFile[]> {
  const wanted = new Map<Digest, string>();
  for (const layer of layers) {
    for (const { digest, fileName } of wheelLayer(store, layer)?.wheels ?? []) wanted.set(digest, fileName);
  }
  const resolver = wanted.size > 0 ? resolverWheel(store) : undefined;
  if (resolver) wanted.set(resolver.digest, resolver.fileName);
  const options = signal === undefined ? {} : { signal };
  const stored = await Promise.all(
    [...wanted].map(([digest, fileName]) => wheels.require({ digest, fileName }, options)),
  );
  return stored.toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1));
}

interface ReadFile extends BundledFile {
  readonly bytes: Buffer;
}

const LARGEST_FILE = 64 << 20;

function readFile(path: string): ReadFile {
  const name = basename(path);
  if (!isBundledName(name)) throw unfit(path, "its name is not a plain one");
  try {
    const stats = fs.statSync(path);
    if (!stats.isFile() || stats.size > LARGEST_FILE) throw unfit(path, "it is no file of a usable size");
    const bytes = fs.readFileSync(path);
    return { name, digest: digestOf(bytes), size: bytes.length, bytes };
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}

function requireFit(files: readonly ReadFile[]): void {
  const names = files.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw unfit(twice, "there are two of that name");
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > LARGEST_FILE) throw unfit(files[0]?.name ?? "", "the files are too large together");
}

function unfit(path: string, why: string): TareError {
  return new TareError("E_BUNDLE", `bundling \`${path}\`: ${why}`, { hint: "rename the file or leave it out" });
}

function wheelFile({ path, digest, size }: StoredFile): SavedFile {
  return { name: blobPath(digest), size, open: () => fs.createReadStream(path, { highWaterMark: 1 << 20 }) };
}

function documentOf(
  store: Store,
  has: {
    readonly layers: ReadonlySet<Digest>;
    readonly stored: readonly StoredFile[];
    readonly files: readonly ReadFile[];
  },
): BundleDocument {
  const digests = new Set(has.stored.map(({ digest }) => digest));
  const resolutions = resolutionsOf(store, has.stored).map(({ key, pylock }) => {
    return { key, digest: digestOf(pylock), size: Buffer.byteLength(pylock) };
  });
  const layers = bundledLayers(store, has.layers, digests);
  return {
    wheels: has.stored.map((wheel) => bundledWheel(store, wheel)),
    files: has.files.map(({ name, digest, size }) => ({ name, digest, size })),
    claims: {
      steps: store.cache.of(has.layers),
      resolutions,
      built: builtWheels(store)
        .list()
        .filter(({ digest }) => digests.has(digest)),
      packs: bundledPacks(store, layers),
      layers,
    },
  };
}

/** Answers that name nothing but what goes along, wheels or the sources of wheels that were built. */
function resolutionsOf(
  store: Store,
  stored: readonly StoredFile[],
): readonly { readonly key: Digest; readonly pylock: string }[] {
  if (stored.length === 0) return [];
  const digests = new Set(stored.map(({ digest }) => digest));
  const built = builtWheels(store).list();
  const sources = built.filter(({ digest }) => digests.has(digest)).map(({ source }) => source);
  const isThere = (digest: Digest): boolean => digests.has(digest) || sources.includes(digest);
  return knownResolutions(store).madeOf(isThere);
}

function bundledWheel(store: Store, { fileName, digest, size }: StoredFile): BundledWheel {
  const url = originOf(store, digest);
  const isPublic = url !== undefined && /^https?:\/\/[^\s@]+$/.test(url);
  return { fileName, digest, size, ...(isPublic ? { url } : {}) };
}
