// SPDX-License-Identifier: Apache-2.0
import { decompress, extractLayer, packTree } from "../archive/index.ts";
import type { Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { applyChanges } from "./changes.ts";
import { writeImage } from "./write-image.ts";

/** What `import` is asked for. */
export interface ImportOptions {
  readonly platform: Platform;
  /** Full names with tag. */
  readonly names: readonly string[];
  /** Dockerfile instructions for the config. */
  readonly changes: readonly string[];
  readonly message?: string;
  /** Where the tar came from, for the history: a URL, a path or `-`. */
  readonly from: string;
  /** Time of the image. */
  readonly created: Date;
  readonly signal?: AbortSignal;
}

/**
 * Makes an image of one layer from a root file system's tar (plain or compressed). The same tar, options and time
 * give the same image. Throws `E_CHANGE`, `E_TAR_*`, `E_COMPRESSION`, `E_NOSPACE`.
 */
export async function importImage(
  store: Store,
  input: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImageRecord> {
  const config = applyChanges({}, options.changes);
  const staging = store.layers.stage();
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  try {
    await extractLayer(decompress(input), staging.tree, { mode: "overlay", digest: false, ...signal });
    const packed = await packTree(staging.tree, undefined, signal);
    const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = packed;
    staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs });
    const { architecture, os, variant } = options.platform;
    const created = options.created.toISOString();
    const comment = options.message ?? `Imported from ${options.from}`;
    const image = writeImage(store, {
      config: { created, architecture, ...(variant ? { variant } : {}), os, config, history: [{ created, comment }] },
      layers: [diffId],
    });
    return store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, options.names);
  } catch (error) {
    staging.discard();
    throw error;
  }
}
