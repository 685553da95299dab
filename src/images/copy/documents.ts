// SPDX-License-Identifier: Apache-2.0
import { TareError, digestOf } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { isIndex, parseIndex, parseManifest } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { CopyDocument } from "./types.ts";

/** What a manifest or index refers to. Throws `E_MANIFEST`. */
export function subjectOf({ bytes, mediaType }: Omit<CopyDocument, "digest">): Digest | undefined {
  const text = bytes.toString("utf8");
  const { subject } = isIndex(mediaType) ? parseIndex(text) : parseManifest(text, { allowNoLayers: true });
  return subject?.digest;
}

/** Bytes as the document that was announced. Throws `E_DIGEST_MISMATCH`. */
export function checkedDocument(bytes: Buffer, { digest, mediaType }: Descriptor, from: string): CopyDocument {
  const actual = digestOf(bytes);
  if (actual === digest) return { bytes, digest, mediaType };
  throw new TareError(
    "E_DIGEST_MISMATCH",
    `copying \`${digest}\` from ${from}: its bytes have the digest \`${actual}\``,
    {
      details: { expected: digest, actual },
    },
  );
}
