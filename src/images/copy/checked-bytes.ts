// SPDX-License-Identifier: Apache-2.0
import { Hasher, TareError } from "../../base/index.ts";
import type { Descriptor } from "../../oci/index.ts";

/**
 * The same bytes; the last of them comes only when size and digest are right, so that who takes them never has a whole
 * blob that is wrong. Throws `E_DIGEST_MISMATCH`.
 */
export async function* checkedBytes(
  bytes: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  from: string,
): AsyncGenerator<Uint8Array> {
  const hasher = new Hasher();
  let seen = 0;
  const check = (): void => {
    const actual = hasher.digest();
    if (actual === digest) return;
    throw new TareError(
      "E_DIGEST_MISMATCH",
      `copying \`${digest}\` from ${from}: its bytes have the digest \`${actual}\``,
      {
        hint: "the place it comes from, or something on the way, changes content",
        details: { expected: digest, actual },
      },
    );
  };
  const isShort = (): boolean => seen < size;
  for await (const chunk of bytes) {
    seen += chunk.length;
    if (seen > size) throw wrongSize({ digest, size }, `more than ${size} bytes came`, from);
    hasher.update(chunk);
    if (!isShort()) check();
    yield chunk;
  }
  if (isShort()) throw wrongSize({ digest, size }, `${seen} bytes came, ${size} were announced`, from);
  if (size === 0) check();
}

function wrongSize({ digest, size }: Pick<Descriptor, "digest" | "size">, why: string, from: string): TareError {
  return new TareError("E_DIGEST_MISMATCH", `copying \`${digest}\` from ${from}: ${why}`, {
    details: { digest, size },
  });
}
