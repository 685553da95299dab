// SPDX-License-Identifier: Apache-2.0
/* Sigstore bundles (protobuf-specs, sigstore_bundle.proto) as they are written here: a DSSE envelope and a key's name. */
import { TareError, valueText } from "../../base/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";
import { envelopeJson, parseEnvelope } from "./dsse.ts";
import type { Envelope } from "./dsse.ts";

/** Media type of a bundle, and the `artifactType` of an artifact with one. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const BUNDLE_TYPES = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d+\+json|\+json;version=0\.\d+)$/;

/** cosign's predicate of a signature: it says no more than that the image is signed. */
export const SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1";

/** True for a media or artifact type of a bundle of any version. */
export function isBundleType(type: string | undefined): boolean {
  return type !== undefined && BUNDLE_TYPES.test(type);
}

/** A bundle, read as far as keys need it. */
export interface KeyBundle {
  readonly envelope: Envelope;
  /** By a key, or by a certificate that sigstore's roots vouch for. */
  readonly signer: "key" | "certificate";
  /** The whole document. */
  readonly json: unknown;
}

/** A bundle of an envelope that a key signed. */
export function formatBundle(envelope: Envelope, hint: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_TYPE,
      verificationMaterial: { publicKey: { hint } },
      dsseEnvelope: envelopeJson(envelope),
    }),
  );
}

/** Reads a bundle from outside. Throws `E_SIGNATURE`, `E_MANIFEST`. */
export function parseBundle(text: string): KeyBundle {
  const json = parseJson(text, "sigstore bundle");
  if (!isMembers(json)) throw malformed("it is no object");
  const { mediaType, verificationMaterial, dsseEnvelope } = json;
  if (typeof mediaType !== "string" || !isBundleType(mediaType))
    throw malformed(`its type is \`${valueText(mediaType)}\``);
  if (dsseEnvelope === undefined) throw malformed("it has no DSSE envelope");
  const material = isMembers(verificationMaterial) ? verificationMaterial : {};
  const signer = "certificate" in material || "x509CertificateChain" in material ? "certificate" : "key";
  return { envelope: parseEnvelope(dsseEnvelope), signer, json };
}

function malformed(why: string): TareError {
  return new TareError("E_SIGNATURE", `reading a sigstore bundle: ${why}`);
}
