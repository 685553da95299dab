// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";

/** The fields of one comma-separated line; a field may be quoted with `"` (doubled inside). Throws `E_DF_MOUNT`. */
export function csvFields(text: string): readonly string[] {
  const fields: string[] = [];
  let position = 0;
  for (;;) {
    const field = text[position] === '"' ? quotedField(text, position) : bareField(text, position);
    fields.push(field.value);
    if (field.end >= text.length) return fields;
    position = field.end + 1;
  }
}

function bareField(text: string, start: number): { readonly value: string; readonly end: number } {
  const comma = text.indexOf(",", start);
  const end = comma < 0 ? text.length : comma;
  const value = text.slice(start, end);
  if (value.includes('"')) throw problem("E_DF_MOUNT", `a quote stands inside the unquoted field \`${value}\``);
  return { value, end };
}

function quotedField(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = "";
  let position = start + 1;
  for (;;) {
    const quote = text.indexOf('"', position);
    if (quote < 0) throw problem("E_DF_MOUNT", "a quoted field is not closed");
    value += text.slice(position, quote);
    const following = text[quote + 1];
    if (following === undefined || following === ",") return { value, end: quote + 1 };
    if (following !== '"') throw problem("E_DF_MOUNT", "text follows the closing quote of a field");
    value += '"';
    position = quote + 2;
  }
}
