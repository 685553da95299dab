// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { ErrorCode } from "../../base/index.ts";

/** The codes of this folder. */
export type ZipCode = Extract<ErrorCode, `E_ZIP${string}` | "E_BOMB">;

const HINTS: Readonly<Record<ZipCode, string>> = {
  E_ZIP: "the file is damaged or not complete: fetch or write it again",
  E_ZIP_AMBIGUOUS: "such an archive can show one content to a scanner and another to an installer: make it anew",
  E_ZIP_NAME: "an archive with such names is made to write outside its folder, or by a faulty tool: make it anew",
  E_ZIP_UNSUPPORTED: "make the archive with deflate, without encryption and links",
  E_ZIP_CONTENT: "the file is damaged or forged: fetch it again, and report it to who made it",
  E_ZIP_LIMIT: "this looks like an attack; unpack the file yourself if it is not",
  E_BOMB: "this looks like a decompression bomb; unpack the file yourself if it is not",
};

/** An error of reading a zip archive. */
export function zipError(code: ZipCode, path: string, why: string, cause?: unknown): TareError {
  return new TareError(code, `reading zip \`${path}\`: ${why}`, { hint: HINTS[code], cause });
}

/** The text of a name for messages: short, without control characters. */
export function shown(name: string): string {
  return name.slice(0, 200).replace(/[\0-\x1f\x7f]/g, "?");
}
