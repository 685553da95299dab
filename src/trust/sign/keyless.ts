// SPDX-License-Identifier: Apache-2.0
/*
 * Bundles that are signed with a certificate for some minutes: sigstore's library checks the chain to the trusted root,
 * the certificate's own log entry, the log's promise or proof of inclusion, and that the log's time lies within the
 * certificate's. Whose certificate it is, is checked here. Nothing is fetched.
 */
import type { KeyObject } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";
import type { TrustMaterial } from "@sigstore/verify";
import { TareError, messageOf } from "../../base/index.ts";
import { parseJson } from "../../oci/index.ts";
import { requireIdentity } from "./identity.ts";
import type { CertificateIdentity, IdentityRule } from "./identity.ts";

/** Certificate authorities and logs that are believed. */
export type Roots = TrustMaterial;

/** Reads a `trusted_root.json` (protobuf-specs, sigstore_trustroot.proto). Throws `E_KEY`. */
export function readTrustedRoot(text: string): Roots {
  try {
    const value = parseJson(text, "trusted root");
    const material = toTrustMaterial(TrustedRoot.fromJSON(value));
    if (material.certificateAuthorities.length > 0 && material.tlogs.length > 0) return material;
  } catch (error) {
    throw new TareError("E_KEY", `reading the trusted root: ${messageOf(error)}`, { cause: error });
  }
  throw new TareError("E_KEY", "reading the trusted root: it has no certificate authority or no log", {
    hint: "give sigstore's `trusted_root.json`, or that of your own instance",
  });
}

/** Verifies that a log of the root knows a signature by a key. Throws `E_SIGNATURE`. */
export function requireLogEntry(
  bundle: unknown,
  { root, key, artifact }: { readonly root: string; readonly key: KeyObject; readonly artifact?: Buffer },
): void {
  const finder = (): { publicKey: KeyObject; validFor: () => boolean } => ({ publicKey: key, validFor: () => true });
  const material = toTrustMaterial(TrustedRoot.fromJSON(parseJson(root, "trusted root")), finder);
  try {
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 1 };
    new Verifier(material, thresholds).verify(toSignedEntity(bundleFromJSON(bundle), artifact));
  } catch (error) {
    throw new TareError("E_SIGNATURE", `no log of the policy vouches for it: ${messageOf(error)}`, { cause: error });
  }
}

/** What a bundle is verified by. */
export interface KeylessOptions {
  readonly roots: Roots;
  readonly rule: IdentityRule;
  /** What was signed, when the bundle does not hold it. */
  readonly artifact?: Buffer;
}

/**
 * Verifies a bundle. Throws `E_SIGNATURE` saying which check failed.
 */
export function verifyKeyless(bundle: unknown, { rule, ...options }: KeylessOptions): CertificateIdentity {
  const found = verified(bundle, options);
  requireIdentity(rule, found);
  return found;
}

function verified(bundle: unknown, { roots, artifact }: Omit<KeylessOptions, "rule">): CertificateIdentity {
  try {
    const entity = toSignedEntity(bundleFromJSON(bundle), artifact);
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };
    const { identity } = new Verifier(roots, thresholds).verify(entity);
    const subject = identity?.subjectAlternativeName;
    const issuer = identity?.extensions?.issuer;
    if (subject !== undefined && issuer !== undefined) return { identity: subject, issuer };
  } catch (error) {
    throw new TareError("E_SIGNATURE", `sigstore refuses it: ${messageOf(error)}`, { cause: error });
  }
  throw new TareError("E_SIGNATURE", "its certificate names no identity or no issuer");
}
