// SPDX-License-Identifier: Apache-2.0
/* containers-policy.json(5): which images of registries are let in. */

/** What the name in a signature must be, compared with the name that is asked for. */
export type SignedIdentity =
  | { readonly type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { readonly type: "exactReference"; readonly dockerReference: string }
  | { readonly type: "exactRepository"; readonly dockerRepository: string }
  | { readonly type: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

/** A file of the host, or its content in the policy. */
export type Material = { readonly path: string } | { readonly data: Buffer };

/** A signature of sigstore's formats. */
export interface SigstoreSigned {
  readonly type: "sigstoreSigned";
  /** One of them must have signed. */
  readonly keys: readonly Material[];
  /** Instead of keys: a person by a certificate. */
  readonly fulcio?: { readonly authority: Material; readonly issuer: string; readonly email: string };
  /** Keys of transparency logs, one of which must know the signature. */
  readonly logs: readonly Material[];
  readonly identity: SignedIdentity;
}

/** One requirement; all of a list must hold. */
export type Requirement =
  | { readonly type: "insecureAcceptAnything" }
  | { readonly type: "reject" }
  /** GPG: read, and refused where it applies. */
  | { readonly type: "signedBy" }
  | SigstoreSigned;

/** A policy, read. */
export interface Policy {
  /** Where it stands. */
  readonly path: string;
  readonly default: readonly Requirement[];
  /** Of the transport `docker`, by scope: `registry/namespace/image:tag` … `registry`, `*.domain`, and empty for all. */
  readonly scopes: ReadonlyMap<string, readonly Requirement[]>;
}
