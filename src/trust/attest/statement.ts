// SPDX-License-Identifier: Apache-2.0
/* in-toto statements (in-toto attestation framework, Statement v1): something said about manifests of images. */
import { TareError, valueText } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { parseJson } from "../../oci/index.ts";

/** Media type of a statement. */
export const IN_TOTO_TYPE = "application/vnd.in-toto+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const OLD_STATEMENT_TYPE = "https://in-toto.io/Statement/v0.1";

/** Predicate types by the short names that users write (cosign's). */
const PREDICATE_TYPES: Readonly<Record<string, string>> = {
  slsaprovenance: "https://slsa.dev/provenance/v1",
  slsaprovenance1: "https://slsa.dev/provenance/v1",
  slsaprovenance02: "https://slsa.dev/provenance/v0.2",
  spdx: "https://spdx.dev/Document",
  spdxjson: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
  openvex: "https://openvex.dev/ns",
  vuln: "https://cosign.sigstore.dev/attestation/vuln/v1",
};

/** A statement, read. */
export interface Statement {
  readonly subjects: readonly { readonly name: string; readonly sha256: string | undefined }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** What is said about one manifest; equal input gives equal bytes. */
export function formatStatement(
  subject: { readonly name: string; readonly digest: Digest },
  { predicateType, predicate }: Pick<Statement, "predicateType" | "predicate">,
): Buffer {
  const digest = { sha256: subject.digest.slice("sha256:".length) };
  return Buffer.from(
    JSON.stringify({ _type: STATEMENT_TYPE, subject: [{ name: subject.name, digest }], predicateType, predicate }),
  );
}

/** Reads a statement from outside. Throws `E_SIGNATURE`, `E_MANIFEST`. */
export function parseStatement(text: string): Statement {
  const value = parseJson(text, "in-toto statement");
  if (!isObject(value)) throw malformed("it is no object");
  const { _type: type, subject, predicateType, predicate } = value;
  if (type !== STATEMENT_TYPE && type !== OLD_STATEMENT_TYPE) throw malformed(`its type is \`${valueText(type)}\``);
  if (typeof predicateType !== "string") throw malformed("it has no predicate type");
  if (!Array.isArray(subject) || subject.length === 0) throw malformed("it has no subject");
  return { subjects: subject.map(subjectOf), predicateType, predicate };
}

function subjectOf(value: unknown): Statement["subjects"][number] {
  if (!isObject(value)) throw malformed("a subject is no object");
  const { name, digest } = value;
  const sha256 = isObject(digest) ? digest["sha256"] : undefined;
  return { name: typeof name === "string" ? name : "", sha256: typeof sha256 === "string" ? sha256 : undefined };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(why: string): TareError {
  return new TareError("E_SIGNATURE", `reading an in-toto statement: ${why}`);
}

/** Whether a statement is about a manifest. */
export function isAbout({ subjects }: Statement, digest: Digest): boolean {
  return subjects.some(({ sha256 }) => sha256 !== undefined && `sha256:${sha256}` === digest);
}

/** The type that a name or URI of the user stands for. Throws `E_USAGE` for a name that nobody knows. */
export function predicateTypeOf(text: string): string {
  const known = PREDICATE_TYPES[text];
  if (known !== undefined) return known;
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  throw new TareError("E_USAGE", `unknown type of attestation \`${text}\``, {
    hint: `known are ${Object.keys(PREDICATE_TYPES).join(", ")}, or a predicate type's URI`,
  });
}
