// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "../base/index.ts";
import { hexOf, ioError, systemErrorCode } from "../base/index.ts";
import type { Effects } from "./effects.ts";

/** Where things lie below the versioned folder; the tree is drawn in README.md. */
export interface Layout {
  /** `<root>/v1`. */
  readonly root: string;
  readonly blobs: string;
  readonly layers: string;
  readonly links: string;
  readonly containers: string;
  readonly mounts: string;
  readonly temporary: string;
  /** Blobs on their way in that outlive their process. */
  readonly ingest: string;
  readonly state: string;
  readonly fingerprints: string;
  /** 1 MiB that is given up when the disk is full, so that prune can work. */
  readonly reserve: string;
  blob(digest: Digest): string;
  layer(digest: Digest): string;
  /** Path of a layer's short link, relative to `root`. */
  link(digest: Digest): string;
}

/** The paths of the store at `root`. Touches nothing. */
export function layoutOf(root: string): Layout {
  const base = join(root, "v1");
  const blobs = join(base, "blobs", "sha256");
  const layers = join(base, "layers");
  return {
    root: base,
    blobs,
    layers,
    links: join(base, "l"),
    containers: join(base, "containers"),
    mounts: join(base, "mounts"),
    temporary: join(base, "tmp"),
    ingest: join(base, "ingest"),
    state: join(base, "state.db"),
    fingerprints: join(base, "fingerprints.db"),
    reserve: join(base, "reserve"),
    blob: (digest) => join(blobs, hexOf(digest)),
    layer: (digest) => join(layers, hexOf(digest)),
    link: (digest) => `l/${shortName(digest)}`,
  };
}

/**
 * 128 bits of the diffID in 22 characters. mount(2) takes at most a page of options: 127 layers × `l/<22>:` fit,
 * and two layers of equal short name would need 2^64 tries.
 */
function shortName(digest: Digest): string {
  return Buffer.from(hexOf(digest).slice(0, 32), "hex").toString("base64url");
}

/** Whether there is a store; `tmp` is made last and so proves the other folders. Throws `E_PERMISSION`. */
export function hasLayout(layout: Layout): boolean {
  try {
    return fs.statSync(layout.temporary, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw ioError(`opening the store \`${layout.root}\``, error);
  }
}

/** Makes the folders of a new store. */
export function createLayout(layout: Layout, effects: Effects): void {
  const folders = [layout.blobs, layout.layers, layout.links, layout.containers, layout.mounts];
  for (const folder of folders) effects.makeDirectory("store.create", folder);
  for (const folder of [dirname(layout.blobs), layout.root, dirname(layout.root)]) {
    effects.syncDirectory("store.create", folder);
  }
  effects.makeDirectory("store.create", layout.temporary);
}

/** Names in a directory; none when it is missing. */
export function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw ioError(`reading \`${directory}\``, error);
  }
}
