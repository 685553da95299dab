// SPDX-License-Identifier: Apache-2.0
/** The face of trust: what is in an image, and who signed it. */
import type { MadeSignature, SbomFormat, SignatureFormat, VerifiedSignature } from "../trust/index.ts";
import type { LongCall } from "./facade.ts";

/** `sbom`. */
export interface SbomRequest extends LongCall {
  /** An image in the store. */
  readonly image: string;
  readonly platform?: string;
  readonly format: SbomFormat;
  /** Of the product, as documents name it. */
  readonly version: string;
}

/** A document that was attached to a manifest at a registry. */
export interface AttachedDocument {
  readonly predicateType: string;
  /** Of the artifact that holds it. */
  readonly digest: string;
  /** Of the manifest that it is about. */
  readonly subject: string;
}

/** How a key's passphrase is had; asked only for a key that is encrypted. */
type AskPassphrase = () => Promise<string>;

/** `sign`. */
export interface SignRequest extends LongCall {
  /** `registry/name[:tag|@digest]`; it must be at the registry. */
  readonly image: string;
  /** Absent: `keyless` signs. */
  readonly key?: {
    /** PEM, also in cosign's encrypted format. */
    readonly text: string;
    readonly passphrase: AskPassphrase;
  };
  /** By a certificate for what an OpenID token says; the identity becomes public in the log. */
  readonly keyless?: {
    /** Absent: SIGSTORE_ID_TOKEN, or that of the GitHub Actions job. */
    readonly token?: string;
    readonly fulcioUrl: string;
    readonly rekorUrl: string;
  };
  /** Without a key always a bundle. */
  readonly formats: readonly SignatureFormat[];
  /** Also the manifests of an index's platforms. */
  readonly recursive: boolean;
  /** Of the product, as signatures name their maker. */
  readonly version: string;
}

/** A signature that is at the registry. */
export interface SignedManifest extends MadeSignature {
  /** Of the manifest or index that is signed. */
  readonly subject: string;
}

/** `verify`. */
export interface VerifyRequest extends LongCall {
  readonly image: string;
  /** Public keys as PEM, one of which must have signed. */
  readonly keys: readonly string[];
  /** Instead of keys: whose certificate, with sigstore's roots (the text of a `trusted_root.json`). */
  readonly keyless?: {
    readonly identity: string;
    readonly issuer: string;
    /** Both are expressions that must match the whole text. */
    readonly areExpressions?: { readonly identity: boolean; readonly issuer: boolean };
    readonly trustedRoot: string;
  };
  /** `slsaprovenance`, `spdx`, a predicate type's URI: an attestation instead of a signature. */
  readonly type?: string;
}

/** What a verification found. */
export interface VerifyResult {
  /** Of the manifest or index at the registry that the signatures are of. */
  readonly digest: string;
  readonly signatures: readonly VerifiedSignature[];
}

/** Documents about images, and signatures. */
export interface TrustApi {
  /** A software bill of materials as a JSON value; equal images give equal ones. Throws `E_IMAGE_NOTFOUND`. */
  sbom(request: SbomRequest): Promise<Readonly<Record<string, unknown>>>;
  /** Signs what a name stands for at its registry; a key signs nothing twice. Throws `E_KEY`, `E_REGISTRY*`. */
  sign(request: SignRequest): Promise<readonly SignedManifest[]>;
  /** Throws `E_UNSIGNED` without a signature, `E_SIGNATURE` when none is good, `E_KEY`, `E_USAGE`, `E_REGISTRY*`. */
  verify(request: VerifyRequest): Promise<VerifyResult>;
  /** A new ECDSA P-256 key: the private one in cosign's format under the passphrase, the public one as PEM. */
  generateKey(passphrase: string): Promise<{ readonly privateKey: string; readonly publicKey: string }>;
}
