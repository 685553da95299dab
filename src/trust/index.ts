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
export { formatStatement } from "./attest/statement.ts";
