// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** The bytes of a Dockerfile or ignore file as text. Throws `E_DF_ENCODING` for UTF-16; other bytes that are not UTF-8 are replaced. */
export function decodeText(bytes: Uint8Array, fileName: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new TareError("E_DF_ENCODING", `reading \`${fileName}\`: the file is UTF-16`, { hint: "save it as UTF-8" });
  }
  return new TextDecoder("utf-8").decode(bytes);
}
