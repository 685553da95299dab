// SPDX-License-Identifier: Apache-2.0
/* For tests only: stores in temporary folders, small layers and images. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiffId, Digest } from "../base/index.ts";
import { asDiffId, digestOf, isTareError, linux } from "../base/index.ts";
import type { ImageRecord, Layer, LayerFacts, Store } from "./types.ts";

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A fresh folder; the caller removes it. */
export function temporaryRoot(): string {
  return fs.mkdtempSync(join(tmpdir(), "tare-store-"));
}

/** The diffID that `verifyTexts` expects of a layer with these files. */
export function diffIdOfTexts(files: Readonly<Record<string, string>>): DiffId {
  return asDiffId(digestOf(JSON.stringify(Object.entries(files).sort())));
}

/** Publishes a layer of text files in its root; its "diffID" is a digest of them. */
export function putLayer(store: Store, files: Readonly<Record<string, string>>, blob?: LayerFacts["blob"]): Layer {
  const staging = store.layers.stage();
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(staging.tree, name), text);
  const contentSize = Object.values(files).join("").length;
  const entries = Object.keys(files).length;
  const facts = { diffId: diffIdOfTexts(files), size: 1024, contentSize, entries, opaque: [], whiteouts: 0 };
  return staging.commit({ ...facts, hasXattrs: false, ...(blob && { blob }) });
}

/** Recomputes the "diffID" of a layer made by `putLayer`. */
export function verifyTexts(layer: Layer): DiffId {
  const names = fs.readdirSync(layer.tree);
  return diffIdOfTexts(
    Object.fromEntries(names.map((name) => [name, fs.readFileSync(join(layer.tree, name), "utf8")])),
  );
}

/** Stores a config and manifest for the layers and names the image. */
export function putImage(store: Store, names: readonly string[], diffIds: readonly Digest[]): ImageRecord {
  const config = store.blobs.writeBytes(
    JSON.stringify({ note: names[0], rootfs: { type: "layers", diff_ids: diffIds } }),
  );
  const layers = diffIds.map((digest) => ({ digest, size: 1024 }));
  const manifest = store.blobs.writeBytes(JSON.stringify({ schemaVersion: 2, config, layers }));
  return store.images.put({ target: manifest.digest, mediaType: MANIFEST, id: config.digest }, names);
}

/** Mounts when this user may; the caller unmounts. */
export function tryMount(request: linux.MountRequest): boolean {
  try {
    linux.mount(request);
    return true;
  } catch (error) {
    if (isTareError(error)) return false;
    throw error;
  }
}
