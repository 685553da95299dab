// SPDX-License-Identifier: Apache-2.0
/* Whose certificate is believed: an identity and the issuer that vouches for it, never one without the other. */
import { TareError } from "../../base/index.ts";

/** What a certificate must say; texts are compared whole. */
export interface IdentityRule {
  /** Mail address or URI; as an expression it must match the whole. */
  readonly identity: string | RegExp;
  /** URL of the OpenID provider. */
  readonly issuer: string | RegExp;
}

/** What a certificate says. */
export interface CertificateIdentity {
  readonly identity: string;
  readonly issuer: string;
}

/** Reads an expression of the user; it must match from the first to the last character. Throws `E_USAGE`. */
export function wholeExpression(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`, "u");
  } catch (error) {
    throw new TareError("E_USAGE", `the expression \`${text}\` is malformed`, { cause: error });
  }
}

/** Throws `E_SIGNATURE` when a certificate is somebody else's. */
export function requireIdentity(rule: IdentityRule, found: CertificateIdentity): void {
  if (!matches(rule.identity, found.identity)) {
    throw new TareError("E_SIGNATURE", `it is signed by \`${found.identity}\`, not by \`${shown(rule.identity)}\``);
  }
  if (!matches(rule.issuer, found.issuer)) {
    const why = `the signer's identity is vouched for by \`${found.issuer}\`, not by \`${shown(rule.issuer)}\``;
    throw new TareError("E_SIGNATURE", why);
  }
}

function matches(rule: string | RegExp, text: string): boolean {
  return typeof rule === "string" ? rule === text : rule.test(text);
}

function shown(rule: string | RegExp): string {
  return typeof rule === "string" ? rule : rule.source;
}
