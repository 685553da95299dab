// SPDX-License-Identifier: Apache-2.0
/*
 * The table of contents and the footer of eStargz (stargz-snapshotter, docs/estargz.md): a JSON file in the last
 * entry of the tar, in a member of its own, then an empty member of 51 bytes whose extra field says where that is.
 * The tar ends after that entry, so its diffID is another than that of the tree without it.
 */
import { createHash } from "node:crypto";
import { Hasher, TareError, asDiffId, digestOf } from "../../base/index.ts";
import type { Digest, DiffId } from "../../base/index.ts";
import { readContent } from "../file-content.ts";
import type { FileContent } from "../file-content.ts";
import { encodeEntry } from "../tar-encode.ts";
import type { TarFields } from "../tar-encode.ts";
import { displayName } from "../tar-entry.ts";
import type { TarType } from "../tar-entry.ts";
import { BLOCK } from "../tar-header.ts";

const NAME = "stargz.index.json";
const PIECE = 1 << 20;
const TYPES: Readonly<Record<TarType, string>> = {
  file: "reg",
  directory: "dir",
  symlink: "symlink",
  hardlink: "hardlink",
  char: "char",
  block: "block",
  fifo: "fifo",
};

/** What was built: the rest of the tar, and the digests. */
export interface FinishedToc {
  /** The closing entry and blocks of the tar. */
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly diffId: DiffId;
  /** Of the tar as it would be without the table. */
  readonly plainDiffId: DiffId;
}

type TocEntry = Record<string, unknown>;

/** Collects the table of contents and the diffID while a tree is written. */
export class TocBuilder {
  readonly #digestOf: (path: string) => Digest | undefined;
  readonly #entries: TocEntry[] = [];
  readonly #tar = new Hasher();
  readonly #room: Uint8Array = new Uint8Array(PIECE);

  constructor(known: ((path: string) => Digest | undefined) | undefined) {
    this.#digestOf = known ?? (() => undefined);
  }

  /** Bytes of the tar other than contents. */
  hash(data: Uint8Array): void {
    this.#tar.update(data);
  }

  entry(fields: TarFields): void {
    const isDevice = fields.type === "char" || fields.type === "block";
    const isFile = fields.type === "file";
    const xattrs = [...(fields.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#entries.push({
      name: text(fields.name) + (fields.type === "directory" ? "/" : ""),
      type: TYPES[fields.type],
      ...(isFile && (fields.size ?? 0) > 0 ? { size: fields.size } : {}),
      modtime: timeText(fields.mtime),
      ...(fields.linkName === undefined ? {} : { linkName: text(fields.linkName) }),
      mode: fields.mode & 0o7777,
      ...positive({ uid: fields.uid, gid: fields.gid }),
      ...(isDevice ? positive({ devMajor: fields.deviceMajor, devMinor: fields.deviceMinor }) : {}),
      ...(xattrs.length === 0
        ? {}
        : {
            xattrs: Object.fromEntries(
              xattrs.map(([key, value]) => [text(key), Buffer.from(value).toString("base64")]),
            ),
          }),
      ...(isFile ? { digest: digestOf("") } : {}),
    });
  }

  /** The content of the last entry; its member starts at `offset`. */
  async content(file: FileContent, fields: TarFields, offset: number, pause: () => Promise<void>): Promise<void> {
    const known = this.#digestOf(displayName(fields.name));
    const hash = createHash("sha256");
    const take = (piece: Uint8Array): void => {
      this.#tar.update(piece);
      if (known === undefined) hash.update(piece);
    };
    await readContent(file, fields, take, { room: this.#room, pause });
    const digest = known ?? `sha256:${hash.digest("hex")}`;
    Object.assign(this.#entries.at(-1) ?? {}, { offset, digest, chunkDigest: digest });
  }

  finish(): FinishedToc {
    const json = Buffer.from(JSON.stringify({ version: 1, entries: this.#entries }));
    const header = encodeEntry({ type: "file", name: NAME, mode: 0o444, mtime: 0, size: json.length });
    const padding = (BLOCK - (json.length % BLOCK)) % BLOCK;
    const bytes = Buffer.concat([header, json, Buffer.alloc(padding + 2 * BLOCK)]);
    const plainDiffId = asDiffId(this.#tar.digestWith(Buffer.alloc(2 * BLOCK)));
    const diffId = asDiffId(this.#tar.update(bytes).digest());
    return { bytes, digest: digestOf(json), diffId, plainDiffId };
  }
}

/** An empty gzip member with the place of the table's member in its extra field. */
export function footer(offset: number): Buffer {
  const place = Buffer.from(`${offset.toString(16).padStart(16, "0")}STARGZ`, "latin1");
  const start = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, place.length + 4, 0, 0x53, 0x47, place.length, 0]);
  return Buffer.concat([start, place, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)]);
}

function text(name: string): string {
  const shown = displayName(name);
  if (Buffer.from(shown, "utf8").toString("latin1") === name) return shown;
  throw new TareError("E_UNSUPPORTED", `packing \`${shown}\`: eStargz has no names that are not UTF-8`, {
    hint: "choose another layout",
  });
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function positive(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}
