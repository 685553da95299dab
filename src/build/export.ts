// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { TareError, sinkOf, writeToPath } from "../base/index.ts";
import { convertImage, exportFlatTar, parseLayerForm, saveImages, saveLayoutFolder } from "../images/index.ts";
import { wheelLayersOf, writeImage } from "../images/index.ts";
import { MEDIA_TYPES, formatPlatform, serializeIndex } from "../oci/index.ts";
import { finishLayer } from "../solver/index.ts";
import { unpackDeferred } from "../python/index.ts";
import { TreeView } from "../store/index.ts";
import { contextKey } from "./resolver.ts";
import { exportTree } from "./export-tree.ts";
import { imageConfig } from "./finish.ts";
import type { ByteSink, DiffId, Digest } from "../base/index.ts";
import type { VertexId } from "../graph/index.ts";
import type { AbsentLayer, RemoteLayer } from "../solver/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { WheelStore } from "../python/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { BuildRequest, BuildResult, BuiltImage, OutputSpec } from "./request.ts";
import type { CompiledStage } from "./types.ts";

/** One platform's result. */
export interface BuildOutcome {
  readonly stage: CompiledStage;
  readonly layers: readonly DiffId[];
  /** Those that were not here; a step may have brought them since. */
  readonly absent: ReadonlyMap<DiffId, AbsentLayer>;
  readonly split: ReadonlyMap<VertexId, number>;
}

/** What exporting needs. */
export interface ExportJob {
  readonly store: Store;
  readonly wheels: () => Promise<WheelStore>;
  readonly request: BuildRequest;
  readonly outcomes: readonly BuildOutcome[];
  readonly epoch: number;
}

type Target = Pick<ImageRecord, "target" | "mediaType" | "id">;

/** Runs the outputs; without any, the image goes into the store. Throws `E_OUTPUT`, `E_REF` and io errors. */
export async function exportResult(job: ExportJob): Promise<BuildResult> {
  const { request } = job;
  const names = request.tags.map(contextKey);
  const outputs: readonly OutputSpec[] =
    request.outputs.length > 0 ? request.outputs : [{ type: "image", attributes: {} }];
  const images: BuiltImage[] = [];
  for (const outcome of job.outcomes) images.push(await writeOutcome(job, outcome));
  const target = writeTarget(job, images);
  const isWhole = job.outcomes.every((outcome) => lackedBlobs(job.store, outcome).size === 0);
  if (!isWhole && isCacheOnly(request)) return { images, names, metadata: metadataOf(images, names, target) };
  if (!isWhole) return onlyPushed(job, { images, names, target });
  let stored = false;
  for (const output of outputs) stored = (await runOutput(job, output, { target, names })) || stored;
  if (request.load && !stored) job.store.images.put(target, names);
  return {
    images,
    names,
    metadata: metadataOf(images, names, target),
    ...(stored || request.load ? { target: target.target } : {}),
  };
}

/** Nothing of the image is wanted: its layers may stay where they are. */
export function isCacheOnly({ outputs, load }: BuildRequest): boolean {
  return !load && outputs.length > 0 && outputs.every(({ type }) => type === "cacheonly");
}

/**
 * An image some of whose layers are not here can be pushed and nothing else. Its names leave an older image of the
 * store, so that a later `run` takes this one from the registry.
 */
function onlyPushed(
  { store, request }: ExportJob,
  { images, names, target }: Named & { readonly images: readonly BuiltImage[] },
): BuildResult {
  const own = request.outputs.flatMap(({ attributes }) => attributes["name"]?.split(",").filter(Boolean) ?? []);
  for (const name of [...names, ...own.map(contextKey)]) if (store.images.find(name)) store.images.untag(name);
  return { images, names, metadata: metadataOf(images, names, target), absent: target };
}

/** How the registry has the layers that are not here. */
function lackedBlobs(store: Store, { absent }: BuildOutcome): ReadonlyMap<DiffId, RemoteLayer["blob"]> {
  const lacked = [...absent.values()].filter(({ diffId }) => !store.layers.facts(diffId));
  return new Map(lacked.flatMap(({ diffId, blob }) => (blob ? [[diffId, blob]] : [])));
}

async function writeOutcome(job: ExportJob, outcome: BuildOutcome): Promise<BuiltImage> {
  const layers = outcome.layers.length > 0 ? outcome.layers : [await emptyLayer(job.store)];
  const config = imageConfig(outcome.stage, job.epoch, { count: layers.length, split: outcome.split });
  const absent = lackedBlobs(job.store, outcome);
  const written = writeImage(job.store, { config, layers, absent, annotations: job.request.annotations ?? {} });
  return { platform: formatPlatform(outcome.stage.platform), id: written.config, manifest: written.manifest };
}

/** A manifest lists at least one layer (image-spec manifest.md); an image without files gets an empty one. */
function emptyLayer(store: Store): Promise<DiffId> {
  return finishLayer(store.layers.stage(), { xattrs: false });
}

/** The manifest of the only platform, or an index of all. */
function writeTarget(job: ExportJob, images: readonly BuiltImage[]): Target {
  const [first] = images;
  if (!first) throw new TareError("E_OUTPUT", "exporting: nothing was built");
  if (images.length === 1) return { target: first.manifest, mediaType: MEDIA_TYPES.ociManifest, id: first.id };
  const manifests = images.map((image, index): Descriptor => {
    const { size } = job.store.blobs.stat(image.manifest) ?? { size: 0 };
    const platform = job.outcomes[index]?.stage.platform;
    return { mediaType: MEDIA_TYPES.ociManifest, digest: image.manifest, size, ...(platform ? { platform } : {}) };
  });
  const index = job.store.blobs.writeBytes(
    serializeIndex({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }),
  );
  return { target: index.digest, mediaType: MEDIA_TYPES.ociIndex, id: first.id };
}

interface Named {
  readonly target: Target;
  readonly names: readonly string[];
}

/** True when the image is in the store afterwards. */
async function runOutput(job: ExportJob, output: OutputSpec, image: Named): Promise<boolean> {
  if (output.type !== "image" && output.type !== "cacheonly") {
    const layers = job.outcomes.flatMap((outcome) => outcome.layers);
    await unpackDeferred(job, layers, job.request.signal);
  }
  const named = output.attributes["name"]?.split(",").filter(Boolean).map(contextKey) ?? image.names;
  switch (output.type) {
    case "image":
      job.store.images.put(image.target, named);
      return true;
    case "oci":
    case "docker":
      await writeArchive(job, output, { ...image, names: named });
      return false;
    case "local":
      exportLocal(job, output);
      return false;
    case "tar":
      await writeTar(job, output);
      return false;
    case "cacheonly":
      return false;
  }
}

function destination(job: ExportJob, output: OutputSpec): string {
  if (output.destination !== undefined)
    return output.destination === "-" ? "-" : resolve(job.request.cwd, output.destination);
  throw new TareError("E_OUTPUT", `output type=${output.type}: no destination`, {
    hint: `write \`-o type=${output.type},dest=PATH\` (\`-\` is stdout)`,
  });
}

async function writeArchive(job: ExportJob, output: OutputSpec, image: Named): Promise<void> {
  const path = destination(job, output);
  const platforms = job.outcomes.map((outcome) => outcome.stage.platform);
  const format = output.type === "oci" ? "oci" : "docker";
  await inForm(job, output, image.target, async (target) => {
    const items = [{ record: { ...target, names: image.names, addedAt: 0 }, names: image.names }];
    if (output.attributes["tar"] === "false") return saveLayoutFolder(job.store, items, path, { platforms });
    await writeFile(path, (sink) => saveImages(job.store, items, sink, { format, platforms }));
  });
}

/** The image with its layers as `compression` says, kept while `use` writes it. */
async function inForm(
  { store, wheels, request }: ExportJob,
  { attributes }: OutputSpec,
  target: Target,
  use: (target: Target) => Promise<void>,
): Promise<void> {
  const form = parseLayerForm(attributes["compression"] ?? "none");
  const lease = store.lease();
  try {
    const { signal } = request;
    const options = { form, wheels: wheelLayersOf(store, wheels), lease, ...(signal === undefined ? {} : { signal }) };
    await use(await convertImage(store, target, options));
  } finally {
    lease.release();
  }
}

/** Writes to stdout (`-`) or to a file that appears when it is whole. */
async function writeFile(path: string, write: (sink: ByteSink) => Promise<unknown>): Promise<void> {
  if (path === "-") await write(sinkOf(process.stdout));
  else await writeToPath(path, write);
}

/** One folder per platform when there are several, as `linux_amd64`. */
function subfolder(outcome: BuildOutcome): string {
  return formatPlatform(outcome.stage.platform).replaceAll("/", "_");
}

function exportLocal(job: ExportJob, output: OutputSpec): void {
  const folder = destination(job, output);
  if (folder === "-")
    throw new TareError("E_OUTPUT", "output type=local cannot go to stdout", { hint: "use type=tar" });
  const isSplit = job.outcomes.length > 1 || output.attributes["platform-split"] === "true";
  for (const outcome of job.outcomes)
    exportTree(treeOf(job, outcome), isSplit ? join(folder, subfolder(outcome)) : folder);
}

function treeOf(job: ExportJob, outcome: BuildOutcome): TreeView {
  return new TreeView(job.store.layers.getAll(outcome.layers));
}

async function writeTar(job: ExportJob, output: OutputSpec): Promise<void> {
  const isSplit = job.outcomes.length > 1;
  const parts = job.outcomes.map((outcome) => ({
    tree: treeOf(job, outcome),
    ...(isSplit ? { folder: subfolder(outcome) } : {}),
  }));
  await writeFile(destination(job, output), (sink) => exportFlatTar(parts, sink));
}

function metadataOf(
  images: readonly BuiltImage[],
  names: readonly string[],
  target: Target,
): Readonly<Record<string, unknown>> {
  const [first] = images;
  return {
    "containerimage.config.digest": first?.id,
    "containerimage.digest": target.target as Digest,
    "containerimage.descriptor": { mediaType: target.mediaType, digest: target.target },
    ...(names.length > 0 ? { "image.name": names.join(",") } : {}),
  };
}
