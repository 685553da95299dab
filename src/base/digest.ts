// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { TareError } from "./errors.ts";

/** A content digest as in the OCI image specification (descriptor.md, "Digests"): `sha256:<64 lower-case hex>`. */
export type Digest = string & { readonly __brand: "digest" };

/** The digest of a layer's uncompressed tar (OCI config.md, "Layer DiffID"). */
export type DiffId = Digest & { readonly __diffId: true };

const SHAPE = /^sha256:[0-9a-f]{64}$/;

/** True when `text` is a well-formed sha256 digest. */
export function isDigest(text: string): text is Digest {
  return SHAPE.test(text);
}

/** Parses a digest. Throws `E_DIGEST`. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new TareError(
    "E_DIGEST",
    `parsing digest \`${text.slice(0, 100)}\`: expected sha256 and 64 lower-case hex digits`,
  );
}

/** Parses a diffID. Throws `E_DIGEST`. */
export function parseDiffId(text: string): DiffId {
  return asDiffId(parseDigest(text));
}

/** Marks a digest as one of uncompressed layer bytes. */
export function asDiffId(digest: Digest): DiffId {
  return digest as DiffId;
}

/** The 64 hex digits of a digest, fit for a path. */
export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

/** The digest of bytes or of a text in UTF-8. */
export function digestOf(data: Uint8Array | string): Digest {
  return digestFromHex(createHash("sha256").update(data).digest("hex"));
}

/** A digest from 64 hex digits. Throws `E_DIGEST`. */
export function digestFromHex(hex: string): Digest {
  return parseDigest(`sha256:${hex}`);
}

/** A running sha256; `digest()` ends it. */
export class Hasher {
  readonly #hash: ReturnType<typeof createHash> = createHash("sha256");

  update(data: Uint8Array | string): this {
    this.#hash.update(data);
    return this;
  }

  digest(): Digest {
    return digestFromHex(this.#hash.digest("hex"));
  }

  /** The digest of what came so far and `more`; this hasher goes on without `more`. */
  digestWith(more: Uint8Array): Digest {
    return digestFromHex(this.#hash.copy().update(more).digest("hex"));
  }
}

/** The digest of a value's canonical JSON (keys sorted, undefined dropped); equal values have equal digests. */
export function digestOfValue(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/** JSON with sorted keys and without `undefined` members. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    const entries = Object.entries(member).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
