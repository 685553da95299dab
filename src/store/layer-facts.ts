// SPDX-License-Identifier: Apache-2.0
import { asDiffId, isDigest } from "../base/index.ts";
import type { LayerFacts } from "./types.ts";

/** The text of a `layer.json`. */
export function formatLayerFacts(facts: LayerFacts): string {
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs, blob, isDeferred } = facts;
  const value = { version: 1, diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs, blob, isDeferred };
  return `${JSON.stringify(value)}\n`;
}

/** Parses a `layer.json`; undefined when it is damaged. */
export function parseLayerFacts(text: string): LayerFacts | undefined {
  const value = parseObject(text);
  if (!value || value["version"] !== 1) return undefined;
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = value;
  if (typeof diffId !== "string" || !isDigest(diffId)) return undefined;
  if (!isCount(size) || !isCount(contentSize) || !isCount(entries) || !isCount(whiteouts)) return undefined;
  if (!isTexts(opaque) || typeof hasXattrs !== "boolean") return undefined;
  const facts = { diffId: asDiffId(diffId), size, contentSize, entries, opaque, whiteouts, hasXattrs };
  if (value["isDeferred"] === true) return { ...facts, isDeferred: true };
  if (value["blob"] === undefined) return facts;
  const blob = parseBlob(value["blob"]);
  return blob && { ...facts, blob };
}

function parseBlob(value: unknown): LayerFacts["blob"] {
  if (!isObject(value)) return undefined;
  const { digest, size, mediaType } = value;
  if (typeof digest !== "string" || !isDigest(digest) || !isCount(size) || typeof mediaType !== "string")
    return undefined;
  return { digest, size, mediaType };
}

/** The object in a JSON text; undefined when it is anything else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((member) => typeof member === "string");
}
