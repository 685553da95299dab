// SPDX-License-Identifier: Apache-2.0
/*
 * Keyless signatures of cosign 1 and 2 (SIGNATURE_SPEC.md): certificate, chain and Rekor's signed promise are
 * annotations of the payload's layer. Here they become the bundle that newer tools would have written.
 */
import { createHash } from "node:crypto";
import { TareError, valueText } from "../../base/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { CERTIFICATE_ANNOTATION, SIGNATURE_ANNOTATION } from "./simple-signing.ts";

const CHAIN_ANNOTATION = "dev.sigstore.cosign/chain";
const REKOR_ANNOTATION = "dev.sigstore.cosign/bundle";

/**
 * The bundle of a signed payload; with `hint` a key signed it, not a certificate. Throws `E_SIGNATURE`, `E_MANIFEST`
 * when its annotations make none.
 */
export function bundleOfAnnotations({ annotations = {} }: Descriptor, payload: Buffer, hint?: string): unknown {
  const { [CERTIFICATE_ANNOTATION]: certificate = "", [CHAIN_ANNOTATION]: chain = "" } = annotations;
  const certificates = [...ders(certificate), ...ders(chain)].map((rawBytes) => ({ rawBytes }));
  return {
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      ...(hint === undefined ? { x509CertificateChain: { certificates } } : { publicKey: { hint } }),
      tlogEntries: [entryOf(annotations[REKOR_ANNOTATION])],
    },
    messageSignature: {
      messageDigest: { algorithm: "SHA2_256", digest: createHash("sha256").update(payload).digest("base64") },
      signature: annotations[SIGNATURE_ANNOTATION] ?? "",
    },
  };
}

/** The base64 of PEM certificates. */
function ders(pem: string): readonly string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, text = ""]) =>
    text.replaceAll(/\s/g, ""),
  );
}

function entryOf(text: string | undefined): unknown {
  if (text === undefined) throw malformed("it has no entry of a transparency log");
  const value = parseJson(text, "entry of the transparency log");
  const payload = isMembers(value) && isMembers(value["Payload"]) ? value["Payload"] : {};
  const promise = isMembers(value) ? value["SignedEntryTimestamp"] : undefined;
  const { body, integratedTime, logIndex, logID } = payload;
  if (typeof body !== "string" || typeof logID !== "string" || typeof promise !== "string") {
    throw malformed("its entry of a transparency log is malformed");
  }
  return {
    logIndex: valueText(logIndex),
    logId: { keyId: Buffer.from(logID, "hex").toString("base64") },
    kindVersion: kindOf(body),
    integratedTime: valueText(integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise },
    canonicalizedBody: body,
  };
}

function kindOf(body: string): { readonly kind: string; readonly version: string } {
  const entry = parseJson(Buffer.from(body, "base64").toString("utf8"), "entry of the transparency log");
  const { kind, apiVersion } = isMembers(entry) ? entry : {};
  if (typeof kind === "string" && typeof apiVersion === "string") return { kind, version: apiVersion };
  throw malformed("its entry of a transparency log has no kind");
}

function malformed(why: string): TareError {
  return new TareError("E_SIGNATURE", why);
}
