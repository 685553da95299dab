// SPDX-License-Identifier: Apache-2.0
/*
 * Signing without a key that lasts: a key for this signature alone, a certificate for some minutes from Fulcio for what
 * an OpenID token says (fulcio, docs/how-certificate-issuing-works.md), and an entry in Rekor's log (v1 API) that says
 * when. The identity in the token becomes public with the entry.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { TareError, valueText } from "../../base/index.ts";
import type { HttpClient } from "../../http/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";
import { BUNDLE_TYPE } from "./bundle.ts";
import { envelopeJson, signStatement } from "./dsse.ts";
import type { Envelope } from "./dsse.ts";

/** Who vouches and who writes down. */
export interface KeylessPlace {
  readonly http: Pick<HttpClient, "request">;
  /** `https://fulcio.sigstore.dev`. */
  readonly fulcioUrl: string;
  /** `https://rekor.sigstore.dev`. */
  readonly rekorUrl: string;
  /** An OpenID token for the audience `sigstore`. */
  readonly token: string;
  readonly signal?: AbortSignal;
}

const LIMIT = 4 << 20;

/** The bundle of a statement, signed by the token's identity. Throws `E_KEYLESS`, `E_HTTP`. */
export async function signWithoutKey(place: KeylessPlace, statement: Buffer): Promise<Buffer> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await askCertificate(place, privateKey, publicKey);
  const envelope = signStatement({ sign: (bytes) => sign("sha256", bytes, privateKey) }, statement);
  const entry = await logEnvelope(place, envelope, certificate);
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { certificate: { rawBytes: derOf(certificate) }, tlogEntries: [entry] },
    dsseEnvelope: envelopeJson(envelope),
  };
  return Buffer.from(JSON.stringify(bundle));
}

/** A certificate for the public key; that the private one is here is proved by signing the token's subject. */
async function askCertificate(place: KeylessPlace, privateKey: KeyObject, publicKey: KeyObject): Promise<string> {
  const proof = sign("sha256", Buffer.from(subjectOf(place.token)), privateKey).toString("base64");
  const content = publicKey.export({ type: "spki", format: "pem" }).toString();
  const answer = await post(place, `${place.fulcioUrl}/api/v2/signingCert`, {
    credentials: { oidcIdentityToken: place.token },
    publicKeyRequest: { publicKey: { algorithm: "ECDSA", content }, proofOfPossession: proof },
  });
  const found = ["signedCertificateEmbeddedSct", "signedCertificateDetachedSct"]
    .map((name) => answer[name])
    .find(isMembers);
  const chain = found && isMembers(found["chain"]) ? found["chain"]["certificates"] : undefined;
  const [certificate]: readonly unknown[] = Array.isArray(chain) ? chain : [];
  if (typeof certificate === "string" && certificate.includes("BEGIN CERTIFICATE")) return certificate;
  throw new TareError("E_KEYLESS", `signing without a key: \`${place.fulcioUrl}\` gave no certificate`);
}

/** What Fulcio puts into the certificate: the mail address where there is one. Throws `E_KEYLESS`. */
function subjectOf(token: string): string {
  try {
    const [, claims = ""] = token.split(".");
    const { email, sub } = parseJson(Buffer.from(claims, "base64url").toString("utf8"), "token") as Record<
      string,
      unknown
    >;
    const subject = email ?? sub;
    if (typeof subject === "string" && subject !== "") return subject;
  } catch (error) {
    throw new TareError("E_KEYLESS", "signing without a key: the identity token is no OpenID token", { cause: error });
  }
  throw new TareError("E_KEYLESS", "signing without a key: the identity token names nobody");
}

/** The log's entry in the words of a bundle. */
async function logEnvelope(place: KeylessPlace, envelope: Envelope, certificate: string): Promise<unknown> {
  const verifiers = [Buffer.from(certificate).toString("base64")];
  const answer = await post(place, `${place.rekorUrl}/api/v1/log/entries`, {
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: { proposedContent: { envelope: JSON.stringify(envelopeJson(envelope)), verifiers } },
  });
  const [entry] = Object.values(answer);
  const verification = isMembers(entry) ? entry["verification"] : undefined;
  if (!isMembers(entry) || !isMembers(verification)) {
    throw new TareError("E_KEYLESS", `signing without a key: \`${place.rekorUrl}\` gave no entry`);
  }
  return {
    logIndex: valueText(entry["logIndex"]),
    logId: { keyId: base64OfHex(entry["logID"]) },
    kindVersion: { kind: "dsse", version: "0.0.1" },
    integratedTime: valueText(entry["integratedTime"]),
    inclusionPromise: { signedEntryTimestamp: verification["signedEntryTimestamp"] },
    ...proofOf(verification["inclusionProof"]),
    canonicalizedBody: entry["body"],
  };
}

function proofOf(proof: unknown): Readonly<Record<string, unknown>> {
  if (!isMembers(proof)) return {};
  const hashes: readonly unknown[] = Array.isArray(proof["hashes"]) ? proof["hashes"] : [];
  return {
    inclusionProof: {
      logIndex: valueText(proof["logIndex"]),
      rootHash: base64OfHex(proof["rootHash"]),
      treeSize: valueText(proof["treeSize"]),
      hashes: hashes.map(base64OfHex),
      checkpoint: { envelope: proof["checkpoint"] },
    },
  };
}

function base64OfHex(hex: unknown): string {
  return Buffer.from(valueText(hex), "hex").toString("base64");
}

function derOf(pem: string): string {
  return (/-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem)?.[1] ?? "").replaceAll(/\s/g, "");
}

/** Sends JSON and reads JSON; the token is in no error. */
async function post(
  { http, signal }: KeylessPlace,
  url: string,
  value: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const body = Buffer.from(JSON.stringify(value));
  const response = await http.request({
    method: "POST",
    url,
    headers,
    body,
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text(LIMIT);
  if (response.status !== 200 && response.status !== 201) {
    const said = text.replaceAll(/\s+/g, " ").slice(0, 200);
    throw new TareError("E_KEYLESS", `signing without a key: \`${url}\` answers ${response.status}: ${said}`, {
      hint:
        response.status === 401 || response.status === 400
          ? "is the token of the audience `sigstore`, and fresh?"
          : "try again later",
    });
  }
  const answer = parseJson(text, `answer of ${url}`);
  if (isMembers(answer)) return answer;
  throw new TareError("E_KEYLESS", `signing without a key: \`${url}\` gave no object`);
}
