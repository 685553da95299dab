// SPDX-License-Identifier: Apache-2.0
/*
 * An image from one place to another:
 *
 *   source.target ─▶ choose platforms ─▶ index ─▶ its manifests ─▶ config and layers ─▶ target.putBlob
 *                                           └──── after its parts ─▶ target.putDocument ─▶ referrers, the same way
 *
 * Bytes are checked between the two and never kept here. Documents go as they are, so digests stay; only layers of
 * archives that know no manifest are compressed for a registry.
 */
import { Once, Semaphore, TareError, digestOf, hexOf, isTareError } from "../../base/index.ts";
import type { DiffId, Digest } from "../../base/index.ts";
import {
  DOCUMENT_LIMIT,
  MEDIA_TYPES,
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  layerCompression,
  parseImageConfig,
  parseIndex,
  parseManifest,
  serializeManifest,
} from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";
import { doubtsOf } from "../doubts.ts";
import { isForeign } from "../push-layer.ts";
import { sometimes, stoppable, telling } from "../transfer.ts";
import type { Stoppable, TransferListener } from "../transfer.ts";
import { checkedBytes } from "./checked-bytes.ts";
import { chooseDocument, readBlob } from "./choose.ts";
import type { PlatformChoice } from "./choose.ts";
import { subjectOf } from "./documents.ts";
import type { CopyDocument, CopyReceipt, DocumentRole, ImageSource, ImageTarget } from "./types.ts";

/** How an image is copied. */
export interface CopyOptions {
  readonly platforms: PlatformChoice;
  /** Signatures, attestations and the like too, and what refers to those. */
  readonly referrers: boolean;
  readonly listener?: TransferListener;
  readonly signal?: AbortSignal;
}

/** What a copy did. */
export interface CopiedImage {
  /** Of the manifest or index at the target. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The target had it under that name already. */
  readonly wasThere: boolean;
  /** Layers and configs, each once. */
  readonly blobs: { readonly copied: number; readonly mounted: number; readonly existing: number };
  /** Bytes of the layers and configs that were copied. */
  readonly bytes: number;
  /** Manifests that refer to what was copied. */
  readonly referrers: number;
}

interface CopyJob {
  readonly source: ImageSource;
  readonly target: ImageTarget;
  readonly options: CopyOptions;
  readonly work: Stoppable;
  readonly signal: AbortSignal;
  readonly limit: Semaphore;
  readonly blobs: Once<CopyReceipt>;
  readonly documents: Once<CopyDocument>;
  /** By the blob's digest at the source. */
  readonly receipts: Map<Digest, CopyReceipt>;
  readonly tally: { referrers: number; wasThere: boolean };
}

const MAX_DEPTH = 4;
/** Signatures, attestations and bills of materials of cosign before the distribution specification 1.1. */
const TAGGED = ["sig", "att", "sbom"] as const;

/**
 * Copies an image. What the target has is not sent. Throws `E_DIGEST_MISMATCH`, `E_MANIFEST`, `E_PLATFORM`,
 * `E_UNSUPPORTED` for what the target can't hold, what the places throw, and `E_ABORTED`.
 */
export async function copyImage(source: ImageSource, target: ImageTarget, options: CopyOptions): Promise<CopiedImage> {
  const work = stoppable(options.signal);
  const job: CopyJob = {
    source,
    target,
    options,
    work,
    signal: work.signal,
    limit: new Semaphore(target.jobs),
    blobs: new Once(),
    documents: new Once(),
    receipts: new Map(),
    tally: { referrers: 0, wasThere: false },
  };
  requireReferrers(job);
  const chosen = await chooseDocument(source, options.platforms, work.signal);
  const { digest, mediaType, bytes } = await copyDocument(job, chosen, { role: { kind: "top" }, depth: 0 });
  return { digest, mediaType, size: bytes.length, ...sumOf(job) };
}

function requireReferrers({ source, target, options }: CopyJob): void {
  if (!options.referrers || target.holds === "everything") return;
  throw new TareError("E_UNSUPPORTED", `copying what refers to ${source.label}: this kind of place can't hold it`, {
    hint: "copy it to a registry, `oci:FOLDER` or `oci-archive:FILE`",
  });
}

function sumOf({ receipts, tally }: CopyJob): Pick<CopiedImage, "blobs" | "bytes" | "referrers" | "wasThere"> {
  const all = [...receipts.values()];
  const count = (test: (receipt: CopyReceipt) => boolean): number => all.filter(test).length;
  const copied = all.filter(({ outcome }) => outcome === "copied");
  return {
    blobs: {
      copied: copied.length,
      mounted: count(({ outcome }) => outcome === "mounted"),
      existing: count(({ outcome }) => outcome === "exists"),
    },
    bytes: copied.reduce((sum, { size }) => sum + size, 0),
    ...tally,
  };
}

interface Step {
  readonly role: DocumentRole;
  readonly depth: number;
}

/** Copies a document with all that it names, and what refers to it; gives it as it is at the target. */
function copyDocument(job: CopyJob, document: CopyDocument, step: Step): Promise<CopyDocument> {
  const { role } = step;
  // One document may have several tags.
  const key = role.kind === "tagged" ? `${document.digest} ${role.tag}` : document.digest;
  return job.documents.run(key, async () => {
    if (step.depth > MAX_DEPTH) throw refused(job, "its indexes or referrers nest too deep");
    const isThere = await job.target.has(document.digest, job.signal);
    // What refers to the parts may be missing all the same.
    const isDone = isThere && !(job.options.referrers && isIndex(document.mediaType));
    const { copied, isNew } = await putWhole(job, document, { ...step, isDone });
    if (role.kind === "top") job.tally.wasThere = isThere && !isNew;
    // A tag may name anything, also what it is made of: there it ends.
    if (job.options.referrers && role.kind !== "tagged") await copyReferrers(job, document.digest, step.depth);
    return copied;
  });
}

interface Whole {
  readonly copied: CopyDocument;
  /** It was not there under its name. */
  readonly isNew: boolean;
}

/** What the target said it has, and then does not find, is sent once more: it may have collected its garbage meanwhile. */
async function putWhole(
  job: CopyJob,
  document: CopyDocument,
  step: Step & { readonly isDone: boolean },
): Promise<Whole> {
  const { target, signal } = job;
  const copied = step.isDone ? document : await copyParts(job, document, step);
  try {
    return { copied, isNew: await target.putDocument(copied, step.role, signal) };
  } catch (error) {
    const doubts = doubtsOf(error);
    if (!doubts || !target.distrust) throw error;
    target.distrust(doubts);
    const again = await copyParts({ ...job, blobs: new Once(), documents: new Once() }, document, step);
    return { copied: again, isNew: await target.putDocument(again, step.role, signal) };
  }
}

async function copyParts(job: CopyJob, document: CopyDocument, step: Step): Promise<CopyDocument> {
  const { source, target, signal, work } = job;
  const text = document.bytes.toString("utf8");
  if (isIndex(document.mediaType)) {
    if (target.holds === "image") throw onePlatform(job);
    const parts = parseIndex(text).manifests.map(async (child) => {
      return copyDocument(job, await source.document(child, signal), { role: { kind: "part" }, depth: step.depth + 1 });
    });
    await work.all(parts);
    return document;
  }
  return copyManifest(job, document, text);
}

async function copyManifest(job: CopyJob, document: CopyDocument, text: string): Promise<CopyDocument> {
  // Of schema 1 it says so itself.
  const manifest = parseManifest(text, { allowNoLayers: true });
  if (!isManifest(document.mediaType)) throw refused(job, `\`${document.mediaType}\` is no image`);
  // Attestations have an image's config, but no layers that could be unpacked.
  const isImage = isConfig(manifest.config.mediaType) && manifest.layers.every((layer) => isLayer(layer.mediaType));
  if (!isImage && job.target.holds === "image") throw refused(job, "it is no image that could be unpacked");
  const diffIds = isImage && job.target.wantsDiffIds ? await diffIdsOf(job, manifest) : [];
  const config = copyBlob(job, manifest.config, { what: "config" });
  const layers = manifest.layers.map(async (layer, index): Promise<Descriptor> => {
    if (isForeign(layer)) return layer;
    const diffId = diffIds[index];
    const compress = job.source.isMade && job.target.compresses && isImage && isPlain(layer);
    const receipt = await copyBlob(job, layer, { what: "layer", compress, ...(diffId ? { diffId } : {}) });
    return compress
      ? { ...layer, mediaType: MEDIA_TYPES.ociLayerGzip, digest: receipt.digest, size: receipt.size }
      : layer;
  });
  const [, copied] = await Promise.all([job.work.all([config]), job.work.all(layers)]);
  return rewritten(document, manifest, copied);
}

function isPlain({ mediaType }: Descriptor): boolean {
  return layerCompression(mediaType) === "none";
}

async function diffIdsOf(job: CopyJob, manifest: Manifest): Promise<readonly DiffId[]> {
  if (manifest.config.size > DOCUMENT_LIMIT) throw refused(job, `its config has ${manifest.config.size} bytes`);
  const bytes = await readBlob(job.source, manifest.config, job.signal);
  const diffIds = parseImageConfig(bytes.toString("utf8")).rootfs.diff_ids;
  if (diffIds.length === manifest.layers.length) return diffIds;
  throw refused(job, "manifest and config list different numbers of layers");
}

/** The manifest with its layers as they arrived; one whose layers did not change keeps its bytes. */
function rewritten(document: CopyDocument, manifest: Manifest, layers: readonly Descriptor[]): CopyDocument {
  if (layers.every((layer, index) => layer.digest === manifest.layers[index]?.digest)) return document;
  const mediaType = MEDIA_TYPES.ociManifest;
  const config = { ...manifest.config, mediaType: MEDIA_TYPES.ociConfig };
  const bytes = Buffer.from(serializeManifest({ ...manifest, mediaType, config, layers }));
  return { bytes, mediaType, digest: digestOf(bytes) };
}

interface BlobPart {
  readonly what: "layer" | "config";
  readonly compress?: boolean;
  readonly diffId?: DiffId;
}

/** Each blob once, some at the same time. */
function copyBlob(job: CopyJob, descriptor: Descriptor, part: BlobPart): Promise<CopyReceipt> {
  const { digest, size } = descriptor;
  const listener = job.options.listener ?? ((): void => undefined);
  return job.blobs.run(digest, () =>
    job.limit.run(async () => {
      job.signal.throwIfAborted();
      listener({ kind: "begin", digest, what: part.what });
      const receipt = await telling(listener, digest, () => putTrusted(job, descriptor, part, listener));
      job.receipts.set(digest, receipt);
      const { outcome, from } = receipt;
      listener({ kind: "end", digest, outcome, size, ...(from === undefined ? {} : { from }) });
      return receipt;
    }),
  );
}

/** Wrong bytes of a mirror are asked for once more: somewhere else. */
async function putTrusted(
  job: CopyJob,
  descriptor: Descriptor,
  part: BlobPart,
  listener: TransferListener,
): Promise<CopyReceipt> {
  try {
    return await putBlob(job, descriptor, part, listener);
  } catch (error) {
    const mayHelp = isTareError(error, "E_DIGEST_MISMATCH") && job.target.canRepeat;
    if (!mayHelp || job.source.distrust?.(descriptor.digest) !== true) throw error;
    return putBlob(job, descriptor, part, listener);
  }
}

function putBlob(
  job: CopyJob,
  descriptor: Descriptor,
  part: BlobPart,
  listener: TransferListener,
): Promise<CopyReceipt> {
  const { source, target, signal } = job;
  const { digest, size } = descriptor;
  return target.putBlob({
    compress: false,
    ...part,
    descriptor,
    open: () => checkedBytes(source.open(descriptor, signal), descriptor, source.label),
    ...(source.remote === undefined ? {} : { from: source.remote }),
    onProgress: sometimes((current) => listener({ kind: "progress", digest, current, total: size })),
    signal,
  });
}

/** One after the other: where there is no referrers API, each changes the same index. */
async function copyReferrers(job: CopyJob, subject: Digest, depth: number): Promise<void> {
  const { source, signal } = job;
  for (const descriptor of await source.referrers(subject, signal)) {
    const document = await source.document(descriptor, signal);
    // So no lie about referrers can lead in a circle.
    if (subjectOf(document) !== subject)
      throw refused(job, `\`${descriptor.digest}\` does not refer to \`${subject}\``);
    await copyDocument(job, document, { role: { kind: "referrer" }, depth: depth + 1 });
    job.tally.referrers += 1;
  }
  for (const kind of TAGGED) {
    const tag = `sha256-${hexOf(subject)}.${kind}`;
    const document = await source.tagged(tag, signal);
    if (!document) continue;
    await copyDocument(job, document, { role: { kind: "tagged", tag }, depth: depth + 1 });
    job.tally.referrers += 1;
  }
}

function onePlatform(job: CopyJob): TareError {
  return new TareError("E_UNSUPPORTED", `copying all platforms of ${job.source.label}: this kind of place holds one`, {
    hint: "choose one with `--platform`, or copy to a registry, `oci:FOLDER` or `oci-archive:FILE`",
  });
}

function refused(job: CopyJob, why: string): TareError {
  return new TareError("E_MANIFEST", `copying ${job.source.label}: ${why}`);
}
