// SPDX-License-Identifier: Apache-2.0
/* A file's content as a tar entry; one with holes as GNU tar's sparse format 1.0, whose map precedes the content. */
import type * as fs from "node:fs";
import { tarTimeOf } from "../../archive/index.ts";
import type { TarFields, TarWriter, Xattrs } from "../../archive/index.ts";
import type { Digest } from "../../base/index.ts";
import type { Segment } from "../copy-file.ts";
import { ContentHasher } from "./facts.ts";
import { DATA } from "./format.ts";
import type { Facts } from "./format.ts";

/** Where a file's content is read from. */
export interface ContentSource {
  readonly stats: fs.BigIntStats;
  /** In order; together less than the file where it has holes. */
  readonly segments: readonly Segment[];
  /** At most so many bytes; undefined past the end. Valid until the next one. */
  readonly read: (position: number, most: number) => Uint8Array | undefined;
  readonly pause: () => Promise<void>;
}

const BLOCK = 512;
const ZEROS: Uint8Array = new Uint8Array(1 << 16);

/** The headers of an entry as the archive has them. */
export function entryFields(facts: Facts, xattrs: Xattrs): TarFields {
  const { type, mode, uid, gid, size = 0, link, device } = facts;
  return {
    type,
    name: DATA + facts.path,
    mode,
    uid,
    gid,
    size,
    ...tarTimeOf(BigInt(facts.mtime)),
    ...(link === undefined ? {} : { linkName: type === "hardlink" ? DATA + link : link }),
    ...(device === undefined ? {} : { deviceMajor: device[0], deviceMinor: device[1] }),
    xattrs,
  };
}

/** Writes an entry with its content; the content's digest. What a file lacks that shrinks meanwhile is zeros. */
export async function writeFile(writer: TarWriter, fields: TarFields, source: ContentSource): Promise<Digest> {
  const hasher = new ContentHasher();
  const { segments } = source;
  const isWhole = segments.length === 1 && segments[0]?.offset === 0 && segments[0].length === fields.size;
  if (isWhole || fields.size === 0) {
    await writer.entry(fields);
    await writeSegments(writer, source, segments, hasher);
  } else await writeSparse(writer, fields, { source, segments, hasher });
  return hasher.digest();
}

async function writeSegments(
  writer: TarWriter,
  source: ContentSource,
  segments: readonly Segment[],
  hasher: ContentHasher,
): Promise<void> {
  for (const segment of segments) {
    await eachPiece(source, segment, async (piece, position) => {
      hasher.update(piece, position);
      await writer.write(piece);
    });
  }
}

/** The digest of a content that is not written. */
export async function digestContent(source: ContentSource): Promise<Digest> {
  const hasher = new ContentHasher();
  for (const segment of source.segments) {
    await eachPiece(source, segment, async (piece, position) => {
      hasher.update(piece, position);
      return Promise.resolve();
    });
  }
  return hasher.digest();
}

async function eachPiece(
  source: ContentSource,
  { offset, length }: Segment,
  take: (piece: Uint8Array, position: number) => Promise<void>,
): Promise<void> {
  for (let done = 0; done < length;) {
    const left = length - done;
    const piece = source.read(offset + done, left) ?? ZEROS.subarray(0, Math.min(left, ZEROS.length));
    await take(piece, offset + done);
    done += piece.length;
    await source.pause();
  }
}

/** Some of a file's segments. */
export interface SparseContent {
  readonly source: ContentSource;
  readonly segments: readonly Segment[];
  /** Takes what is written. */
  readonly hasher: ContentHasher;
}

/** Writes a sparse entry of a file's whole size with the content of some segments. */
export async function writeSparse(writer: TarWriter, fields: TarFields, content: SparseContent): Promise<void> {
  const { source, segments, hasher } = content;
  // GNU tar ends a file with its last segment, be it an empty one.
  const end = { offset: fields.size ?? 0, length: 0 };
  const numbers = [...segments, end].flatMap(({ offset, length }) => [offset, length]);
  const text = `${segments.length + 1}\n${numbers.map((number) => `${number}\n`).join("")}`;
  const map = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK);
  map.write(text, "latin1");
  const stored = segments.reduce((sum, { length }) => sum + length, 0);
  const records = [
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    ["GNU.sparse.name", fields.name],
    ["GNU.sparse.realsize", String(fields.size ?? 0)],
    ...(fields.records ?? []),
  ] as const;
  await writer.entry({ ...fields, name: besideName(fields.name), size: map.length + stored, records });
  await writer.write(map);
  await writeSegments(writer, source, segments, hasher);
}

/** What a reader that does not know the format calls the raw content. */
function besideName(name: string): string {
  const slash = name.lastIndexOf("/");
  return `${name.slice(0, slash)}/GNUSparseFile.0${name.slice(slash)}`;
}
