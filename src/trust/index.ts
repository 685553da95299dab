// SPDX-License-Identifier: Apache-2.0
export { takeInventory } from "./sbom/inventory.ts";
export { SBOM_PREDICATES, sbomDocument } from "./sbom/sbom.ts";
export type { SbomInput } from "./sbom/document.ts";
export type {
  BundledLibrary,
  DebianPackage,
  ImageSubject,
  Inventory,
  Licence,
  OperatingSystem,
  PythonDistribution,
  SbomFormat,
} from "./sbom/types.ts";
export { attach, statementAttachment } from "./attest/attach.ts";
export type { Attachment, Subject } from "./attest/attach.ts";
export { PROVENANCE_TYPE, provenanceOf } from "./attest/provenance.ts";
export type { BuildFacts, ProvenanceMode, ProvenanceOptions } from "./attest/provenance.ts";
export { formatStatement, predicateTypeOf } from "./attest/statement.ts";
export { generateKey, readSigningKey, readVerifyingKey } from "./sign/keys.ts";
export type { AskPassphrase, SigningKey, VerifyingKey } from "./sign/keys.ts";
export { wholeExpression } from "./sign/identity.ts";
export type { CertificateIdentity, IdentityRule } from "./sign/identity.ts";
export { signManifest, signManifestWithoutKey, signedAttachment } from "./sign/sign-image.ts";
export type { MadeSignature, SignOptions, SignatureFormat } from "./sign/sign-image.ts";
export { checkSignatures, requireSignatures } from "./sign/verify-image.ts";
export type { SignatureReport, Trusted, VerifiedSignature, VerifyOptions } from "./sign/verify-image.ts";
export { isAcceptedUnseen, requireAdmission } from "./policy/admit.ts";
export type { Incoming } from "./policy/admit.ts";
export { parsePolicy } from "./policy/parse.ts";
export type { Policy } from "./policy/types.ts";
export { findIdentityToken } from "./sign/identity-token.ts";
