// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";

/** Blobs and manifests that a registry says it has, and then did not find: they are sent whatever it says. */
export type Doubts = (digest: Digest) => boolean;

const BLOB_UNKNOWN: ReadonlySet<string> = new Set(["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"]);

/** What the registry lacks of a manifest that it refuses: the blobs that it names, or any when it names none. */
export function doubtsOf(error: unknown): Doubts | undefined {
  if (!isTareError(error, "E_REGISTRY") && !isTareError(error, "E_REGISTRY_NOTFOUND")) return undefined;
  const { errors, digests } = error.details;
  if (!Array.isArray(errors) || !errors.some((code) => BLOB_UNKNOWN.has(String(code)))) return undefined;
  const named = new Set(Array.isArray(digests) ? digests.map(String) : []);
  return (digest) => named.size === 0 || named.has(digest);
}
