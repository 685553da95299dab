// SPDX-License-Identifier: Apache-2.0
/*
 * cosign's first scheme, which podman and skopeo know: the signed payload is Red Hat's "simple signing" JSON, a layer of
 * an image under the tag `sha256-<hex>.sig`; the signature is an annotation of the layer. (cosign, specs/SIGNATURE_SPEC.md)
 */
import { TareError, digestOf, hexOf, isDigest } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { MEDIA_TYPES, isMembers, parseJson, serializeManifest } from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";

/** Media type of a signed payload. */
export const SIMPLE_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
/** The annotation with the signature, in base64. */
export const SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature";
/** Annotations of keyless signatures: the signer's certificate and the chain to its root, PEM, and Rekor's promise. */
export const CERTIFICATE_ANNOTATION = "dev.sigstore.cosign/certificate";

const PAYLOAD_KIND = "cosign container image signature";

/** What a payload says. */
export interface SimplePayload {
  readonly reference: string;
  readonly digest: Digest;
}

/** The tag of the signatures of a manifest. */
export function signatureTag(digest: Digest): string {
  return `sha256-${hexOf(digest)}.sig`;
}

/** The payload of an image's signature. `reference` with tag, as podman writes it and compares it. */
export function formatSimplePayload({ reference, digest }: SimplePayload, creator: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { "docker-reference": reference },
        image: { "docker-manifest-digest": digest },
        type: PAYLOAD_KIND,
      },
      optional: { creator },
    }),
  );
}

/** Reads a payload from outside. Throws `E_SIGNATURE`, `E_MANIFEST`. */
export function parseSimplePayload(text: string): SimplePayload {
  const value = parseJson(text, "signature's payload");
  const critical = isMembers(value) && isMembers(value["critical"]) ? value["critical"] : {};
  const { identity, image, type } = critical;
  const reference = isMembers(identity) ? identity["docker-reference"] : undefined;
  const digest = isMembers(image) ? image["docker-manifest-digest"] : undefined;
  // Newer cosigns name the predicate of their bundles here.
  if (type !== PAYLOAD_KIND && type !== "https://sigstore.dev/cosign/sign/v1")
    throw malformed("it is no signature of an image");
  if (typeof reference !== "string" || typeof digest !== "string" || !isDigest(digest)) {
    throw malformed("it names no image");
  }
  return { reference, digest };
}

function malformed(why: string): TareError {
  return new TareError("E_SIGNATURE", `reading the payload of a signature: ${why}`);
}

/** A signed payload, as a layer. */
export function simpleLayer(payload: Buffer, signature: Buffer): Descriptor {
  return {
    mediaType: SIMPLE_TYPE,
    digest: digestOf(payload),
    size: payload.length,
    annotations: { [SIGNATURE_ANNOTATION]: signature.toString("base64") },
  };
}

/** The image that holds signatures: a manifest, and a config that lists the payloads as its layers. */
export function signatureImage(layers: readonly Descriptor[]): { readonly manifest: Buffer; readonly config: Buffer } {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "",
      config: {},
      os: "",
      rootfs: { diff_ids: layers.map(({ digest }) => digest), type: "layers" },
    }),
  );
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers,
  };
  return { manifest: Buffer.from(serializeManifest(manifest)), config };
}
