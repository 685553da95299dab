// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

const KNOWN_STARTS: readonly (readonly [string, string])[] = [
  ["PK", "a zip"],
  ["\x1f\x8b", "gzip data"],
  ["\x28\xb5\x2f\xfd", "zstd data"],
  ["\xfd7zXZ", "xz data"],
  ["BZh", "bzip2 data"],
  ["!<arch>", "an ar archive"],
  ["\x7fELF", "a program"],
];

/** The error for data whose start is no tar header, with a guess at what it is. */
export function notTar(start: Buffer): TareError {
  const kind = KNOWN_STARTS.find(([magic]) => start.toString("latin1", 0, magic.length) === magic)?.[1];
  const why = kind === undefined ? "the first header's checksum is wrong" : `it looks like ${kind}`;
  return new TareError("E_TAR_MAGIC", `reading a tar archive: this is no tar archive: ${why}`, {
    hint: "give a tar archive, plain or compressed; `file` tells what a file is",
  });
}
