// SPDX-License-Identifier: Apache-2.0
/* Signatures of a manifest at a registry, written beside it. Nothing is signed twice by the same key. */
import type { Digest } from "../../base/index.ts";
import type { RemoteRepository } from "../../images/index.ts";
import { MEDIA_TYPES, referenceName } from "../../oci/index.ts";
import type { Descriptor, Reference } from "../../oci/index.ts";
import { attach, pushBytes } from "../attest/attach.ts";
import type { Attachment, Subject } from "../attest/attach.ts";
import { formatStatement } from "../attest/statement.ts";
import { BUNDLE_TYPE, SIGN_PREDICATE, formatBundle } from "./bundle.ts";
import { signStatement } from "./dsse.ts";
import { layersAt } from "./find-signatures.ts";
import { signWithoutKey } from "./keyless-sign.ts";
import type { KeylessPlace } from "./keyless-sign.ts";
import type { SigningKey } from "./keys.ts";
import { formatSimplePayload, signatureImage, signatureTag, simpleLayer } from "./simple-signing.ts";
import { checkSignatures } from "./verify-image.ts";

/** `bundle`: a sigstore bundle as a referrer; `legacy`: cosign's older tag, which podman and skopeo know. */
export type SignatureFormat = "bundle" | "legacy";

/** A signature that is there now. */
export interface MadeSignature {
  readonly format: SignatureFormat;
  /** Of the artifact; of the signature image for `legacy`. */
  readonly digest: Digest;
  /** The key had signed the manifest before. */
  readonly existed: boolean;
}

/** How a manifest is signed. */
export interface SignOptions {
  readonly key: SigningKey;
  /** What the image is called: with tag, as policies compare it. */
  readonly reference: Reference;
  readonly formats: readonly SignatureFormat[];
  /** `tare 0.1.0`. */
  readonly creator: string;
  readonly signal?: AbortSignal;
}

/** Signs a manifest. Throws `E_REGISTRY*`. */
export async function signManifest(
  remote: RemoteRepository,
  subject: Subject,
  options: SignOptions,
): Promise<readonly MadeSignature[]> {
  const { key, signal } = options;
  const trusted = { kind: "keys", keys: [key.verifier] } as const;
  const call = signal === undefined ? {} : { signal };
  const { verified } = await checkSignatures(remote, subject.digest, { trusted, ...call });
  const made: MadeSignature[] = [];
  for (const format of new Set(options.formats)) {
    const wanted = format === "bundle" ? "bundle" : "simple";
    const known = verified.find((each) => each.format === wanted && isOfName(each.reference, options));
    if (known) made.push({ format, digest: known.digest, existed: true });
    else made.push({ format, digest: await signAs(format, remote, subject, options), existed: false });
  }
  return made;
}

/** Signs a manifest by the identity of a token; each call makes another signature. Throws `E_KEYLESS`, `E_REGISTRY*`. */
export async function signManifestWithoutKey(
  remote: RemoteRepository,
  subject: Subject,
  { reference, place, signal }: Pick<SignOptions, "reference" | "signal"> & { readonly place: KeylessPlace },
): Promise<MadeSignature> {
  const statement = statementOf(subject, reference);
  const bundle = bundleAttachment(await signWithoutKey(place, statement), SIGN_PREDICATE);
  return { format: "bundle", digest: await attach(remote, subject, bundle, signal), existed: false };
}

function statementOf({ digest }: Subject, reference: Reference): Buffer {
  return formatStatement({ name: nameOf({ reference }), digest }, { predicateType: SIGN_PREDICATE, predicate: {} });
}

function isOfName(reference: string | undefined, options: SignOptions): boolean {
  return reference === undefined || reference === nameOf(options);
}

function nameOf({ reference }: Pick<SignOptions, "reference">): string {
  const { tag } = reference;
  return `${referenceName(reference)}${tag === undefined ? "" : `:${tag}`}`;
}

function signAs(
  format: SignatureFormat,
  remote: RemoteRepository,
  subject: Subject,
  options: SignOptions,
): Promise<Digest> {
  if (format === "legacy") return signSimple(remote, subject, options);
  const statement = statementOf(subject, options.reference);
  return attach(remote, subject, signedAttachment(options.key, statement, SIGN_PREDICATE), options.signal);
}

/** A statement that a key signs, as an attachment; annotations are cosign's. */
export function signedAttachment(key: SigningKey, statement: Buffer, predicateType: string): Attachment {
  return bundleAttachment(formatBundle(signStatement(key, statement), key.verifier.hint), predicateType);
}

function bundleAttachment(bytes: Buffer, predicateType: string): Attachment {
  return {
    artifactType: BUNDLE_TYPE,
    layer: { bytes, mediaType: BUNDLE_TYPE },
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": predicateType,
    },
  };
}

/** Adds a layer to the image under the tag; those of others stay. */
async function signSimple(remote: RemoteRepository, { digest }: Subject, options: SignOptions): Promise<Digest> {
  const { client, repository } = remote;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const tag = signatureTag(digest);
  const payload = formatSimplePayload({ reference: nameOf(options), digest }, options.creator);
  const layers: readonly Descriptor[] = [
    ...(await layersAt(remote, tag, call)),
    simpleLayer(payload, options.key.sign(payload)),
  ];
  const { manifest, config } = signatureImage(layers);
  await pushBytes(remote, payload, call);
  await pushBytes(remote, config, call);
  return client.putManifest(repository, tag, { bytes: manifest, mediaType: MEDIA_TYPES.ociManifest }, call);
}
