// SPDX-License-Identifier: Apache-2.0
/*
 * The loader's cache, /etc/ld.so.cache, in the form of glibc since 2.2: a head, entries of 24 bytes (flags, place of the
 * name, place of the path, …), texts. It may stand behind a table of the older form, which is skipped.
 */
import { readFileSync } from "node:fs";
import { systemErrorCode } from "../../base/index.ts";

const OLD = "ld.so-1.7.0\0";
const NEW = "glibc-ld.so.cache1.1";
const [OLD_ENTRY, ENTRY, HEAD] = [12, 24, 48];

/** The paths of all libraries that the cache knows; none where it is missing or of an unknown form. */
export function loaderCachePaths(path: string): readonly string[] {
  try {
    return parseLoaderCache(readFileSync(path));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "EACCES") return [];
    throw error;
  }
}

/** The paths in a cache's bytes; damaged entries are left out. */
export function parseLoaderCache(bytes: Buffer): readonly string[] {
  const start = startOfTable(bytes);
  if (bytes.length < start + HEAD || bytes.toString("latin1", start, start + NEW.length) !== NEW) return [];
  const room = Math.floor((bytes.length - start - HEAD) / ENTRY);
  const count = Math.min(bytes.readUInt32LE(start + NEW.length), room);
  return Array.from({ length: count }, (_, index) => start + HEAD + index * ENTRY).flatMap((at) =>
    textAt(bytes, start + bytes.readUInt32LE(at + 8)),
  );
}

function startOfTable(bytes: Buffer): number {
  if (bytes.length < 16 || bytes.toString("latin1", 0, OLD.length) !== OLD) return 0;
  const end = OLD.length + 4 + bytes.readUInt32LE(OLD.length) * OLD_ENTRY;
  return Math.ceil(end / 8) * 8;
}

function textAt(bytes: Buffer, start: number): readonly string[] {
  const end = bytes.indexOf(0, start);
  const text = start < bytes.length && end > start ? bytes.toString("utf8", start, end) : "";
  return text.startsWith("/") ? [text] : [];
}
