// SPDX-License-Identifier: Apache-2.0
// Names of CDI: `vendor/class=device`, ASCII only.
const KIND_PART = /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const DEVICE = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

/** Vendor and class of a kind `vendor/class`; both empty where there is no slash between them. */
export function splitKind(kind: string): { readonly vendor: string; readonly class: string } {
  const at = kind.indexOf("/");
  if (at <= 0 || at === kind.length - 1) return { vendor: "", class: "" };
  return { vendor: kind.slice(0, at), class: kind.slice(at + 1) };
}

/** What a kind is wrong with, or undefined. */
export function kindFault(kind: string): string | undefined {
  const { vendor, class: name } = splitKind(kind);
  if (vendor === "") return "wanted `vendor/class`";
  if (!KIND_PART.test(vendor)) return `the vendor \`${vendor}\` ${KIND_RULE}`;
  return KIND_PART.test(name) ? undefined : `the class \`${name}\` ${KIND_RULE}`;
}

const KIND_RULE = "must start with a letter, end with a letter or digit, and have only these, `_`, `-` and `.` between";

/** What a device's name (without its kind) is wrong with, or undefined. */
export function deviceNameFault(name: string): string | undefined {
  if (DEVICE.test(name)) return undefined;
  return "must start and end with a letter or digit, and have only these, `_`, `-`, `.` and `:` between";
}

/** The name that users write. */
export function qualifiedName(kind: string, device: string): string {
  return `${kind}=${device}`;
}
