// SPDX-License-Identifier: Apache-2.0
export { takeInventory } from "./sbom/inventory.ts";
export { sbomDocument } from "./sbom/sbom.ts";
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
