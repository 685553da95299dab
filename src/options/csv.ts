// SPDX-License-Identifier: Apache-2.0
// One record of comma-separated values by the rules of Go's encoding/csv, which Docker reads `--mount`, `--gpus`,
// `--secret` and others with: a field is quoted as a whole or not at all, "" inside quotes is a quote.
import { cut, usage } from "./usage.ts";

/** One `key=value` field; `value` is undefined when there was no `=`. */
export interface CsvField {
  readonly text: string;
  readonly key: string;
  readonly value: string | undefined;
}

/** The fields of the first record of `text`. Throws `E_USAGE` with Go's message for a stray quote. */
export function parseCsvRecord(text: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  while (text[at] === "\n" || (text[at] === "\r" && text[at + 1] === "\n")) at++;
  if (at >= text.length) throw usage("reading comma-separated values: the value is empty");
  for (;;) {
    const { value, end } = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    fields.push(value);
    if (text[end] !== ",") return fields;
    at = end + 1;
  }
}

/** `parseCsvRecord`, each field cut at its first `=`. */
export function parseCsvFields(text: string): readonly CsvField[] {
  return parseCsvRecord(text).map((field) => ({ text: field, ...cut(field, "=") }));
}

interface Field {
  readonly value: string;
  readonly end: number;
}

function plainField(text: string, start: number): Field {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n") {
    if (text[end] === '"') throw parseError(text, end, 'bare " in non-quoted-field');
    end++;
  }
  const value = text.slice(start, end);
  return { value: text[end] === "," ? value : value.replace(/\r$/, ""), end };
}

function quotedField(text: string, start: number): Field {
  const parts: string[] = [];
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw parseError(text, text.length, 'extraneous or missing " in quoted-field');
    parts.push(text.slice(from, quote));
    if (text[quote + 1] !== '"') return { value: parts.join(""), end: endOfQuoted(text, quote) };
    parts.push('"');
    from = quote + 2;
  }
}

function endOfQuoted(text: string, quote: number): number {
  const after = text[quote + 1] === "\r" && text[quote + 2] === "\n" ? quote + 2 : quote + 1;
  const char = text[after];
  if (char === undefined || char === "," || char === "\n") return after;
  throw parseError(text, quote, 'extraneous or missing " in quoted-field');
}

function parseError(text: string, at: number, why: string): Error {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1)) + 1;
  return usage(`parse error on line ${line}, column ${column}: ${why}`, 'quote a field as a whole: "key=a,b"');
}
