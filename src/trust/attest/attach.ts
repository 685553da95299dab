// SPDX-License-Identifier: Apache-2.0
/* Small artifacts that refer to a manifest at a registry (image-spec manifest.md, "Guidelines for Artifact Usage"). */
import { digestOf } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { EMPTY } from "../../images/index.ts";
import type { RemoteRepository } from "../../images/index.ts";
import { MEDIA_TYPES, serializeManifest } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { IN_TOTO_TYPE } from "./statement.ts";

/** What is attached. */
export interface Attachment {
  /** Of the artifact, by which it is found. */
  readonly artifactType: string;
  readonly layer: {
    readonly bytes: Buffer;
    readonly mediaType: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest at a registry that something is attached to. */
export type Subject = Pick<Descriptor, "mediaType" | "digest" | "size">;

/** An unsigned statement as an attachment; the annotation is BuildKit's. */
export function statementAttachment(bytes: Buffer, predicateType: string): Attachment {
  const annotations = { "in-toto.io/predicate-type": predicateType };
  return { artifactType: IN_TOTO_TYPE, layer: { bytes, mediaType: IN_TOTO_TYPE, annotations }, annotations };
}

/**
 * Attaches something to a manifest; nothing is sent when the registry has it. Gives the digest of the artifact. Throws
 * `E_REGISTRY*`.
 */
export async function attach(
  { client, repository }: RemoteRepository,
  subject: Subject,
  { artifactType, layer, annotations }: Attachment,
  signal?: AbortSignal,
): Promise<Digest> {
  const call = signal === undefined ? {} : { signal };
  const { bytes, ...rest } = layer;
  const { mediaType, digest, size } = subject;
  const manifest = serializeManifest({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config: EMPTY.descriptor,
    layers: [{ ...described(bytes), ...rest }],
    subject: { mediaType, digest, size },
    ...(annotations === undefined ? {} : { annotations }),
  });
  await pushBytes({ client, repository }, EMPTY.bytes, call);
  await pushBytes({ client, repository }, bytes, call);
  const document = { bytes: Buffer.from(manifest), mediaType: MEDIA_TYPES.ociManifest };
  return (await client.putReferrer(repository, document, call)).digest;
}

function described(bytes: Buffer): { readonly digest: Digest; readonly size: number } {
  return { digest: digestOf(bytes), size: bytes.length };
}

/** Sends a small blob unless the repository has it. */
export async function pushBytes(
  { client, repository }: RemoteRepository,
  bytes: Buffer,
  call: { readonly signal?: AbortSignal },
): Promise<void> {
  const blob = described(bytes);
  if ((await client.headBlob(repository, blob.digest, { forPush: true, ...call })) !== undefined) return;
  await client.pushBlob(repository, { ...blob, open: () => once(bytes) }, call);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
