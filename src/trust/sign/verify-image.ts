// SPDX-License-Identifier: Apache-2.0
/* Is a manifest at a registry signed by somebody who is believed? */
import { TareError, isTareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { RemoteRepository } from "../../images/index.ts";
import { parseJson } from "../../oci/index.ts";
import { isAbout, parseStatement } from "../attest/statement.ts";
import type { Statement } from "../attest/statement.ts";
import { SIGN_PREDICATE, parseBundle } from "./bundle.ts";
import { isSignedBy, parseEnvelope } from "./dsse.ts";
import type { Envelope } from "./dsse.ts";
import { findSignatures } from "./find-signatures.ts";
import type { Candidate } from "./find-signatures.ts";
import type { CertificateIdentity, IdentityRule } from "./identity.ts";
import type { requireLogEntry } from "./keyless.ts";
import type { VerifyingKey } from "./keys.ts";
import { CERTIFICATE_ANNOTATION, SIGNATURE_ANNOTATION, parseSimplePayload } from "./simple-signing.ts";

/** Who is believed: one of some keys, or a person or workflow by a certificate. */
export type Trusted =
  | {
      readonly kind: "keys";
      readonly keys: readonly VerifyingKey[];
      /** Text of a `trusted_root.json` with logs, one of which must know the signature. */
      readonly logs?: string;
    }
  | { readonly kind: "keyless"; readonly trustedRoot: string; readonly rule: IdentityRule };

/** A signature that was verified. */
export interface VerifiedSignature {
  readonly format: "bundle" | "simple" | "envelope";
  /** Of the artifact, or of the signed payload under an older tag. */
  readonly digest: Digest;
  readonly signer: { readonly key: string } | CertificateIdentity;
  /** What the signer calls the image, where he says it: policies look at it. */
  readonly reference?: string;
  /** Of a bundle or envelope. */
  readonly predicateType?: string;
  readonly predicate?: unknown;
}

/** What is looked for. */
export interface VerifyOptions {
  readonly trusted: Trusted;
  /** Predicate type of an attestation; absent: a signature of the image. */
  readonly predicateType?: string;
  readonly signal?: AbortSignal;
}

/** The signatures of a manifest that are good, and why others are not. */
export interface SignatureReport {
  readonly verified: readonly VerifiedSignature[];
  readonly refused: readonly { readonly digest: Digest; readonly why: string }[];
}

/** Looks at all signatures of a manifest. Throws `E_REGISTRY*`; a bad signature is no error, it is in the report. */
export async function checkSignatures(
  remote: RemoteRepository,
  subject: Digest,
  options: VerifyOptions,
): Promise<SignatureReport> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const verified: VerifiedSignature[] = [];
  const refused: { readonly digest: Digest; readonly why: string }[] = [];
  for (const candidate of await findSignatures(remote, subject, call)) {
    try {
      const found = await verifyCandidate(candidate, subject, options);
      if (found) verified.push(found);
    } catch (error) {
      if (!isTareError(error) || !isRefusal(error)) throw error;
      refused.push({ digest: candidate.digest, why: error.message });
    }
  }
  return { verified, refused };
}

function isRefusal({ code }: TareError): boolean {
  return (
    code === "E_SIGNATURE" || code === "E_MANIFEST" || code === "E_DIGEST_MISMATCH" || code === "E_REGISTRY_NOTFOUND"
  );
}

/** The same; throws `E_UNSIGNED` when there is no signature, and `E_SIGNATURE` when none of those that are there is good. */
export async function requireSignatures(
  remote: RemoteRepository,
  subject: Digest,
  options: VerifyOptions & { readonly name: string },
): Promise<readonly VerifiedSignature[]> {
  const { verified, refused } = await checkSignatures(remote, subject, options);
  if (verified.length > 0) return verified;
  const doing = `verifying \`${options.name}\` (${subject})`;
  const what =
    options.predicateType === undefined ? "signature" : `attestation of the type \`${options.predicateType}\``;
  const [first] = refused;
  if (!first) throw new TareError("E_UNSIGNED", `${doing}: it has no ${what}`, { details: { digest: subject } });
  const others = refused.length > 1 ? ` (and ${refused.length - 1} more)` : "";
  throw new TareError("E_SIGNATURE", `${doing}: no ${what} is good: ${first.why}${others}`, { details: { refused } });
}

/** Undefined for what is something else than what is looked for. */
async function verifyCandidate(
  candidate: Candidate,
  subject: Digest,
  options: VerifyOptions,
): Promise<VerifiedSignature | undefined> {
  switch (candidate.kind) {
    case "simple":
      return options.predicateType === undefined ? verifySimple(candidate, subject, options) : undefined;
    case "bundle":
    case "envelope":
      return verifyStatement(candidate, subject, options);
  }
}

async function verifySimple(
  { digest, layer, read }: Candidate,
  subject: Digest,
  { trusted }: VerifyOptions,
): Promise<VerifiedSignature> {
  const bytes = await read();
  const payload = parseSimplePayload(bytes.toString("utf8"));
  if (payload.digest !== subject) throw refused(`it is of another image, \`${payload.digest}\``);
  const own = { format: "simple", digest, reference: payload.reference } as const;
  if (trusted.kind === "keys") {
    const signature = Buffer.from(layer.annotations?.[SIGNATURE_ANNOTATION] ?? "", "base64");
    const key = trusted.keys.find((each) => each.verify(bytes, signature));
    if (!key) throw refused("none of the keys made it");
    if (trusted.logs !== undefined) {
      const { bundleOfAnnotations } = await import("./legacy-bundle.ts");
      await logged(bundleOfAnnotations(layer, bytes, key.hint), { root: trusted.logs, key: key.key, artifact: bytes });
    }
    return { ...own, signer: { key: key.hint } };
  }
  if (layer.annotations?.[CERTIFICATE_ANNOTATION] === undefined) throw refused("a key made it, not a certificate");
  const { bundleOfAnnotations } = await import("./legacy-bundle.ts");
  return { ...own, signer: await keyless(bundleOfAnnotations(layer, bytes), trusted, bytes) };
}

async function verifyStatement(
  { kind, digest, read }: Candidate,
  subject: Digest,
  { trusted, predicateType = SIGN_PREDICATE }: VerifyOptions,
): Promise<VerifiedSignature | undefined> {
  const text = (await read()).toString("utf8");
  const { envelope, json } = kind === "bundle" ? parseBundle(text) : envelopeOf(text);
  const statement = parseStatement(envelope.payload.toString("utf8"));
  if (statement.predicateType !== predicateType) return undefined;
  if (!isAbout(statement, subject)) throw refused("it is of another image");
  const signer = await signerOf({ kind, envelope, json }, trusted);
  const { predicate } = statement;
  const name = nameIn(statement, subject);
  const reference = name === "" ? {} : { reference: name };
  return { format: kind === "bundle" ? "bundle" : "envelope", digest, signer, ...reference, predicateType, predicate };
}

/** What the statement calls the manifest. */
function nameIn({ subjects }: Statement, subject: Digest): string {
  return subjects.find(({ sha256 }) => `sha256:${sha256 ?? ""}` === subject)?.name ?? "";
}

function envelopeOf(text: string): { readonly envelope: Envelope; readonly json: unknown } {
  return { envelope: parseEnvelope(parseJson(text, "DSSE envelope")), json: undefined };
}

async function signerOf(
  { kind, envelope, json }: { readonly kind: Candidate["kind"]; readonly envelope: Envelope; readonly json: unknown },
  trusted: Trusted,
): Promise<VerifiedSignature["signer"]> {
  if (trusted.kind === "keyless") {
    if (kind === "bundle") return keyless(json, trusted);
    throw refused("it is of an older kind, of which only keys are verified");
  }
  const key = trusted.keys.find((each) => isSignedBy(envelope, each));
  if (!key) throw refused("none of the keys made it");
  if (trusted.logs !== undefined) {
    if (kind !== "bundle") throw refused("it is of an older kind, whose log entries are not verified");
    await logged(json, { root: trusted.logs, key: key.key });
  }
  return { key: key.hint };
}

async function logged(bundle: unknown, options: Parameters<typeof requireLogEntry>[1]): Promise<void> {
  const { requireLogEntry: require } = await import("./keyless.ts");
  require(bundle, options);
}

async function keyless(
  bundle: unknown,
  { trustedRoot, rule }: Extract<Trusted, { readonly kind: "keyless" }>,
  artifact?: Buffer,
): Promise<CertificateIdentity> {
  const { readTrustedRoot, verifyKeyless } = await import("./keyless.ts");
  const roots = readTrustedRoot(trustedRoot);
  return verifyKeyless(bundle, { roots, rule, ...(artifact === undefined ? {} : { artifact }) });
}

function refused(why: string): TareError {
  return new TareError("E_SIGNATURE", why);
}
