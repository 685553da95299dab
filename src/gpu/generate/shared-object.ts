// SPDX-License-Identifier: Apache-2.0
import { openSource, readElf } from "../elf/elf-file.ts";

/** What the loader knows a library by, and for which kind of program it is. */
export interface SharedObject {
  readonly bits: 32 | 64;
  /** Not read of one of 32 bits, whose links on the host have to do. */
  readonly soname?: string;
}

/** Reads a library; undefined for what is none, or is damaged. Throws `E_IO`. */
export function readSharedObject(path: string): SharedObject | undefined {
  const source = openSource(path);
  try {
    const head = source.read(0, 6);
    if (head.length < 6 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
    if (head[4] === 1) return { bits: 32 };
    const soname = readElf(source)?.soname;
    // It becomes the name of a file.
    return { bits: 64, ...(soname !== undefined && /^[\w.+-]+$/.test(soname) ? { soname } : {}) };
  } finally {
    source.close();
  }
}
