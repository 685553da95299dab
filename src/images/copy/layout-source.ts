// SPDX-License-Identifier: Apache-2.0
/* An image of an OCI layout, in a folder or an archive. */
import { TareError, digestOf } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { MEDIA_TYPES, isIndex, isManifest, parseIndex } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { isReferrersTag } from "../../registry/index.ts";
import type { ArchiveSource } from "../archive-source.ts";
import { malformed } from "../archive-source.ts";
import { REF_ANNOTATION, annotatedNames, shortName } from "../image-names.ts";
import { requireLayoutVersion } from "../load-layout.ts";
import { blobPath } from "../save.ts";
import { checkedDocument, subjectOf } from "./documents.ts";
import type { CopyDocument, ImageSource } from "./types.ts";

/** The image that `wanted` names (a tag, a name or a digest), or the only one. Throws `E_LAYOUT`, `E_IMAGE_NOTFOUND`. */
export function layoutSource(source: ArchiveSource, label: string, wanted: string | undefined): ImageSource {
  if (!source.has("index.json") && source.has("manifest.json")) {
    throw new TareError("E_LAYOUT", `copying ${label}: it is a docker archive`, {
      hint: "write `docker-archive:` instead",
    });
  }
  requireLayoutVersion(source);
  const entries = parseIndex(source.read("index.json")?.toString("utf8") ?? "").manifests;
  const top = findEntry(source, entries, { label, wanted });
  return layoutImage(source, { label, entries, top });
}

/** The image at one entry of a layout's index. */
export function layoutImage(
  source: ArchiveSource,
  image: { readonly label: string; readonly entries: readonly Descriptor[]; readonly top: Descriptor },
): ImageSource {
  const { label, entries, top } = image;
  return {
    label,
    names: annotatedNames(top.annotations),
    isMade: false,
    target: async () => readDocument(source, top, label),
    document: async (descriptor) => readDocument(source, descriptor, label),
    open: (blob) => source.open(blobPath(blob.digest)),
    tagged: async (tag) => {
      const entry = entries.find(({ annotations }) => annotations?.[REF_ANNOTATION] === tag);
      return entry && readDocument(source, entry, label);
    },
    referrers: async (subject) => entries.filter((entry) => refersTo(source, entry, { subject, label })),
  };
}

function findEntry(
  source: ArchiveSource,
  entries: readonly Descriptor[],
  { label, wanted }: { readonly label: string; readonly wanted: string | undefined },
): Descriptor {
  const fitting = wanted === undefined ? entries : entries.filter((entry) => isNamed(entry, wanted));
  // What refers to an image stands in the index beside it.
  const images = wanted === undefined ? fitting.filter((entry) => !isAttached(source, entry, label)) : fitting;
  const digests = new Set((images.length > 0 ? images : fitting).map(({ digest }) => digest));
  const [only] = images.length > 0 ? images : fitting;
  if (only && digests.size === 1) return only;
  throw notChosen(entries, { label, wanted });
}

function isNamed({ digest, annotations }: Descriptor, wanted: string): boolean {
  if (digest === wanted.replace(/^@/, "") || annotations?.[REF_ANNOTATION] === wanted) return true;
  return annotatedNames(annotations).some((name) => name === wanted || shortName(name) === wanted);
}

/** The images of a place whose name does not choose one. */
export function notChosen(
  entries: readonly Pick<Descriptor, "annotations" | "digest">[],
  { label, wanted }: { readonly label: string; readonly wanted: string | undefined },
): TareError {
  const names = entries.map(({ annotations, digest }) => annotations?.[REF_ANNOTATION] ?? `@${digest}`).slice(0, 10);
  const why = wanted === undefined ? `it has ${entries.length} images` : `it has no image \`${wanted}\``;
  const hint = entries.length === 0 ? {} : { hint: `choose one of them after a colon: ${names.join(", ")}` };
  return new TareError("E_IMAGE_NOTFOUND", `copying ${label}: ${why}`, { ...hint, details: { names } });
}

function readDocument(source: ArchiveSource, descriptor: Descriptor, label: string): CopyDocument {
  const bytes = source.read(blobPath(descriptor.digest));
  if (!bytes) throw malformed(source.label, `blob \`${descriptor.digest}\` is missing`);
  return checkedDocument(bytes, descriptor, label);
}

function refersTo(
  source: ArchiveSource,
  entry: Descriptor,
  { subject, label }: { readonly subject: Digest; readonly label: string },
): boolean {
  return subjectIn(source, entry, label) === subject;
}

function isAttached(source: ArchiveSource, entry: Descriptor, label: string): boolean {
  return isReferrersTag(entry.annotations?.[REF_ANNOTATION] ?? "") || subjectIn(source, entry, label) !== undefined;
}

function subjectIn(source: ArchiveSource, entry: Descriptor, label: string): Digest | undefined {
  if (!isManifest(entry.mediaType) && !isIndex(entry.mediaType)) return undefined;
  return subjectOf(readDocument(source, entry, label));
}

/** A document that is made here. */
export function madeDocument(text: string): CopyDocument {
  const bytes = Buffer.from(text);
  return { bytes, digest: digestOf(bytes), mediaType: MEDIA_TYPES.ociManifest };
}
