// SPDX-License-Identifier: Apache-2.0
/* What the formats share. */
import { createHash } from "node:crypto";
import type { ImageSubject, Inventory } from "./types.ts";

/** What a document is written from. */
export interface SbomInput {
  readonly subject: ImageSubject;
  readonly inventory: Inventory;
  /** `tare-0.1.0`. */
  readonly tool: { readonly name: string; readonly version: string };
}

/** A UUID that stands for content: equal content, equal UUID (RFC 9562, version 8). */
export function contentUuid(...parts: readonly string[]): string {
  const bytes = createHash("sha256").update(parts.join("\0")).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A time without fractions of a second, as SPDX wants it; 1970 for an image that does not say. */
export function documentTime(created: string): string {
  const time = Date.parse(created);
  return `${new Date(Number.isNaN(time) ? 0 : time).toISOString().slice(0, 19)}Z`;
}

/** Members without those that are undefined or empty text. */
export function members(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== ""));
}

/** Identifiers of a document: each once, made of the characters that both formats allow. */
export class Identifiers {
  readonly #taken = new Set<string>();

  next(...words: readonly string[]): string {
    const base = words.join("-").replaceAll(/[^A-Za-z0-9.-]+/g, "-");
    let id = base;
    for (let count = 2; this.#taken.has(id); count += 1) id = `${base}-${count}`;
    this.#taken.add(id);
    return id;
  }
}
