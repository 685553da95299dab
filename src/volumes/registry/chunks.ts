// SPDX-License-Identifier: Apache-2.0
/*
 * Entries become chunks. A chunk ends after a name whose hash says so, once it is large enough: a new file shifts the
 * chunk that it is in and no other. Large files are cut at fixed places, each part a chunk of its own, so that one that
 * grows at its end changes in its last part only.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { CompressSink, TarWriter } from "../../archive/index.ts";
import type { TarFields } from "../../archive/index.ts";
import { Hasher, digestOf, randomHex, writeAll } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { writeFile, writeSparse } from "../backup/content.ts";
import type { ContentSource } from "../backup/content.ts";
import { ContentHasher } from "../backup/facts.ts";
import type { EntryTarget } from "../backup/walk-into.ts";
import type { Segment } from "../copy-file.ts";
import { PART } from "./artifact.ts";
import type { PartBlob } from "./artifact.ts";

/** A chunk on the disk. */
export interface ChunkFile extends PartBlob {
  readonly path: string;
}

const SMALLEST = 4 << 20;
const PART_OF_SMALLEST = 8;
/** A manifest may have 4 MiB, and a layer takes some 250 bytes of it. */
const MOST_CHUNKS = 2000;
/** What an entry takes besides its content. */
const ENTRY_SIZE = 1024;

/** Cuts what it is given into chunks and hands each to `take`, which the next entry waits for. */
export class ChunkTarget implements EntryTarget {
  readonly #folder: string;
  readonly #take: (chunk: ChunkFile) => Promise<void>;
  /** From this size on a chunk may end. */
  readonly #enough: number;
  readonly #part: number;
  #open: OpenChunk | undefined;

  /** `total`: bytes of all files, about: the more there are, the larger the chunks. */
  constructor(folder: string, total: number, take: (chunk: ChunkFile) => Promise<void>) {
    this.#folder = folder;
    this.#take = take;
    this.#enough = SMALLEST;
    while (total / this.#enough > MOST_CHUNKS) this.#enough *= 2;
    this.#part = this.#enough * PART_OF_SMALLEST;
  }

  async entry(fields: TarFields): Promise<void> {
    await this.#chunk().writer.entry(fields);
    await this.#added(fields.name, 0);
  }

  async file(fields: TarFields, source: ContentSource): Promise<Digest> {
    const size = fields.size ?? 0;
    if (size > this.#part) return this.#parts(fields, source);
    const digest = await writeFile(this.#chunk().writer, fields, source);
    await this.#added(fields.name, size);
    return digest;
  }

  /** Hands the last chunk over. */
  async finish(): Promise<void> {
    const chunk = this.#open;
    this.#open = undefined;
    if (chunk) await this.#take(await chunk.finish());
  }

  /**
   * The parts hold content alone, so that they stay the same when the file's time does not; what else is to be said of
   * the file comes after them. The first part is always there, others where something is stored.
   */
  async #parts(fields: TarFields, source: ContentSource): Promise<Digest> {
    const { size = 0, name } = fields;
    const hasher = new ContentHasher();
    await this.finish();
    for (let start = 0; start < size; start += this.#part) {
      const end = Math.min(size, start + this.#part);
      const segments = within(source.segments, start, end);
      if (start > 0 && segments.length === 0) continue;
      const part: TarFields = { type: "file", name: PART + name, mode: 0o600, mtime: 0, size: end };
      await writeSparse(this.#chunk().writer, part, { source, segments, hasher });
      await this.finish();
    }
    await writeSparse(this.#chunk().writer, fields, { source, segments: [], hasher });
    await this.#added(name, 0);
    return hasher.digest();
  }

  #chunk(): OpenChunk {
    return (this.#open ??= new OpenChunk(join(this.#folder, `chunk-${randomHex(4)}`)));
  }

  async #added(name: string, size: number): Promise<void> {
    const chunk = this.#chunk();
    chunk.weight += ENTRY_SIZE + size;
    const isCut = chunk.weight >= this.#enough && /[0-3]$/.test(digestOf(name));
    if (isCut || chunk.weight >= this.#part) await this.finish();
  }
}

/** The parts of segments that are in a range. */
function within(segments: readonly Segment[], start: number, end: number): readonly Segment[] {
  return segments.flatMap(({ offset, length }) => {
    const [from, to] = [Math.max(offset, start), Math.min(offset + length, end)];
    return from < to ? [{ offset: from, length: to - from }] : [];
  });
}

class OpenChunk {
  readonly writer: TarWriter;
  /** What decides where it ends. */
  weight = 0;
  readonly #file: BlobFile;
  readonly #compressed: CompressSink;

  constructor(path: string) {
    this.#file = new BlobFile(path);
    this.#compressed = new CompressSink(this.#file, { kind: "zstd" });
    this.writer = new TarWriter(this.#compressed);
  }

  async finish(): Promise<ChunkFile> {
    await this.writer.finish();
    await this.#compressed.finish();
    return this.#file.end();
  }
}

/** A file whose digest is computed on the way. */
export class BlobFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hasher: Hasher = new Hasher();
  #size = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = fs.openSync(path, "wx", 0o600);
  }

  write(chunk: Uint8Array): void {
    this.#hasher.update(chunk);
    this.#size += chunk.length;
    writeAll(this.#descriptor, chunk);
  }

  /** No more comes. */
  end(): ChunkFile {
    fs.closeSync(this.#descriptor);
    return { path: this.#path, digest: this.#hasher.digest(), size: this.#size };
  }
}
