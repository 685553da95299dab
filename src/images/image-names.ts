// SPDX-License-Identifier: Apache-2.0
import {
  familiarReference,
  formatReference,
  normalizeReference,
  parseCanonicalName,
  withDefaultTag,
} from "../oci/index.ts";

/** Annotation of containerd and Docker ≥ 25: an image's full name with tag. */
const NAME_ANNOTATION = "io.containerd.image.name";
/** Annotation of the OCI image specification: a name within the layout, by custom the tag alone. */
export const REF_ANNOTATION = "org.opencontainers.image.ref.name";

/** The full name with tag of a name in an archive. Throws `E_REF`. */
export function fullName(text: string): string {
  return formatReference(withDefaultTag(normalizeReference(text)));
}

/** The names that a descriptor of an index.json carries: a bare tag is no name. Throws `E_REF`. */
export function annotatedNames(annotations: Readonly<Record<string, string>> | undefined): readonly string[] {
  const name = annotations?.[NAME_ANNOTATION];
  if (name !== undefined) return [fullName(name)];
  const reference = annotations?.[REF_ANNOTATION];
  return reference !== undefined && /[/:]/.test(reference) ? [fullName(reference)] : [];
}

/** The annotations that carry a full name. */
export function nameAnnotations(name: string): Readonly<Record<string, string>> {
  const tag = parseCanonicalName(name).tag ?? "latest";
  return { [NAME_ANNOTATION]: name, [REF_ANNOTATION]: tag };
}

/** A full name as Docker shows it. */
export function shortName(name: string): string {
  return familiarReference(normalizeReference(name));
}
