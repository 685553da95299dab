// SPDX-License-Identifier: Apache-2.0
/* What stands beside a manifest at a registry and may be its signature: by referrers, and by cosign's older tags. */
import { Hasher, TareError, hexOf, isTareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { RemoteRepository } from "../../images/index.ts";
import { DOCUMENT_LIMIT, MEDIA_TYPES, parseManifest } from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";
import { isBundleType } from "./bundle.ts";
import { SIMPLE_TYPE, signatureTag } from "./simple-signing.ts";

/** Something that may be a signature; nothing of it is believed. */
export interface Candidate {
  readonly kind: "bundle" | "simple" | "envelope";
  /** The artifact's digest, or that of the layer under an older tag. */
  readonly digest: Digest;
  readonly layer: Descriptor;
  /** Reads the layer. */
  readonly read: () => Promise<Buffer>;
}

interface Call {
  readonly signal?: AbortSignal;
}

/** Anybody may add referrers; more are not looked at. */
const MOST = 200;
/** What is wrong with one artifact says nothing of the others. */
const BROKEN: readonly string[] = ["E_REGISTRY_NOTFOUND", "E_MANIFEST", "E_DIGEST_MISMATCH"];
const ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json";

/** The candidates of a manifest, newest kind first. Throws `E_REGISTRY*`, `E_MANIFEST`. */
export async function findSignatures(
  remote: RemoteRepository,
  subject: Digest,
  call: Call = {},
): Promise<readonly Candidate[]> {
  const bundles = await bundlesOf(remote, subject, call);
  const simple = await layersAt(remote, signatureTag(subject), call);
  const envelopes = await layersAt(remote, `sha256-${hexOf(subject)}.att`, call);
  const older = [...simple, ...envelopes].flatMap((layer): readonly Candidate[] => {
    const kind =
      layer.mediaType === SIMPLE_TYPE ? "simple" : layer.mediaType === ENVELOPE_TYPE ? "envelope" : undefined;
    return kind === undefined
      ? []
      : [{ kind, digest: layer.digest, layer, read: () => readLayer(remote, layer, call) }];
  });
  return [...bundles, ...older].slice(0, MOST);
}

async function bundlesOf(remote: RemoteRepository, subject: Digest, call: Call): Promise<readonly Candidate[]> {
  const { client, repository } = remote;
  const found = (await client.referrers(repository, subject, call)).filter(({ artifactType }) =>
    mayBeBundle(artifactType),
  );
  const manifests = found.slice(0, MOST).map((each) => bundlesIn(remote, each, call));
  return (await Promise.all(manifests)).flat();
}

/** The bundles of one artifact; one that can't be had is a candidate that fails when it is read. */
async function bundlesIn(remote: RemoteRepository, artifact: Descriptor, call: Call): Promise<readonly Candidate[]> {
  const { digest } = artifact;
  try {
    const { bytes } = await remote.client.getManifest(remote.repository, digest, call);
    const { layers } = parseManifest(bytes.toString("utf8"), { allowNoLayers: true });
    return layers
      .filter(({ mediaType }) => isBundleType(mediaType))
      .map((layer) => ({ kind: "bundle", digest, layer, read: () => readLayer(remote, layer, call) }));
  } catch (error) {
    if (!isTareError(error) || !BROKEN.includes(error.code)) throw error;
    return [{ kind: "bundle", digest, layer: artifact, read: () => Promise.reject(error) }];
  }
}

/** Where cosign keeps the list itself, it writes the empty config's type for the artifact's (cosign 2.6). */
function mayBeBundle(artifactType: string | undefined): boolean {
  return artifactType === undefined || artifactType === MEDIA_TYPES.ociEmpty || isBundleType(artifactType);
}

/** The layers of an image under a tag; none when there is no such tag. */
export async function layersAt(
  { client, repository }: RemoteRepository,
  tag: string,
  call: Call = {},
): Promise<readonly Descriptor[]> {
  if ((await client.headManifest(repository, tag, call)) === undefined) return [];
  const { bytes } = await client.getManifest(repository, tag, call);
  const manifest: Manifest = parseManifest(bytes.toString("utf8"), { allowNoLayers: true });
  return manifest.layers;
}

async function readLayer({ client, repository }: RemoteRepository, layer: Descriptor, call: Call): Promise<Buffer> {
  const { digest, size } = layer;
  const doing = `reading the signature \`${digest}\``;
  if (size > DOCUMENT_LIMIT) throw new TareError("E_SIGNATURE", `${doing}: it has ${size} bytes`);
  const chunks: Uint8Array[] = [];
  const hasher = new Hasher();
  for await (const chunk of client.openBlob(repository, { digest, size }, call)) {
    chunks.push(chunk);
    hasher.update(chunk);
  }
  if (hasher.digest() === digest) return Buffer.concat(chunks);
  throw new TareError("E_DIGEST_MISMATCH", `${doing}: other bytes came`, { details: { digest } });
}
