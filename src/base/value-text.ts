// SPDX-License-Identifier: Apache-2.0

/**
 * A value of a JSON document as text: a string or number as it is, anything else as JSON. `String` would call a
 * `toString` that the document brought along.
 */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value) ?? "undefined";
}
