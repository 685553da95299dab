// SPDX-License-Identifier: Apache-2.0
/* Keys as PEM: ECDSA, Ed25519, RSA. How a kind of key signs is cosign's choice: RSA by PKCS #1 v1.5, all with SHA-256. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { TareError } from "../../base/index.ts";
import { isCosignKey, openKey, sealKey } from "./cosign-key.ts";

/** Signs bytes. */
export interface SigningKey {
  readonly sign: (bytes: Uint8Array) => Buffer;
  /** The other half. */
  readonly verifier: VerifyingKey;
}

/** Verifies signatures of one key. */
export interface VerifyingKey {
  /** Base64 of the SHA-256 of its DER: how a bundle names it. */
  readonly hint: string;
  readonly key: KeyObject;
  readonly verify: (bytes: Uint8Array, signature: Uint8Array) => boolean;
}

/** What a key's passphrase is; asked only for a key that is encrypted. */
export type AskPassphrase = () => Promise<string>;

const KINDS = "ECDSA (P-256, P-384, P-521), Ed25519 or RSA of 2048 bits and more";

/** A new ECDSA P-256 key as PEM: the private one in cosign's format, encrypted. */
export function generateKey(passphrase: string): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey: sealKey(privateKey.export({ type: "pkcs8", format: "der" }), passphrase),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** Reads a private key. Throws `E_KEY`. */
export async function readSigningKey(pem: string, ask: AskPassphrase): Promise<SigningKey> {
  const key = isCosignKey(pem)
    ? createPrivateKey({ key: openKey(pem, await ask()), format: "der", type: "pkcs8" })
    : await plainKey(pem, ask);
  requireKind(key, "signing");
  const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return { sign: (bytes) => sign(digest, bytes, key), verifier: verifierOf(createPublicKey(key)) };
}

async function plainKey(pem: string, ask: AskPassphrase): Promise<KeyObject> {
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  const passphrase = isEncrypted ? { passphrase: await ask() } : {};
  try {
    return createPrivateKey({ key: pem, ...passphrase });
  } catch (error) {
    const why = isEncrypted ? "the passphrase is wrong, or it is no private key" : "it is no private key";
    throw new TareError("E_KEY", `reading the signing key: ${why}`, {
      hint: "`tare key generate` makes one; PEM and cosign's format are read",
      cause: error,
    });
  }
}

/** Reads a public key. Throws `E_KEY`. */
export function readVerifyingKey(pem: string): VerifyingKey {
  if (/PRIVATE KEY-----/.test(pem)) {
    throw new TareError("E_KEY", "reading the public key: it is a private key", {
      hint: "give the public half: `cosign.pub`, not `cosign.key`",
    });
  }
  return verifierOf(publicKeyOf(pem));
}

function publicKeyOf(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new TareError("E_KEY", "reading the public key: it is none in PEM", { cause: error });
  }
}

function verifierOf(key: KeyObject): VerifyingKey {
  requireKind(key, "public");
  const der = key.export({ type: "spki", format: "der" });
  return {
    hint: createHash("sha256").update(der).digest("base64"),
    key,
    verify: (bytes, signature) => digestsOf(key).some((digest) => isGood(key, digest, { bytes, signature })),
  };
}

function isGood(
  key: KeyObject,
  digest: string | null,
  { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: Uint8Array },
): boolean {
  try {
    return verify(digest, bytes, key, signature);
  } catch {
    // A signature that is none, by its form.
    return false;
  }
}

/** Newer signers use the hash of the curve's size. */
function digestsOf(key: KeyObject): readonly (string | null)[] {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ed25519") return [null];
  if (namedCurve === "secp384r1") return ["sha256", "sha384"];
  return namedCurve === "secp521r1" ? ["sha256", "sha512"] : ["sha256"];
}

function requireKind(key: KeyObject, which: string): void {
  const { namedCurve = "", modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const kind = key.asymmetricKeyType;
  if (kind === "ed25519" || (kind === "rsa" && modulusLength >= 2048)) return;
  if (kind === "ec" && /^(?:prime256v1|secp384r1|secp521r1)$/.test(namedCurve)) return;
  const shown = [kind, namedCurve, modulusLength === 0 ? "" : `${modulusLength} bits`].filter(Boolean).join(" ");
  throw new TareError("E_KEY", `reading the ${which} key: \`${shown}\` is not supported`, { hint: `use ${KINDS}` });
}
