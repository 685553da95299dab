// SPDX-License-Identifier: Apache-2.0
/* Which part of what a source names is copied. */
import { TareError, digestOf } from "../../base/index.ts";
import {
  MEDIA_TYPES,
  formatPlatform,
  isConfig,
  isIndex,
  matchesPlatform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectManifest,
  serializeIndex,
} from "../../oci/index.ts";
import type { Descriptor, ImageIndex, Platform } from "../../oci/index.ts";
import { checkedBytes } from "./checked-bytes.ts";
import type { CopyDocument, ImageSource } from "./types.ts";

/** What of an image for several platforms is wanted. */
export type PlatformChoice =
  | { readonly kind: "all" }
  /** This machine's: an image that is for one other platform only is taken too, as Docker does. */
  | { readonly kind: "host"; readonly platform: Platform }
  /** At least one. */
  | { readonly kind: "these"; readonly platforms: readonly Platform[] };

const MAX_DEPTH = 4;

/** The document to copy. Several platforms of more make a new index. Throws `E_PLATFORM`, `E_MANIFEST`. */
export async function chooseDocument(
  source: ImageSource,
  choice: PlatformChoice,
  signal: AbortSignal,
): Promise<CopyDocument> {
  const whole = await source.target(signal);
  if (choice.kind === "all") return whole;
  const platforms = choice.kind === "host" ? [choice.platform] : choice.platforms;
  if (!isIndex(whole.mediaType)) {
    if (choice.kind === "these") await requirePlatforms(source, whole, { platforms, signal });
    return whole;
  }
  const [first, ...others] = platforms;
  if (first === undefined) return whole;
  if (others.length === 0) return selected(source, whole, { platform: first, signal });
  return partOf(parseIndex(whole.bytes.toString("utf8")), platforms);
}

async function selected(
  source: ImageSource,
  document: CopyDocument,
  wanted: { readonly platform: Platform; readonly signal: AbortSignal },
  depth = 0,
): Promise<CopyDocument> {
  if (!isIndex(document.mediaType)) return document;
  if (depth >= MAX_DEPTH) throw new TareError("E_MANIFEST", `copying ${source.label}: its indexes nest too deep`);
  const chosen = selectManifest(parseIndex(document.bytes.toString("utf8")), wanted.platform);
  return selected(source, await source.document(chosen, wanted.signal), wanted, depth + 1);
}

/** An index with the chosen platforms and the attestations of those. */
function partOf(index: ImageIndex, platforms: readonly Platform[]): CopyDocument {
  const chosen = new Set<Descriptor>(platforms.map((platform) => selectManifest(index, platform)));
  const digests = new Set<string>([...chosen].map(({ digest }) => digest));
  const manifests = index.manifests.filter(
    (entry) => chosen.has(entry) || digests.has(entry.annotations?.["vnd.docker.reference.digest"] ?? ""),
  );
  const bytes = Buffer.from(serializeIndex({ ...index, manifests }));
  return { bytes, digest: digestOf(bytes), mediaType: index.mediaType ?? MEDIA_TYPES.ociIndex };
}

async function requirePlatforms(
  source: ImageSource,
  document: CopyDocument,
  { platforms, signal }: { readonly platforms: readonly Platform[]; readonly signal: AbortSignal },
): Promise<void> {
  const { config } = parseManifest(document.bytes.toString("utf8"), { allowNoLayers: true });
  if (!isConfig(config.mediaType)) return;
  const found = parseImageConfig((await readBlob(source, config, signal)).toString("utf8"));
  const missing = platforms.find((platform) => !matchesPlatform(platform, found));
  if (!missing) return;
  throw new TareError(
    "E_PLATFORM",
    `copying ${source.label} for ${formatPlatform(missing)}: it is for ${formatPlatform(found)} only`,
    { hint: "leave out `--platform`, or take an image that is for it" },
  );
}

/** The bytes of a small blob, checked. */
export async function readBlob(source: ImageSource, blob: Descriptor, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of checkedBytes(source.open(blob, signal), blob, source.label)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
