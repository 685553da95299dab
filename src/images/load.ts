// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, writeAll } from "../base/index.ts";
import { decompress, detectCompression } from "../archive/index.ts";
import type { Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { malformed, openFolderSource, openTarSource } from "./archive-source.ts";
import { loadDockerArchive } from "./load-docker.ts";
import { loadLayout } from "./load-layout.ts";

/** How archives are loaded. */
export interface LoadOptions {
  /** What this host runs: chooses from images for several platforms. */
  readonly host: Platform;
  /** Unpack these instead of the host's. */
  readonly platforms?: readonly Platform[];
  /** Names in the archive do not become names in the store. */
  readonly withoutNames?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Loads all images of an archive (docker archive or OCI layout; plain, gzip, zstd, xz or bzip2) or of an OCI layout
 * folder. Names are those recorded in it. Memory does not grow with the archive; all digests are checked. Throws
 * `E_ARCHIVE`, `E_LAYOUT`, `E_MANIFEST`, `E_DIGEST_MISMATCH`, and what unpacking throws; images before a bad one stay.
 */
export async function loadImages(
  store: Store,
  input: string | AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<readonly ImageRecord[]> {
  const lease = store.lease();
  try {
    const source = await openSource(input, lease.folder, options.signal);
    try {
      return await loadFrom(store, source, options);
    } finally {
      source.close();
    }
  } finally {
    lease.release();
  }
}

/** The images of an open archive. An OCI layout's own index keeps manifests and so digests; the docker files beside it add names. */
export async function loadFrom(
  store: Store,
  source: ArchiveSource,
  options: LoadOptions,
): Promise<readonly ImageRecord[]> {
  if (source.has("index.json")) return loadLayout(store, source, options);
  if (source.has("manifest.json")) return loadDockerArchive(store, source, options);
  if (source.has("repositories")) {
    throw new TareError(
      "E_ARCHIVE",
      `reading image archive \`${source.label}\`: it is of a kind from before Docker 1.10`,
      {
        hint: "load it with Docker and save it again",
      },
    );
  }
  throw malformed(source.label, "neither index.json (OCI layout) nor manifest.json (docker archive) is in it");
}

/** Opens an archive or a folder; `temporary` takes what can be read once only. The caller closes it. */
export async function openSource(
  input: string | AsyncIterable<Uint8Array>,
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<ArchiveSource> {
  if (typeof input !== "string") return spool(input, "standard input", temporary, signal);
  const stats = statInput(input);
  if (stats.isDirectory()) return openFolderSource(input);
  if (stats.isFile() && isPlainTar(input)) return openTarSource(input, input);
  return spool(fs.createReadStream(input, { highWaterMark: 1 << 20 }), input, temporary, signal);
}

function statInput(path: string): fs.Stats {
  try {
    return fs.statSync(path);
  } catch (error) {
    throw ioError(`opening image archive \`${path}\``, error);
  }
}

function isPlainTar(path: string): boolean {
  const start = Buffer.alloc(6);
  const descriptor = fs.openSync(path, "r");
  try {
    fs.readSync(descriptor, start, 0, start.length, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  return detectCompression(start) === "none";
}

async function spool(
  input: AsyncIterable<Uint8Array>,
  label: string,
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<ArchiveSource> {
  const path = join(temporary, "archive.tar");
  const descriptor = fs.openSync(path, "wx", 0o600);
  try {
    for await (const chunk of decompress(input)) {
      signal?.throwIfAborted();
      writeAll(descriptor, chunk);
    }
  } catch (error) {
    throw ioError(`reading image archive \`${label}\``, error);
  } finally {
    fs.closeSync(descriptor);
  }
  if (fs.statSync(path).size === 0) throw malformed(label, "it is empty");
  return openTarSource(path, label);
}
