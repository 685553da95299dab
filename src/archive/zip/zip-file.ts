// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { ioError } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import { checkAborted } from "../aborted.ts";
import { readContent, streamContent } from "./content.ts";
import { findDirectory } from "./directory.ts";
import type { DirectoryPlace } from "./directory.ts";
import { LOCAL_SIZE, readEntries } from "./entries.ts";
import { shown, zipError } from "./errors.ts";
import { checkLocal } from "./local.ts";
import type { ExtractOptions, ZipEntry, ZipFile, ZipLimits } from "./types.ts";

const READ_LIMIT = 64 << 20;

/**
 * Opens a zip archive and reads its central directory; who opens it closes it. Throws `E_ZIP`, `E_ZIP_AMBIGUOUS`,
 * `E_ZIP_NAME`, `E_ZIP_UNSUPPORTED`, `E_ZIP_LIMIT`, `E_BOMB`, `E_IO`.
 */
export function openZip(path: string, limits: ZipLimits = {}): ZipFile {
  let descriptor = -1;
  try {
    descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile()) throw zipError("E_ZIP", path, "it is not an ordinary file");
    return new OpenZip(path, descriptor, stat.size, limits);
  } catch (error) {
    if (descriptor >= 0) fs.closeSync(descriptor);
    throw ioError(`reading zip \`${path}\``, error);
  }
}

class OpenZip implements ZipFile {
  readonly path: string;
  readonly size: number;
  readonly entries: readonly ZipEntry[];
  readonly comment: Buffer;
  readonly #byName: ReadonlyMap<string, ZipEntry>;
  /** Where the next entry, or the central directory, starts. */
  readonly #ends: ReadonlyMap<ZipEntry, number>;
  #descriptor: number;

  constructor(path: string, descriptor: number, size: number, limits: ZipLimits) {
    this.path = path;
    this.size = size;
    this.#descriptor = descriptor;
    const place = findDirectory(path, size, (offset, length) => this.#read(offset, length));
    checkPlace(path, place, limits);
    this.comment = place.comment;
    this.entries = readEntries(path, place, this.#read(place.offset, place.size), limits);
    this.#ends = findEnds(path, this.entries, place.offset);
    this.#byName = new Map(this.entries.map((entry) => [entry.name, entry]));
  }

  find(name: string): ZipEntry | undefined {
    return this.#byName.get(name);
  }

  dataOffset(entry: ZipEntry): number {
    const end = this.#ends.get(entry);
    if (end === undefined) throw new Error(`\`${entry.name}\` is an entry of another zip file`);
    return checkLocal(this, entry, end);
  }

  readAt(target: Uint8Array, position: number): void {
    for (let at = 0; at < target.length;) {
      const count = fs.readSync(this.#descriptor, target, at, target.length - at, position + at);
      if (count === 0) throw zipError("E_ZIP", this.path, "it is shorter than it should be");
      at += count;
    }
  }

  readEntry(entry: ZipEntry, limit: number = READ_LIMIT): Buffer {
    if (Math.max(entry.size, entry.compressedSize) > limit) {
      throw zipError("E_ZIP_LIMIT", this.path, `entry \`${shown(entry.name)}\`: it is larger than ${limit} bytes`);
    }
    return readContent(this, entry);
  }

  async extractEntry(entry: ZipEntry, target: number | ByteSink, options: ExtractOptions = {}): Promise<void> {
    checkAborted(options.signal, `extracting \`${shown(entry.name)}\``);
    await streamContent(this, entry, target, options);
  }

  close(): void {
    if (this.#descriptor >= 0) fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    this.readAt(bytes, offset);
    return bytes;
  }
}

function checkPlace(path: string, place: DirectoryPlace, limits: ZipLimits): void {
  const { entries = 100_000, directory = 48 << 20 } = limits;
  if (place.count > entries) throw zipError("E_ZIP_LIMIT", path, `it has more than ${entries} entries`);
  if (place.size > directory) throw zipError("E_ZIP_LIMIT", path, `its directory is larger than ${directory} bytes`);
}

/** Entries may neither overlap nor leave bytes before the first one; `dataOffset` sees the gaps between them. */
function findEnds(path: string, entries: readonly ZipEntry[], directory: number): Map<ZipEntry, number> {
  const ends = new Map<ZipEntry, number>();
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  const first = sorted[0]?.headerOffset ?? directory;
  if (first !== 0) throw zipError("E_ZIP_AMBIGUOUS", path, "there are hidden bytes before its first entry");
  for (const [index, entry] of sorted.entries()) {
    const end = sorted[index + 1]?.headerOffset ?? directory;
    if (entry.headerOffset + LOCAL_SIZE + entry.rawName.length + entry.compressedSize > end) {
      throw zipError("E_ZIP_AMBIGUOUS", path, `entry \`${shown(entry.name)}\`: it overlaps the next one`);
    }
    ends.set(entry, end);
  }
  return ends;
}
