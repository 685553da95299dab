// SPDX-License-Identifier: Apache-2.0
/* cosign's private keys: PEM around JSON, scrypt and secretbox around PKCS #8 (securesystemslib's `encrypted`). */
import { randomBytes, scryptSync } from "node:crypto";
import { TareError, valueText } from "../../base/index.ts";
import { parseJson } from "../../oci/index.ts";
import { openBox, sealBox } from "./secretbox.ts";

const LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY";
const LABELS = [LABEL, "ENCRYPTED COSIGN PRIVATE KEY"];
/** As cosign writes them; OWASP's for an interactive login. */
const COST = { N: 1 << 16, r: 8, p: 1 };
/** A key from outside must not take all memory: four times cosign's. */
const LARGEST = { N: 1 << 20, r: 16, p: 16 };

/** True for a key in cosign's format. */
export function isCosignKey(pem: string): boolean {
  return LABELS.some((label) => pem.includes(`-----BEGIN ${label}-----`));
}

/** PKCS #8 bytes in cosign's format. An empty passphrase is one. */
export function sealKey(pkcs8: Buffer, passphrase: string): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const key = derive(passphrase, salt, COST);
  const document = {
    kdf: { name: "scrypt", params: COST, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: sealBox(pkcs8, nonce, key).toString("base64"),
  };
  const lines =
    Buffer.from(JSON.stringify(document))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join("\n")}\n-----END ${LABEL}-----\n`;
}

/** The PKCS #8 bytes of a key in cosign's format. Throws `E_KEY` for a malformed key and a wrong passphrase. */
export function openKey(pem: string, passphrase: string): Buffer {
  const body = /-----BEGIN [A-Z ]+-----([^-]+)-----END/.exec(pem)?.[1] ?? "";
  const { kdf, cipher, ciphertext } = readBox(Buffer.from(body, "base64").toString("utf8"));
  const key = derive(passphrase, kdf.salt, kdf.cost);
  const opened = openBox(ciphertext, cipher.nonce, key);
  if (opened) return opened;
  throw new TareError("E_KEY", "opening the signing key: the passphrase is wrong", {
    hint: "give it in COSIGN_PASSWORD, or at the prompt",
  });
}

interface Box {
  readonly kdf: { readonly salt: Buffer; readonly cost: typeof COST };
  readonly cipher: { readonly nonce: Buffer };
  readonly ciphertext: Buffer;
}

function readBox(text: string): Box {
  let value: unknown;
  try {
    value = parseJson(text, "signing key");
  } catch (error) {
    throw malformed("it is no JSON", error);
  }
  const at = (...path: readonly string[]): unknown =>
    path.reduce<unknown>((each, name) => (isObject(each) ? each[name] : undefined), value);
  const bytes = (...path: readonly string[]): Buffer => Buffer.from(valueText(at(...path) ?? ""), "base64");
  if (at("kdf", "name") !== "scrypt" || at("cipher", "name") !== "nacl/secretbox") {
    throw malformed(`it is sealed by \`${valueText(at("kdf", "name"))}\` and \`${valueText(at("cipher", "name"))}\``);
  }
  const nonce = bytes("cipher", "nonce");
  if (nonce.length !== 24) throw malformed("its nonce has not 24 bytes");
  const cost = { N: costOf(at, "N"), r: costOf(at, "r"), p: costOf(at, "p") };
  return { kdf: { salt: bytes("kdf", "salt"), cost }, cipher: { nonce }, ciphertext: bytes("ciphertext") };
}

function costOf(at: (...path: readonly string[]) => unknown, name: keyof typeof COST): number {
  const value = at("kdf", "params", name);
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= LARGEST[name]) return value;
  throw malformed(`its cost \`${name}\` is \`${valueText(value)}\``);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function malformed(why: string, cause?: unknown): TareError {
  return new TareError("E_KEY", `reading the signing key: ${why}`, cause === undefined ? {} : { cause });
}

function derive(passphrase: string, salt: Buffer, { N, r, p }: typeof COST): Buffer {
  try {
    return scryptSync(passphrase, salt, 32, { N, r, p, maxmem: 256 * N * r });
  } catch (error) {
    throw malformed("its costs do not go together", error);
  }
}
