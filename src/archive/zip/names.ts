// SPDX-License-Identifier: Apache-2.0
/* Names of zip entries: refused when dangerous, and when two entries would be one path. */
import { isUtf8 } from "node:buffer";
import { shown, zipError } from "./errors.ts";
import type { ZipEntry } from "./types.ts";

const UTF8_FLAG = 0x800;
const COMPONENT = 255;

/** Decodes and cleans (`./a//b` is `a/b`) an entry's name. Throws `E_ZIP_NAME`, `E_ZIP_AMBIGUOUS`. */
export function cleanName(path: string, raw: Buffer, flags: number, limit: number): string {
  const text = raw.toString("utf8");
  const refuse = (why: string): Error => zipError("E_ZIP_NAME", path, `entry \`${shown(text)}\`: ${why}`);
  if (raw.length === 0) throw refuse("its name is empty");
  if (raw.length > limit) throw refuse(`its name is longer than ${limit} bytes`);
  if (!isUtf8(raw)) throw refuse("its name is not UTF-8");
  if (raw.includes(0)) throw refuse("its name has a NUL");
  if (raw.includes(0x5c)) throw refuse("its name has a backslash");
  if (raw[0] === 0x2f) throw refuse("its name is absolute");
  if (/^[A-Za-z]:/.test(text)) throw refuse("its name starts with a drive letter");
  if ((flags & UTF8_FLAG) === 0 && raw.some((byte) => byte > 127)) {
    throw zipError("E_ZIP_AMBIGUOUS", path, `entry \`${shown(text)}\`: its name has no known character set`);
  }
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refuse("its name has `..`");
  if (parts.length === 0) throw refuse("its name means the root");
  if (parts.some((part) => Buffer.byteLength(part) > COMPONENT)) {
    throw refuse(`a part of its name is longer than ${COMPONENT} bytes`);
  }
  return parts.join("/") + (text.endsWith("/") ? "/" : "");
}

/** Throws `E_ZIP_AMBIGUOUS` when two entries have one name (in any Unicode form), or one lies below a file. */
export function checkNames(path: string, entries: readonly ZipEntry[]): void {
  const files = new Set<string>();
  const folders = new Set<string>();
  const clash = (name: string, why: string): Error =>
    zipError("E_ZIP_AMBIGUOUS", path, `entry \`${shown(name)}\`: ${why}`);
  const seen = new Set<string>();
  for (const { name, isDirectory } of entries) {
    const plain = (isDirectory ? name.slice(0, -1) : name).normalize("NFC");
    if (seen.has(plain)) throw clash(name, "there are two of this name");
    seen.add(plain);
    if (isDirectory) folders.add(plain);
    else files.add(plain);
    for (let end = plain.lastIndexOf("/"); end > 0; end = plain.lastIndexOf("/", end - 1)) {
      const parent = plain.slice(0, end);
      if (folders.has(parent) && !isDirectory) break;
      folders.add(parent);
    }
  }
  for (const name of files) if (folders.has(name)) throw clash(name, "it is a file, and others lie below it");
}
