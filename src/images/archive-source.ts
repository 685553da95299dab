// SPDX-License-Identifier: Apache-2.0
/*
 * Image archives and layout folders as one thing: named files that can be opened in any order. An archive is read
 * twice: once for the places of its files (skipping their content), then file by file. So memory does not grow with
 * the archive. What cannot be read twice (a pipe, a compressed archive) is first written to `temporary`.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, systemErrorCode } from "../base/index.ts";
import { TarParser } from "../archive/index.ts";
import type { TarHandler, TarHeader } from "../archive/index.ts";

/** Named files of an image archive or a layout folder. */
export interface ArchiveSource {
  /** For messages: the path, or `standard input`. */
  readonly label: string;
  has(name: string): boolean;
  /** Bytes of a file. Throws `E_ARCHIVE` when there is no such file. */
  size(name: string): number;
  /** The whole of a small file, or undefined when there is none. Throws `E_ARCHIVE` when it is above `limit`. */
  read(name: string, limit?: number): Buffer | undefined;
  /** Streams a file; may be called again. */
  open(name: string): AsyncIterable<Uint8Array>;
  close(): void;
}

const DOCUMENT_LIMIT = 4 << 20;
const CHUNK = 1 << 20;
/** Entries of an image archive: four for each layer of old archives, two for each blob of new ones. */
const ENTRY_LIMIT = 100_000;

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** The files of a tar archive; `temporary` is removed by its owner. Throws `E_ARCHIVE`, `E_TAR_*`. */
export async function openTarSource(path: string, label: string): Promise<ArchiveSource> {
  const descriptor = fs.openSync(path, "r");
  try {
    return new TarSource(descriptor, label, await indexTar(descriptor, label));
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

type Index = ReadonlyMap<string, Place | { readonly link: string }>;

/** Finds every file's place. The parser hands out slices of what was pushed, so that their offsets can be told. */
async function indexTar(descriptor: number, label: string): Promise<Index> {
  const indexer = new Indexer(label);
  const parser = new TarParser(indexer, { entries: ENTRY_LIMIT });
  for await (const chunk of fileChunks(descriptor, { offset: 0, size: fs.fstatSync(descriptor).size })) {
    indexer.chunk = chunk;
    parser.push(chunk);
    indexer.base += chunk.length;
  }
  parser.finish();
  return indexer.index;
}

class Indexer implements TarHandler {
  readonly index: Map<string, Place | { readonly link: string }> = new Map();
  /** The chunk being parsed and its place in the file. */
  chunk: Buffer = Buffer.alloc(0);
  base = 0;
  readonly #label: string;
  #open: { readonly name: string; readonly size: number; offset: number; seen: number } | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  entry(header: TarHeader): void {
    const name = cleanName(header.name, this.#label);
    if (header.type === "directory") return;
    if (header.type === "file") this.#open = { name, size: header.size, offset: 0, seen: 0 };
    else if (header.type === "symlink" || header.type === "hardlink")
      this.index.set(name, { link: linkOf(header, name) });
    else throw malformed(this.#label, `\`${name}\` is neither file, folder nor link`);
  }

  data(piece: Buffer, position: number): void {
    const file = this.#open;
    if (!file) return;
    if (position !== file.seen) throw malformed(this.#label, `\`${file.name}\` is a sparse file`);
    if (position === 0) file.offset = this.base + piece.byteOffset - this.chunk.byteOffset;
    file.seen += piece.length;
  }

  end(): void {
    const file = this.#open;
    if (!file) return;
    if (file.seen !== file.size) throw malformed(this.#label, `\`${file.name}\` is a sparse file`);
    this.index.set(file.name, { offset: file.offset, size: file.size });
    this.#open = undefined;
  }
}

/** A link's target as a name in the archive. Hard links are from the root, symbolic ones from their folder. */
function linkOf(header: TarHeader, name: string): string {
  if (header.type === "hardlink" || header.linkName.startsWith("/")) return header.linkName;
  return `${name.slice(0, name.lastIndexOf("/") + 1)}${header.linkName}`;
}

class TarSource implements ArchiveSource {
  readonly label: string;
  readonly #descriptor: number;
  readonly #index: Index;

  constructor(descriptor: number, label: string, index: Index) {
    this.label = label;
    this.#descriptor = descriptor;
    this.#index = index;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  size(name: string): number {
    return this.#require(name).size;
  }

  read(name: string, limit: number = DOCUMENT_LIMIT): Buffer | undefined {
    const place = this.#find(name);
    if (!place) return undefined;
    if (place.size > limit) throw tooLarge(this.label, name, place.size, limit);
    const bytes = Buffer.alloc(place.size);
    fs.readSync(this.#descriptor, bytes, 0, place.size, place.offset);
    return bytes;
  }

  open(name: string): AsyncIterable<Uint8Array> {
    return fileChunks(this.#descriptor, this.#require(name));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #require(name: string): Place {
    const place = this.#find(name);
    if (place) return place;
    throw malformed(this.label, `\`${name.slice(0, 200)}\` is missing`);
  }

  /** Old archives link equal layers to one another: `<id>/layer.tar → ../<id>/layer.tar`. Blobs must be files. */
  #find(name: string): Place | undefined {
    let wanted = cleanName(name, this.label);
    for (let steps = 0; steps < 8; steps += 1) {
      const found = this.#index.get(wanted);
      if (!found || "offset" in found) return found;
      if (wanted.startsWith("blobs/")) throw malformed(this.label, `blob \`${wanted}\` is a link`);
      wanted = cleanName(found.link, this.label);
    }
    throw malformed(this.label, `\`${wanted}\` is a link that leads nowhere`);
  }
}

/** The files of an OCI layout folder. Symbolic links in it are refused. */
export function openFolderSource(root: string): ArchiveSource {
  const descriptors = new Set<number>();
  const statOf = (name: string): fs.Stats | undefined => statInFolder(root, cleanName(name, root));
  const require = (name: string): fs.Stats => {
    const stats = statOf(name);
    if (stats) return stats;
    throw malformed(root, `\`${name.slice(0, 200)}\` is missing`);
  };
  return {
    label: root,
    has: (name) => statOf(name) !== undefined,
    size: (name) => require(name).size,
    read: (name, limit = DOCUMENT_LIMIT) => {
      const stats = statOf(name);
      if (!stats) return undefined;
      if (stats.size > limit) throw tooLarge(root, name, stats.size, limit);
      return fs.readFileSync(join(root, cleanName(name, root)));
    },
    open: (name) => {
      const { size } = require(name);
      const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW;
      const descriptor = fs.openSync(join(root, cleanName(name, root)), flags);
      descriptors.add(descriptor);
      return fileChunks(descriptor, { offset: 0, size });
    },
    close: () => descriptors.forEach((descriptor) => fs.closeSync(descriptor)),
  };
}

function statInFolder(root: string, name: string): fs.Stats | undefined {
  let path = root;
  let stats: fs.Stats | undefined;
  for (const part of name.split("/")) {
    path = join(path, part);
    try {
      stats = fs.lstatSync(path);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return undefined;
      throw ioError(`reading \`${path}\``, error);
    }
    if (stats.isSymbolicLink()) throw malformed(root, `\`${name}\` is or lies behind a symbolic link`);
  }
  return stats?.isFile() ? stats : undefined;
}

/** A name without `./` and repeated slashes. Throws `E_ARCHIVE` for one that leads out of the archive. */
function cleanName(name: string, label: string): string {
  const parts: string[] = [];
  if (name.startsWith("/")) throw malformed(label, `the path \`${name.slice(0, 200)}\` is absolute`);
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw malformed(label, `the path \`${name.slice(0, 200)}\` leads out of it`);
  }
  return parts.join("/");
}

async function* fileChunks(descriptor: number, place: Place): AsyncGenerator<Buffer> {
  for (let done = 0; done < place.size;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, place.size - done));
    const count = await readAt(descriptor, chunk, place.offset + done);
    if (count === 0) throw new TareError("E_ARCHIVE", "reading an image archive: it became shorter meanwhile");
    done += count;
    yield chunk.subarray(0, count);
  }
}

function readAt(descriptor: number, chunk: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, chunk, 0, chunk.length, position, (error, count) =>
      error ? reject(ioError("reading an image archive", error)) : resolve(count),
    );
  });
}

/** The error for an archive that breaks its format. */
export function malformed(label: string, why: string): TareError {
  return new TareError("E_ARCHIVE", `reading image archive \`${label}\`: ${why}`);
}

function tooLarge(label: string, name: string, size: number, limit: number): TareError {
  return malformed(label, `\`${name}\` has ${size} bytes, more than ${limit}`);
}
