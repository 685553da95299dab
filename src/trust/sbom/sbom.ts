// SPDX-License-Identifier: Apache-2.0
import { cyclonedxDocument } from "./cyclonedx.ts";
import type { SbomInput } from "./document.ts";
import { spdxDocument } from "./spdx.ts";
import type { SbomFormat } from "./types.ts";

/** `predicateType` of an in-toto statement with the document, by format. */
export const SBOM_PREDICATES: Readonly<Record<SbomFormat, string>> = {
  spdx: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
};

/** A software bill of materials as a JSON value; equal input gives an equal one, members in the same order. */
export function sbomDocument(format: SbomFormat, input: SbomInput): Readonly<Record<string, unknown>> {
  switch (format) {
    case "spdx":
      return spdxDocument(input);
    case "cyclonedx":
      return cyclonedxDocument(input);
  }
}
