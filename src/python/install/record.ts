// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

/** One line of a RECORD (binary distribution format, "The .dist-info directory"). */
export interface RecordRow {
  readonly path: string;
  /** `sha256=…` in URL-safe base64 without padding, or empty. */
  readonly hash: string;
  /** Bytes as decimal digits, or empty. */
  readonly size: string;
}

/** Parses RECORD's CSV (RFC 4180 with `\n` or `\r\n`). Undefined when a line has not three fields. */
export function parseRecord(text: string): readonly RecordRow[] | undefined {
  const rows: RecordRow[] = [];
  for (const fields of csvRows(text)) {
    const [path, hash, size] = fields;
    if (fields.length !== 3 || path === undefined || hash === undefined || size === undefined) return undefined;
    rows.push({ path, hash, size });
  }
  return rows;
}

function* csvRows(text: string): Generator<string[]> {
  let at = 0;
  while (at < text.length) {
    const fields: string[] = [];
    for (;;) {
      const { value, next } = csvField(text, at);
      fields.push(value);
      at = next;
      if (text[at] !== ",") break;
      at += 1;
    }
    while (text[at] === "\r" || text[at] === "\n") at += 1;
    if (fields.length > 1 || fields[0] !== "") yield fields;
  }
}

function csvField(text: string, start: number): { readonly value: string; readonly next: number } {
  if (text[start] !== '"') {
    let at = start;
    while (at < text.length && !",\r\n".includes(text[at] ?? "")) at += 1;
    return { value: text.slice(start, at), next: at };
  }
  let value = "";
  let at = start + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return { value: value + text.slice(at), next: text.length };
    value += text.slice(at, end);
    if (text[end + 1] !== '"') return { value, next: end + 1 };
    value += '"';
    at = end + 2;
  }
}

/** RECORD as pip writes it: sorted, quoted only where CSV needs it. */
export function formatRecord(rows: readonly RecordRow[]): string {
  const key = ({ path, hash, size }: RecordRow): string => `${path}\0${hash}\0${size}`;
  const sorted = rows
    .map((row) => ({ row, key: key(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return sorted.map(({ row }) => `${quoted(row.path)},${row.hash},${row.size}\n`).join("");
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The hash field for bytes. */
export function recordHash(bytes: Uint8Array): string {
  return `sha256=${createHash("sha256").update(bytes).digest("base64url")}`;
}
