// SPDX-License-Identifier: Apache-2.0
// Reading untrusted JSON documents. JSON.parse keeps the last of two equal keys, so two readers of one document may
// disagree about it; a light scan of the (already valid) text refuses duplicates, and bounds nesting.
import { TareError, messageOf } from "../base/index.ts";

/** The largest manifest, index or config text that is read: 4 MiB, as registries limit it. */
export const DOCUMENT_LIMIT: number = 4 * 1024 * 1024;

const DEPTH_LIMIT = 64;

/** An `E_MANIFEST` error of the uniform text "reading <what>: <path>: <why>". */
export function documentError(what: string, path: string, why: string, hint?: string): TareError {
  const where = path === "" ? "" : `${path}: `;
  return new TareError("E_MANIFEST", `reading ${what}: ${where}${why}`, hint === undefined ? {} : { hint });
}

/**
 * Parses a JSON document from outside. Throws `E_MANIFEST` when it exceeds `DOCUMENT_LIMIT`, is not JSON, nests more
 * than 64 levels deep or holds a key twice in one object. `what` names the document in the error.
 */
export function parseJson(text: string, what: string): unknown {
  if (text.length > DOCUMENT_LIMIT || Buffer.byteLength(text) > DOCUMENT_LIMIT) {
    throw documentError(what, "", `larger than ${DOCUMENT_LIMIT} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw documentError(what, "", `not JSON: ${messageOf(error).slice(0, 200)}`);
  }
  checkStructure(text, what);
  return value;
}

function checkStructure(text: string, what: string): void {
  const stack: (Set<string> | undefined)[] = [];
  let expectKey = false;
  const marks = /["{}[\],]/g;
  for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
    const mark = match[0];
    if (mark === '"') {
      marks.lastIndex = stringEnd(text, match.index);
      if (expectKey) addKey(stack.at(-1), text.slice(match.index, marks.lastIndex), what);
      expectKey = false;
    } else if (mark === "{" || mark === "[") {
      if (stack.push(mark === "{" ? new Set() : undefined) > DEPTH_LIMIT) {
        throw documentError(what, "", `nested more than ${DEPTH_LIMIT} levels deep`);
      }
      expectKey = mark === "{";
    } else if (mark === ",") {
      expectKey = stack.at(-1) !== undefined;
    } else {
      stack.pop();
      expectKey = false;
    }
  }
}

function stringEnd(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end + 1;
}

function addKey(keys: Set<string> | undefined, quoted: string, what: string): void {
  if (keys === undefined) return;
  const key: unknown = JSON.parse(quoted);
  if (typeof key !== "string") return;
  if (keys.has(key)) throw documentError(what, "", `the key \`${key.slice(0, 100)}\` stands twice in one object`);
  keys.add(key);
}
