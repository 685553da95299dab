// SPDX-License-Identifier: Apache-2.0
/*
 * What an image's target reaches, read from its JSON with the few members needed (OCI image index, manifest, config;
 * Docker's schema 2 has the same ones). Never throws for damaged content: prune and fsck must go on.
 */
import * as fs from "node:fs";
import type { Digest } from "../base/index.ts";
import { isDigest, readTextIfPresent } from "../base/index.ts";
import { isObject, parseObject } from "./layer-facts.ts";
import type { Layout } from "./layout.ts";

/** Something that an image needs and that isn't there. */
export interface MissingContent {
  readonly kind: "blob" | "layer";
  readonly digest: Digest;
}

/** What an image reaches. */
export interface ImageContent {
  /** Manifests, configs and layer blobs, present or not. */
  readonly blobs: ReadonlySet<Digest>;
  /** DiffIDs of all its manifests that are present, present or not. */
  readonly layers: ReadonlySet<Digest>;
  /** What this host's manifest lacks: each layer must be there unpacked or as a blob. Empty when it is whole. */
  readonly missing: readonly MissingContent[];
  /** DiffIDs of the manifest whose config is the image's id, lowest first. */
  readonly diffIds: readonly Digest[];
}

/** Reads what `target` reaches; `id` names the config of the manifest that must be whole. */
export type ContentReader = (target: Digest, id: Digest) => ImageContent;

interface Manifest {
  readonly config: Digest;
  readonly diffIds: readonly Digest[];
  readonly missing: readonly MissingContent[];
}

interface Walk {
  readonly layout: Layout;
  readonly blobs: Set<Digest>;
  readonly layers: Set<Digest>;
  readonly manifests: Manifest[];
}

const MAX_DEPTH = 4;

/** A reader of the store at `layout`. */
export function contentReader(layout: Layout): ContentReader {
  return (target, id) => {
    const walk: Walk = { layout, blobs: new Set(), layers: new Set(), manifests: [] };
    walkTarget(walk, target, 0);
    const main = walk.manifests.find((manifest) => manifest.config === id) ?? walk.manifests.find(isWhole);
    const anyway = walk.manifests[0]?.missing ?? [{ kind: "blob", digest: target }];
    return {
      blobs: walk.blobs,
      layers: walk.layers,
      missing: main ? main.missing : anyway,
      diffIds: main?.diffIds ?? [],
    };
  };
}

function isWhole(manifest: Manifest): boolean {
  return manifest.missing.length === 0;
}

/** Manifests of an index that are not here belong to other platforms. */
function walkTarget(walk: Walk, digest: Digest, depth: number): void {
  walk.blobs.add(digest);
  const value = readJson(walk.layout, digest);
  if (!value || depth > MAX_DEPTH) return;
  if (Array.isArray(value["manifests"])) {
    for (const child of digestsIn(value["manifests"])) walkTarget(walk, child, depth + 1);
    return;
  }
  const [config] = digestsIn([value["config"]]);
  if (config) walk.manifests.push(walkManifest(walk, config, digestsIn(value["layers"])));
}

function walkManifest(walk: Walk, config: Digest, layerBlobs: readonly Digest[]): Manifest {
  for (const blob of [config, ...layerBlobs]) walk.blobs.add(blob);
  const diffIds = diffIdsOf(readJson(walk.layout, config));
  for (const diffId of diffIds) walk.layers.add(diffId);
  if (!hasBlob(walk.layout, config)) return { config, diffIds, missing: [{ kind: "blob", digest: config }] };
  const missing: MissingContent[] = [];
  for (const [index, blob] of layerBlobs.entries()) {
    const diffId = diffIds[index];
    if (hasBlob(walk.layout, blob) || (diffId && hasLayer(walk.layout, diffId))) continue;
    missing.push(diffId ? { kind: "layer", digest: diffId } : { kind: "blob", digest: blob });
  }
  return { config, diffIds, missing };
}

function diffIdsOf(config: Record<string, unknown> | undefined): Digest[] {
  const rootfs = config?.["rootfs"];
  const diffIds: unknown = isObject(rootfs) ? rootfs["diff_ids"] : undefined;
  return Array.isArray(diffIds) ? diffIds.filter((text) => typeof text === "string").filter(isDigest) : [];
}

function digestsIn(descriptors: unknown): Digest[] {
  if (!Array.isArray(descriptors)) return [];
  return descriptors.flatMap((descriptor: unknown) => {
    const digest = isObject(descriptor) ? descriptor["digest"] : undefined;
    return typeof digest === "string" && isDigest(digest) ? [digest] : [];
  });
}

function readJson(layout: Layout, digest: Digest): Record<string, unknown> | undefined {
  const text = readTextIfPresent(layout.blob(digest));
  return text === undefined ? undefined : parseObject(text);
}

function hasBlob(layout: Layout, digest: Digest): boolean {
  return fs.statSync(layout.blob(digest), { throwIfNoEntry: false }) !== undefined;
}

function hasLayer(layout: Layout, digest: Digest): boolean {
  return fs.statSync(`${layout.layer(digest)}/layer.json`, { throwIfNoEntry: false }) !== undefined;
}
