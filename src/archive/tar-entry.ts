// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from "node:buffer";

/** What an entry makes. Sockets cannot be stored in a tar. */
export type TarType = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** Extended attributes: the name is a byte string (one latin1 character per byte), the value is bytes. */
export type Xattrs = ReadonlyMap<string, Uint8Array>;

/** The facts of one entry, as read from or written to an archive. */
export interface TarHeader {
  readonly type: TarType;
  /** The path as in the archive; UTF-8, or lossy when `rawName` holds the exact bytes of a name that is not UTF-8. */
  readonly name: string;
  readonly rawName?: Buffer | undefined;
  /** Target of a symbolic or hard link, in the same representation. */
  readonly linkName: string;
  readonly rawLinkName?: Buffer | undefined;
  /** Permission bits with setuid, setgid and sticky (0 … 0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content (expanded when sparse); 0 for other types. */
  readonly size: number;
  /** Whole seconds since 1970 and nanoseconds (0 … 999,999,999) above them. */
  readonly mtime: number;
  readonly mtimeNanoseconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: Xattrs;
}

/** An entry whose content can be read once, before the next entry is asked for. */
export interface TarEntry extends TarHeader {
  /** The content, in pieces that are valid until the next one; holes of sparse files come as zeros. */
  readonly body: () => AsyncIterable<Uint8Array>;
}

/** What a reader accepts at most; all have safe defaults. */
export interface TarLimits {
  /** Default 10,000,000. */
  readonly entries?: number;
  /** Largest PAX header or GNU long name in bytes. Default 1 MiB. */
  readonly pax?: number;
  /** Longest path in bytes. Default 4,096. */
  readonly path?: number;
  /** Longest path component in bytes. Default 255. */
  readonly component?: number;
  /** Most path components. Default 1,024. */
  readonly depth?: number;
  /** When true, an archive without its closing zero block is refused as truncated. Default false, as other tools. */
  readonly requireEnd?: boolean;
}

export const NO_XATTRS: Xattrs = new Map();

/** A name in both representations: text, and the exact bytes when they are not UTF-8. */
export interface DecodedName {
  readonly text: string;
  readonly raw: Buffer | undefined;
}

/** Decodes the bytes of a name. */
export function decodeName(bytes: Buffer): DecodedName {
  if (isUtf8(bytes)) return { text: bytes.toString("utf8"), raw: undefined };
  return { text: bytes.toString("utf8"), raw: Buffer.from(bytes) };
}

/** A name as a byte string (one latin1 character per byte): for ASCII the same string. */
export function byteName(text: string, raw: Buffer | undefined): string {
  if (raw !== undefined) return raw.toString("latin1");
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** True when a string holds ASCII only. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 127) return false;
  return true;
}

/** A byte string as the path argument of a file system call. */
export function asPath(bytes: string): string | Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/** A byte string as text for messages. */
export function displayName(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}
