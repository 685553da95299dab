// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import type { Digest } from "../base/index.ts";
import { digestFromHex, ioError, isDigest, parseDigest, systemErrorCode } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import type { ContentReader, ImageContent } from "./image-content.ts";
import { isObject, parseObject } from "./layer-facts.ts";
import { layerDigests } from "./layers.ts";
import { namesIn } from "./layout.ts";
import type { ImageRecord, Layer, LayerStore } from "./types.ts";
import { imageStore } from "./images.ts";
import { surveyWheels, wheelsOf } from "./wheel-blobs.ts";
import type { SurveyedWheels } from "./wheel-blobs.ts";

/** What prune, usage and fsck work on. */
export interface StoreParts {
  readonly context: StoreContext;
  readonly content: ContentReader;
  readonly layers: LayerStore;
}

/** An image with what it reaches. */
export interface SurveyedImage {
  readonly record: ImageRecord;
  readonly content: ImageContent;
  /** A container stands on it. */
  readonly active: boolean;
}

/** A build cache record. */
export interface SurveyedCache {
  readonly key: string;
  readonly usedAt: number;
  readonly bytes: number;
  readonly layers: readonly Digest[];
}

/** A container's document, as far as the store understands it. */
export interface SurveyedContainer {
  readonly id: string;
  readonly layers: readonly Digest[];
  readonly running: boolean;
  /** Digests in its top-level members: the image's id or target. */
  readonly mentions: ReadonlySet<string>;
}

/** All that refers to layers and blobs. */
export interface Survey {
  readonly images: readonly SurveyedImage[];
  readonly cache: readonly SurveyedCache[];
  readonly containers: readonly SurveyedContainer[];
  readonly wheels: SurveyedWheels;
}

/** Digests by kind of object. */
export interface ObjectSet {
  readonly layers: Set<Digest>;
  readonly blobs: Set<Digest>;
}

/** Reads all references. Inside a write transaction the answer stays true until it ends. */
export function survey(parts: StoreParts): Survey {
  const { context, content } = parts;
  const containers = surveyContainers(context);
  const images = imageStore(context, content)
    .list()
    .map((record) => surveyImage(content, containers, record));
  return { images, containers, cache: surveyCache(context), wheels: surveyWheels(context) };
}

function surveyImage(
  content: ContentReader,
  containers: readonly SurveyedContainer[],
  record: ImageRecord,
): SurveyedImage {
  const reached = content(record.target, record.id);
  const active = containers.some((container) => standsOn(container, record, reached));
  return { record, content: reached, active };
}

/** A container names its image's digest, or at least has exactly its layers. */
function standsOn(container: SurveyedContainer, record: ImageRecord, content: ImageContent): boolean {
  if (container.mentions.has(record.target) || container.mentions.has(record.id)) return true;
  if (container.mentions.size > 0 || content.diffIds.length === 0) return false;
  return container.layers.join() === content.diffIds.join();
}

function surveyContainers(context: StoreContext): SurveyedContainer[] {
  return context.database.all("SELECT id, value FROM documents WHERE kind = 'container'").map((row) => {
    const value = parseObject(String(row["value"])) ?? {};
    const parts = [value, ...mountedImages(value)];
    const mentions = parts.flatMap((part) => Object.values(part)).filter((member) => isDigestText(member));
    return {
      id: String(row["id"]),
      layers: parts.flatMap((part) => (Array.isArray(part["layers"]) ? part["layers"] : [])).filter(isDigestText),
      running: isRunning(value),
      mentions: new Set(mentions.map(String)),
    };
  });
}

/** Images that are mounted in a container: `mounts[].image` of its document. */
function mountedImages(value: Record<string, unknown>): readonly Record<string, unknown>[] {
  const mounts: readonly unknown[] = Array.isArray(value["mounts"]) ? value["mounts"] : [];
  return mounts.flatMap((mount) => (isObject(mount) && isObject(mount["image"]) ? [mount["image"]] : []));
}

function isDigestText(member: unknown): member is Digest {
  return typeof member === "string" && isDigest(member);
}

function isRunning(value: Record<string, unknown>): boolean {
  const state = value["state"] ?? value["status"];
  const status = isObject(state) ? state["status"] : state;
  return status === "running" || status === "paused";
}

function surveyCache(context: StoreContext): SurveyedCache[] {
  const sql = `
    SELECT key, used_at, length(value) AS bytes,
      (SELECT json_group_array(layer) FROM cache_layers WHERE cache_layers.key = cache.key) AS layers
    FROM cache ORDER BY key`;
  return context.database.all(sql).map((row) => {
    const layers: unknown = JSON.parse(String(row["layers"]));
    return {
      key: String(row["key"]),
      usedAt: Number(row["used_at"]),
      bytes: Number(row["bytes"]),
      layers: Array.isArray(layers) ? layers.map((layer) => parseDigest(String(layer))) : [],
    };
  });
}

/** Everything that the given references need. */
export function reachable(parts: StoreParts, found: Survey, kept: ReadonlySet<Digest>): ObjectSet {
  const layers = new Set<Digest>(kept);
  const blobs = new Set<Digest>(kept);
  for (const { content } of found.images) addAll({ layers, blobs }, content);
  for (const { layers: used } of [...found.containers, ...found.cache]) for (const layer of used) layers.add(layer);
  // A layer that came from outside can't be packed again: its bytes stay as long as it does.
  for (const layer of layers) {
    const blob = parts.layers.get(layer)?.blob;
    if (blob) blobs.add(blob.digest);
  }
  // Nor can a layer's compressed form be made without the wheels that it is made of.
  for (const wheel of wheelsOf(found.wheels, layers)) blobs.add(wheel);
  return { layers, blobs };
}

/** Adds what an image reaches. */
export function addAll(set: ObjectSet, content: Pick<ImageContent, "layers" | "blobs">): void {
  for (const layer of content.layers) set.layers.add(layer);
  for (const blob of content.blobs) set.blobs.add(blob);
}

/** All objects on disk. */
export function objectsOnDisk(context: StoreContext): { readonly layers: Digest[]; readonly blobs: Digest[] } {
  const blobs = namesIn(context.layout.blobs).filter((name) => /^[0-9a-f]{64}$/.test(name));
  return { layers: layerDigests(context), blobs: blobs.sort().map(digestFromHex) };
}

/** Bytes of a layer's content. */
export function layerSize(parts: StoreParts, digest: Digest): number {
  const layer: Layer | undefined = parts.layers.get(digest);
  return layer ? layer.contentSize : treeSize(parts.context.layout.layer(digest));
}

/** Bytes of a blob. */
export function blobSize(context: StoreContext, digest: Digest): number {
  return fs.statSync(context.layout.blob(digest), { throwIfNoEntry: false })?.size ?? 0;
}

/** Bytes that the files below a folder take on its disk; what vanishes meanwhile counts nothing. */
export function treeSize(path: string): number {
  const facts = fs.lstatSync(path, { throwIfNoEntry: false });
  return facts ? sizeBelow(Buffer.from(path), facts.dev) : 0;
}

/** Names are bytes: they need not be UTF-8. */
function sizeBelow(path: Buffer, device: number): number {
  const facts = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!facts || facts.dev !== device) return 0;
  if (!facts.isDirectory()) return facts.blocks * 512;
  return entriesOf(path).reduce(
    (sum, name) => sum + sizeBelow(Buffer.concat([path, Buffer.from("/"), name]), device),
    facts.blocks * 512,
  );
}

function entriesOf(path: Buffer): Buffer[] {
  try {
    return fs.readdirSync(path, { encoding: "buffer" });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw ioError(`reading \`${path.toString()}\``, error);
  }
}
