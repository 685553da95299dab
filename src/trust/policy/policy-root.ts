// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey } from "node:crypto";
import { TareError } from "../../base/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";

/** Since ever: policies name no time. */
const ALWAYS = { start: "1970-01-01T00:00:00Z" };

/** What a policy names. */
export interface PolicyRoot {
  /** Certificates in PEM; none where keys sign. */
  readonly authority?: string;
  /** Keys in PEM. */
  readonly logs: readonly string[];
  /** Text of a `trusted_root.json`: policies name no logs of certificates and no addresses of logs, so they are its. */
  readonly trustedRoot?: string;
}

/** A `trusted_root.json` of the certificates and log keys that a policy names. Throws `E_KEY`. */
export function rootOfPolicy({ authority, logs, trustedRoot = "{}" }: PolicyRoot): string {
  const certificates = [...(authority ?? "").matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(
    ([, text = ""]) => ({
      rawBytes: text.replaceAll(/\s/g, ""),
    }),
  );
  const known = parseJson(trustedRoot, "trusted root");
  if (authority !== undefined && certificates.length === 0)
    throw new TareError("E_KEY", "reading the policy's authority: it has no certificate");
  return JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    certificateAuthorities: authority === undefined ? [] : [{ uri: "", certChain: { certificates }, validFor: ALWAYS }],
    tlogs: logs.map((pem) => logOf(pem, known)),
    ctlogs: isMembers(known) ? (known["ctlogs"] ?? []) : [],
    timestampAuthorities: [],
  });
}

/** A log's id is the hash of its key (RFC 6962). */
function logOf(pem: string, known: unknown): object {
  const der = derOf(pem);
  const keyId = createHash("sha256").update(der).digest("base64");
  return {
    baseUrl: addressOf(keyId, known),
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: der.toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: ALWAYS },
    logId: { keyId },
  };
}

/** A log's checkpoints name it by its address, which the root knows. */
function addressOf(keyId: string, known: unknown): string {
  const logs = isMembers(known) && Array.isArray(known["tlogs"]) ? known["tlogs"] : [];
  const log = logs.find(
    (each: unknown) => isMembers(each) && isMembers(each["logId"]) && each["logId"]["keyId"] === keyId,
  );
  const address = isMembers(log) ? log["baseUrl"] : undefined;
  return typeof address === "string" ? address : "";
}

function derOf(pem: string): Buffer {
  try {
    return createPublicKey(pem).export({ type: "spki", format: "der" });
  } catch (error) {
    throw new TareError("E_KEY", "reading the policy's log key: it is none in PEM", { cause: error });
  }
}
