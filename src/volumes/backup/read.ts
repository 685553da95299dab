// SPDX-License-Identifier: Apache-2.0
/* Reads a backup to its end and believes nothing of it before all digests were compared. */
import { join } from "node:path";
import { TarParser, byteName, checkAborted, decompress } from "../../archive/index.ts";
import type { TarHandler, TarHeader } from "../../archive/index.ts";
import { Hasher, TareError, randomHex } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { compareLists } from "./compare.ts";
import { DATA, DELETED, END, HEADER, MANIFEST, damaged, notBackup, parseEnd, parseHeader } from "./format.ts";
import type { BackupEnd, BackupHeader } from "./format.ts";
import { SeenEntries } from "./seen.ts";
import type { EntryVisitor } from "./seen.ts";
import { Spool } from "./spool.ts";

/** Takes the files of a backup as they come; they are not verified yet. */
export interface BackupVisitor extends EntryVisitor {
  /** Called once, first. May throw to refuse the backup. */
  header(header: BackupHeader): void;
}

/** A backup that was read to its end and is whole. */
export interface BackupContents {
  readonly header: BackupHeader;
  readonly end: BackupEnd;
  /** Bytes of the archive without its compression. */
  readonly size: number;
  /** Entries of files in it. */
  readonly stored: number;
  /** The file of the manifest's lines. */
  readonly manifest: string;
}

const LARGEST_TEXT = 1 << 24;
const LIMITS = { entries: Number.MAX_SAFE_INTEGER, path: 8192, depth: 4096, requireEnd: true };

/**
 * Reads a backup, compressed or not. `folder` takes lists. Throws `E_VOLUME_BACKUP` for one that is damaged, cut or no
 * backup, and what the visitor throws.
 */
export async function readBackup(
  source: AsyncIterable<Uint8Array>,
  folder: string,
  call: { readonly visitor?: BackupVisitor; readonly signal?: AbortSignal },
): Promise<BackupContents> {
  const reader = new Reader(folder, call.visitor);
  try {
    for await (const chunk of decompress(source, { allowAnyRatio: true })) {
      checkAborted(call.signal, "reading a backup");
      reader.push(chunk);
    }
    return await reader.finish();
  } catch (error) {
    throw asDamage(error, reader.isBackup);
  }
}

/** Errors of the archive's form say what they mean for a backup. */
function asDamage(error: unknown, isBackup: boolean): unknown {
  if (!(error instanceof TareError)) return error;
  const isForm = /^E_TAR_(?:MAGIC|TRUNC|HEADER|PAX|LIMIT)$|^E_COMPRESSION$/.test(error.code);
  if (!isForm) return error;
  if (!isBackup) return notBackup();
  return new TareError("E_VOLUME_BACKUP", `reading the backup: it is damaged or cut: ${error.message}`, {
    hint: "make it again from the volume, or take another backup",
    cause: error,
  });
}

type Part = "header" | "data" | "deleted" | "manifest" | "end";

const PARTS: ReadonlyMap<string, Part> = new Map([
  [HEADER, "header"],
  [DELETED, "deleted"],
  [MANIFEST, "manifest"],
  [END, "end"],
]);

class Reader implements TarHandler {
  readonly #visitor: BackupVisitor | undefined;
  readonly #parser: TarParser = new TarParser(this, LIMITS);
  readonly #hasher: Hasher = new Hasher();
  readonly #manifest: Spool;
  readonly #seen: Spool;
  readonly #entries: SeenEntries;
  readonly #texts = new Map<Part, Buffer[]>();
  #header: BackupHeader | undefined;
  #part: Part | undefined;
  #size = 0;
  /** Where the last entry begins, and the digest of all before it. */
  #endAt: number | undefined;
  #digest: Digest | undefined;

  constructor(folder: string, visitor: BackupVisitor | undefined) {
    this.#visitor = visitor;
    this.#manifest = new Spool(join(folder, `manifest-${randomHex(4)}`));
    this.#seen = new Spool(join(folder, `seen-${randomHex(4)}`));
    this.#entries = new SeenEntries(this.#seen, visitor);
  }

  get isBackup(): boolean {
    return this.#header !== undefined;
  }

  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
    if (this.#digest === undefined) {
      const before = this.#endAt === undefined ? chunk.length : this.#endAt - this.#size;
      this.#hasher.update(chunk.subarray(0, before));
      if (this.#endAt !== undefined) this.#digest = this.#hasher.digest();
    }
    this.#size += chunk.length;
  }

  entry(header: TarHeader): void {
    const name = byteName(header.name, header.rawName);
    const part = name.startsWith(DATA) ? "data" : PARTS.get(name);
    if (this.#endAt !== undefined || part === undefined) throw damaged(`there is \`${header.name}\` in it`);
    if (this.#header === undefined && part !== "header") throw notBackup();
    this.#part = part;
    if (part === "end") this.#endAt = this.#parser.offset;
    if (part === "data") this.#entries.entry(header, name.slice(DATA.length));
    else if (header.size > LARGEST_TEXT && part !== "manifest" && part !== "deleted")
      throw damaged("a part is too large");
  }

  data(piece: Buffer, position: number): void {
    if (this.#part === "data") this.#entries.data(piece, position);
    else if (this.#part === "manifest") this.#manifest.bytes(piece);
    else if (this.#part === "header" || this.#part === "end") {
      const texts = this.#texts.get(this.#part) ?? [];
      texts.push(Buffer.from(piece));
      this.#texts.set(this.#part, texts);
    }
  }

  end(): void {
    if (this.#part === "header") {
      this.#header = parseHeader(this.#textOf("header"));
      this.#visitor?.header(this.#header);
    }
    if (this.#part === "data") this.#entries.end();
  }

  #textOf(part: Part): string {
    return Buffer.concat(this.#texts.get(part) ?? []).toString("utf8");
  }

  async finish(): Promise<BackupContents> {
    this.#parser.finish();
    if (this.#header === undefined) throw notBackup();
    if (this.#endAt === undefined) throw damaged("its end is missing");
    const end = parseEnd(this.#textOf("end"));
    const stored = this.#entries.finish();
    this.#seen.end();
    if (this.#digest !== end.digest || this.#manifest.end() !== end.manifest) throw damaged("its checksum is wrong");
    await compareLists(this.#seen.path, this.#manifest.path, this.#header.parent === null);
    const { path: manifest } = this.#manifest;
    return { header: this.#header, end, size: this.#size, stored, manifest };
  }
}
