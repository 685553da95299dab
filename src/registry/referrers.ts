// SPDX-License-Identifier: Apache-2.0
/*
 * Referrers (distribution-spec 1.1, "Listing Referrers" and "Pushing Manifests with Subject"):
 *
 *   list: GET /v2/<name>/referrers/<digest> ─200─▶ an index of descriptors, by pages
 *                └─404 and the like─▶ the index under the tag `sha256-<hex>`; no such tag: none
 *   put:  PUT by digest ─OCI-Subject─▶ the registry lists it
 *                └─without─▶ the descriptor is added to the index under the tag
 *
 * Nobody guards the tag against two writers, so it is read again after each write.
 */
import { TareError, digestOf, hexOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { DOCUMENT_LIMIT, MEDIA_TYPES, parseIndex, parseManifestOrIndex, serializeIndex } from "../oci/index.ts";
import type { Descriptor, ImageIndex } from "../oci/index.ts";
import { nextPage } from "./endpoint.ts";
import { putManifest } from "./put-manifest.ts";
import type { RegistrySession } from "./session.ts";
import type { ManifestBytes, RegistryCall } from "./types.ts";

/** What servers without the API say to it. */
const NO_API: readonly number[] = [400, 404, 405, 406, 501];
const MOST = 100_000;
const TRIES = 4;
const EMPTY: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };

/** The tag that stands for a manifest's referrers where there is no API. */
function referrersTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}

/** True for a tag that is made of a digest and stands for what refers to that: of the specification, or of cosign. */
export function isReferrersTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}(?:\.[a-z]+)?$/.test(tag);
}

/** The descriptors of what refers to a manifest. Throws `E_REGISTRY*`, `E_MANIFEST`. */
export async function listReferrers(
  session: RegistrySession,
  repository: string,
  subject: Digest,
  { artifactType, ...call }: RegistryCall & { readonly artifactType?: string },
): Promise<readonly Descriptor[]> {
  const place = { repository, subject };
  const found =
    (await askApi(session, place, { artifactType, call })) ?? (await readTag(session, place, call)).manifests;
  const once = [...new Map(found.map((each) => [each.digest, each])).values()];
  // Registries may leave the filter to us.
  return artifactType === undefined ? once : once.filter((each) => each.artifactType === artifactType);
}

interface Place {
  readonly repository: string;
  readonly subject: Digest;
}

/** Undefined when the registry has no such API. */
async function askApi(
  session: RegistrySession,
  { repository, subject }: Place,
  { artifactType, call }: { readonly artifactType: string | undefined; readonly call: RegistryCall },
): Promise<readonly Descriptor[] | undefined> {
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Descriptor[] = [];
  const seen = new Set<string>();
  let target: string | undefined = `/v2/${repository}/referrers/${subject}${query}`;
  while (target !== undefined && !seen.has(target) && found.length < MOST) {
    seen.add(target);
    const page: Awaited<ReturnType<RegistrySession["read"]>> = await session.read(
      {
        target,
        headers: { accept: MEDIA_TYPES.ociIndex },
        scope: { repository, actions: "pull" },
        doing: `listing what refers to \`${subject}\` in \`${session.domain}/${repository}\``,
        expect: [200, ...NO_API],
        ...call,
      },
      DOCUMENT_LIMIT,
    );
    // A page of HTML for whatever is asked is no API either.
    if (page.response.status !== 200 || !isIndexType(page.response)) return undefined;
    found.push(...parseIndex(page.bytes.toString("utf8")).manifests);
    target = nextPage(page.response);
  }
  return found;
}

function isIndexType({ headers }: HttpResponse): boolean {
  return headers["content-type"]?.split(";", 1)[0]?.trim() === MEDIA_TYPES.ociIndex;
}

async function readTag(
  session: RegistrySession,
  { repository, subject }: Place,
  call: RegistryCall,
): Promise<ImageIndex> {
  const tag = referrersTag(subject);
  const { response, bytes } = await session.read(
    {
      target: `/v2/${repository}/manifests/${tag}`,
      headers: { accept: MEDIA_TYPES.ociIndex },
      scope: { repository, actions: "pull" },
      doing: `pulling \`${session.domain}/${repository}:${tag}\``,
      expect: [200, 404],
      ...call,
    },
    DOCUMENT_LIMIT,
  );
  return response.status === 404 ? EMPTY : parseIndex(bytes.toString("utf8"));
}

/** Writes a manifest with a subject and sees to it that it is listed. Throws `E_MANIFEST`, `E_REGISTRY*`. */
export async function putReferrer(
  session: RegistrySession,
  repository: string,
  manifest: ManifestBytes,
  call: RegistryCall,
): Promise<Descriptor> {
  const { descriptor, subject } = describe(manifest);
  const receipt = await putManifest(session, { repository, tag: descriptor.digest }, manifest, call);
  if (receipt.subject === undefined) await addToTag(session, { repository, subject }, { descriptor, call });
  return descriptor;
}

/** The descriptor by which a manifest stands in the list of its subject's referrers. */
function describe({ bytes, mediaType }: ManifestBytes): { readonly descriptor: Descriptor; readonly subject: Digest } {
  const document = parseManifestOrIndex(bytes.toString("utf8"), { allowNoLayers: true });
  const { subject, artifactType, annotations } = document.kind === "index" ? document.index : document.manifest;
  if (!subject) throw new TareError("E_MANIFEST", "pushing a referrer: the manifest has no `subject`");
  const type = artifactType ?? (document.kind === "index" ? undefined : document.manifest.config.mediaType);
  const descriptor = {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { descriptor, subject: subject.digest };
}

async function addToTag(
  session: RegistrySession,
  place: Place,
  { descriptor, call }: { readonly descriptor: Descriptor; readonly call: RegistryCall },
): Promise<void> {
  const tag = referrersTag(place.subject);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const index = await readTag(session, place, call);
    if (index.manifests.some(({ digest }) => digest === descriptor.digest)) return;
    const bytes = Buffer.from(serializeIndex({ ...index, manifests: [...index.manifests, descriptor] }));
    await putManifest(session, { repository: place.repository, tag }, { bytes, mediaType: MEDIA_TYPES.ociIndex }, call);
  }
  const now = await readTag(session, place, call);
  if (now.manifests.some(({ digest }) => digest === descriptor.digest)) return;
  throw new TareError(
    "E_REGISTRY",
    `pushing \`${descriptor.digest}\` to \`${session.domain}/${place.repository}\`: others write the tag \`${tag}\` too`,
    { hint: "try again: the registry has no referrers API, so only one may write at a time" },
  );
}
