// SPDX-License-Identifier: Apache-2.0
/*
 * A backup is a PAX tar, usually compressed, that any tar unpacks:
 *
 *     tare-backup/header.json     what it is: format, id, volume, and for an incremental one its parent
 *     data/…                      the volume's files; in an incremental backup those that changed
 *     tare-backup/deleted.jsonl   paths that the parent has and this one has not, as JSON texts
 *     tare-backup/manifest.jsonl  every file of the volume, changed or not, with its digest
 *     tare-backup/end.json        the digest of all bytes of the archive before this entry's header
 *
 * Entries stand in the order of a walk: a folder, then what is in it by name bytes. A file that changed while it was
 * read comes again right after; the last one counts.
 */
import { TareError, isDigest } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { VolumeRecord } from "../record.ts";

export const FORMAT = "tare-volume-backup";
export const DATA = "data/";
export const HEADER = "tare-backup/header.json";
export const DELETED = "tare-backup/deleted.jsonl";
export const MANIFEST = "tare-backup/manifest.jsonl";
export const END = "tare-backup/end.json";

/** What names one backup for the next. */
export interface BackupName {
  /** Random, of each backup its own. */
  readonly id: string;
  /** Of manifest.jsonl. */
  readonly manifest: Digest;
}

/** header.json. */
export interface BackupHeader {
  readonly format: typeof FORMAT;
  readonly version: 1;
  readonly id: string;
  readonly volume: Pick<VolumeRecord, "name" | "createdAt" | "labels" | "options">;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** The backup that an incremental one goes on from. */
  readonly parent: BackupName | null;
}

/** end.json. */
export interface BackupEnd {
  readonly digest: Digest;
  readonly manifest: Digest;
  readonly entries: number;
  /** Bytes of file content in the whole tree. */
  readonly bytes: number;
}

export type FactType = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** A line of the manifest. Paths and links are byte strings (one latin1 character per byte). */
export interface Facts {
  /** Below the volume's root, which is "". */
  readonly path: string;
  readonly type: FactType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: string;
  readonly size?: number;
  /** Of a file: see `ContentHasher`. */
  readonly digest?: Digest;
  /** Target of a symbolic link; first name of a hard-linked file. */
  readonly link?: string;
  readonly device?: readonly [major: number, minor: number];
  /** Digest of all extended attributes; absent: there are none. */
  readonly xattrs?: Digest;
  /** What the file system says of an unchanged file: device, inode, change time. Only of use on the same machine. */
  readonly stamp?: string;
}

/** Whether two lines are of one file that did not change, apart from what only the machine knows of it. */
export function sameFacts(a: Facts, b: Facts): boolean {
  return factsText({ ...a, stamp: undefined }) === factsText({ ...b, stamp: undefined });
}

/** A byte string in JSON: text where it is UTF-8, else base64 in a list. */
type JsonName = string | readonly [base64: string];

function nameToJson(bytes: string): JsonName {
  const buffer = Buffer.from(bytes, "latin1");
  const text = buffer.toString("utf8");
  return Buffer.from(text, "utf8").equals(buffer) ? text : [buffer.toString("base64")];
}

function nameFromJson(value: unknown): string | undefined {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("latin1");
  if (!Array.isArray(value) || typeof value[0] !== "string") return undefined;
  return Buffer.from(value[0], "base64").toString("latin1");
}

/** A path as a line of deleted.jsonl. */
export function pathText(path: string): string {
  return JSON.stringify(nameToJson(path));
}

/** A line of the manifest, without its line feed. */
export function factsText(facts: { readonly [Key in keyof Facts]: Facts[Key] | undefined }): string {
  const { path = "", type, mode, uid, gid, mtime, size, digest, link, device, xattrs, stamp } = facts;
  const names = { path: nameToJson(path), ...(link === undefined ? {} : { link: nameToJson(link) }) };
  return JSON.stringify({ ...names, type, mode, uid, gid, mtime, size, digest, device, xattrs, stamp });
}

const TYPES: ReadonlySet<string> = new Set(["file", "directory", "symlink", "hardlink", "char", "block", "fifo"]);

/** Reads a line of a manifest. Throws `E_VOLUME_BACKUP`. */
export function parseFacts(text: string): Facts {
  const value = parseJson(text, "a line of the manifest");
  const path = nameFromJson(value["path"]);
  const link = value["link"] === undefined ? undefined : nameFromJson(value["link"]);
  const { type, mode, uid, gid, mtime, size, digest, xattrs, stamp, device } = value;
  const numbers = [mode, uid, gid].every((number) => Number.isSafeInteger(number));
  const isKnown = typeof type === "string" && TYPES.has(type);
  if (path === undefined || !isKnown || !numbers || typeof mtime !== "string" || !/^-?\d{1,25}$/.test(mtime)) {
    throw damaged("a line of the manifest is malformed");
  }
  return {
    path,
    type: type as FactType,
    mode: Number(mode),
    uid: Number(uid),
    gid: Number(gid),
    mtime,
    ...(typeof size === "number" ? { size } : {}),
    ...(typeof digest === "string" && isDigest(digest) ? { digest } : {}),
    ...(link === undefined ? {} : { link }),
    ...(Array.isArray(device) ? { device: [Number(device[0]), Number(device[1])] as const } : {}),
    ...(typeof xattrs === "string" && isDigest(xattrs) ? { xattrs } : {}),
    ...(typeof stamp === "string" ? { stamp } : {}),
  };
}

/** Reads header.json. Throws `E_VOLUME_BACKUP`. */
export function parseHeader(text: string): BackupHeader {
  const value = parseJson(text, "its header");
  if (value["format"] !== FORMAT) throw notBackup();
  if (value["version"] !== 1) throw damaged("it was made by a newer version", "use that version of Tare");
  const { id, volume, createdAt, parent } = value;
  const name = isObject(volume) ? volume["name"] : undefined;
  if (typeof id !== "string" || typeof name !== "string" || !isObject(volume)) throw damaged("its header is malformed");
  return {
    format: FORMAT,
    version: 1,
    id,
    createdAt: Number(createdAt),
    volume: {
      name,
      createdAt: Number(volume["createdAt"]),
      labels: textsOf(volume["labels"]),
      options: textsOf(volume["options"]),
    },
    parent: parent === null ? null : parseName(parent),
  };
}

function parseName(value: unknown): BackupName {
  const { id, manifest } = isObject(value) ? value : {};
  if (typeof id === "string" && typeof manifest === "string" && isDigest(manifest)) return { id, manifest };
  throw damaged("its parent is malformed");
}

/** Reads end.json. Throws `E_VOLUME_BACKUP`. */
export function parseEnd(text: string): BackupEnd {
  const { digest, manifest, entries, bytes } = parseJson(text, "its end");
  const areDigests = [digest, manifest].every((member) => typeof member === "string" && isDigest(member));
  if (!areDigests) throw damaged("its end is malformed");
  return { digest: digest as Digest, manifest: manifest as Digest, entries: Number(entries), bytes: Number(bytes) };
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

function parseJson(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged(`${what} is malformed`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of a walk: a folder comes right before what is in it. */
export function comparePaths(a: string, b: string): number {
  const [left, right] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The error for a backup that can't be used. */
export function damaged(
  why: string,
  hint: string = "make it again from the volume, or take another backup",
): TareError {
  return new TareError("E_VOLUME_BACKUP", `reading the backup: ${why}`, { hint });
}

/** The error for what is no backup at all. */
export function notBackup(): TareError {
  return damaged("this is no backup of a volume", "give a file that `tare volume backup` wrote");
}
