// SPDX-License-Identifier: Apache-2.0
/*
 * A tree becomes a backup in one walk. With a parent, its manifest is read beside the walk: both are in the same order,
 * so that what is new, changed or gone shows without holding either in memory.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TarWriter, asPath, displayName } from "../../archive/index.ts";
import type { Xattrs } from "../../archive/index.ts";
import { TareError, fileChunks, randomHex, systemErrorCode } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import { changing, sameContent } from "../copy-tree.ts";
import type { VolumeRecord } from "../record.ts";
import { segmentsOf } from "../copy-file.ts";
import { digestContent, entryFields, writeFile } from "./content.ts";
import type { ContentSource } from "./content.ts";
import { factsOf, stampOf, typeOf, walk, xattrsOf } from "./facts.ts";
import type { Met } from "./facts.ts";
import { DELETED, END, FORMAT, HEADER, MANIFEST, comparePaths, factsText, pathText, sameFacts } from "./format.ts";
import type { BackupEnd, BackupHeader, BackupName, Facts } from "./format.ts";
import { Sorted, Spool } from "./spool.ts";

/** What is backed up, and how. */
export interface BackupOptions {
  readonly volume: VolumeRecord;
  /** Where its files are; a byte string. */
  readonly data: string;
  /** A folder of the caller's for lists. */
  readonly folder: string;
  /** The backup to go on from, with its manifest's lines. */
  readonly parent?: { readonly name: BackupName; readonly facts: AsyncIterable<Facts> };
  /** Told of each file that was looked at, with its bytes. */
  readonly onFile?: (path: string, size: number) => void;
  readonly signal?: AbortSignal;
}

/** What a backup holds. */
export interface BackupReport extends BackupName {
  readonly entries: number;
  /** Bytes of content in the whole tree. */
  readonly bytes: number;
  /** Entries that are in this archive; the others are in its parents. */
  readonly stored: number;
  readonly deleted: number;
  /** Files that changed while they were read, and were read again. */
  readonly changed: readonly string[];
  /** Sockets, which no archive holds. */
  readonly skipped: readonly string[];
}

const TRIES = 3;
const YIELD_MS = 25;
const MOST_NAMES = 20;

/** Writes a backup. Throws `E_VOLUME_CHANGED` for a file that does not come to rest, `E_IO`, `E_ABORTED`. */
export async function writeBackup(sink: ByteSink, options: BackupOptions): Promise<BackupReport> {
  const writer = new TarWriter(sink);
  const header = headerOf(options);
  await writeText(writer, HEADER, `${JSON.stringify(header, undefined, 2)}\n`);
  const lists = { manifest: spool(options, "manifest"), deleted: spool(options, "deleted") };
  const walker = new Walker(writer, options, lists);
  const facts = await walker.run();
  lists.deleted.end();
  if (header.parent !== null) await writeList(writer, DELETED, lists.deleted);
  const manifest = lists.manifest.end();
  await writeList(writer, MANIFEST, lists.manifest);
  const { entries, bytes } = facts;
  const end: BackupEnd = { digest: await writer.digest(), manifest, entries, bytes };
  await writeText(writer, END, `${JSON.stringify(end)}\n`);
  await writer.finish();
  return { id: header.id, manifest, ...facts };
}

function headerOf({ volume, parent }: BackupOptions): BackupHeader {
  const { name, createdAt, labels, options } = volume;
  return {
    format: FORMAT,
    version: 1,
    id: randomHex(16),
    createdAt: Date.now(),
    volume: { name, createdAt, labels, options },
    parent: parent?.name ?? null,
  };
}

function spool({ folder }: BackupOptions, name: string): Spool {
  return new Spool(join(folder, `${name}-${randomHex(4)}`));
}

async function writeText(writer: TarWriter, name: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: bytes.length });
  await writer.write(bytes);
}

async function writeList(writer: TarWriter, name: string, list: Spool): Promise<void> {
  await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: list.size });
  for await (const chunk of fileChunks(list.path)) await writer.write(chunk);
}

type Counts = Omit<BackupReport, keyof BackupName>;

class Walker {
  readonly #writer: TarWriter;
  readonly #options: BackupOptions;
  readonly #lists: { readonly manifest: Spool; readonly deleted: Spool };
  /** The first name of each file that has several, and whether this archive has its content. */
  readonly #links = new Map<string, { readonly path: string; readonly isStored: boolean }>();
  readonly #room: Buffer = Buffer.allocUnsafeSlow(1 << 18);
  #parent: Sorted<Facts> | undefined;
  #yielded = Date.now();
  readonly #counts = { entries: 0, bytes: 0, stored: 0, deleted: 0, changed: [] as string[], skipped: [] as string[] };

  constructor(writer: TarWriter, options: BackupOptions, lists: { readonly manifest: Spool; readonly deleted: Spool }) {
    this.#writer = writer;
    this.#options = options;
    this.#lists = lists;
  }

  async run(): Promise<Counts> {
    const { parent, data } = this.#options;
    this.#parent = parent && (await Sorted.open(parent.facts));
    try {
      for (const met of walk(data)) {
        await this.#meet(met);
        await this.#breathe();
      }
      await this.#before(undefined);
    } finally {
      await this.#parent?.close();
    }
    return this.#counts;
  }

  async #meet(met: Met): Promise<void> {
    const type = typeOf(met.stats);
    if (type === undefined) return note(this.#counts.skipped, met.path);
    const known = await this.#before(met.path);
    const key = met.stats.nlink > 1n && type !== "directory" ? `${met.stats.dev}:${met.stats.ino}` : undefined;
    const first = key === undefined ? undefined : this.#links.get(key);
    const xattrs = first ? NONE : xattrsOf(met.place);
    const facts = first ? linkFacts(factsOf(met, type, NONE), first.path) : factsOf(met, type, xattrs);
    const done = await this.#store(met, { facts, xattrs, known, mustStore: first?.isStored === true });
    if (!done) return;
    if (key !== undefined && !first) this.#links.set(key, { path: met.path, isStored: done.isStored });
    this.#lists.manifest.line(factsText(done.facts));
    this.#counts.entries += 1;
    this.#counts.stored += done.isStored ? 1 : 0;
    const size = done.facts.size ?? 0;
    this.#counts.bytes += size;
    this.#options.onFile?.(displayName(met.path), size);
  }

  /** Notes what the parent has before a path and this tree has not; what it has at the path. */
  async #before(path: string | undefined): Promise<Facts | undefined> {
    for (let next = this.#parent?.next; next !== undefined; next = this.#parent?.next) {
      const order = path === undefined ? -1 : comparePaths(next.path, path);
      if (order > 0) return undefined;
      await this.#parent?.advance();
      if (order === 0) return next;
      this.#lists.deleted.line(pathText(next.path));
      this.#counts.deleted += 1;
    }
    return undefined;
  }

  async #store(met: Met, what: What): Promise<Stored | undefined> {
    const { facts, known, mustStore } = what;
    if (facts.type === "file") return await this.#file(met, what);
    if (known && sameFacts(known, facts) && !mustStore) return { facts, isStored: false };
    await this.#writer.entry(entryFields(facts, what.xattrs));
    return { facts, isStored: true };
  }

  /** Undefined for a file that vanished. */
  async #file(met: Met, { facts, known }: What): Promise<Stored | undefined> {
    const stamp = stampOf(met.stats, Date.now());
    const unchanged = stamp !== undefined && known?.stamp === stamp ? known.digest : undefined;
    if (known && unchanged && sameFacts(known, { ...facts, digest: unchanged })) {
      return { facts: { ...facts, digest: unchanged, ...stamped(stamp) }, isStored: false };
    }
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const read = await this.#read(met, known);
      if (read === undefined || !read.hasChanged) return read;
      if (tries === 1) note(this.#counts.changed, met.path);
    }
    throw changing(met.place);
  }

  async #read(met: Met, known: Facts | undefined): Promise<(Stored & { readonly hasChanged: boolean }) | undefined> {
    const descriptor = open(met.place);
    if (descriptor === undefined) return undefined;
    try {
      const stats = fs.fstatSync(descriptor, { bigint: true });
      if (!stats.isFile()) return undefined;
      const xattrs = xattrsOf(met.place);
      const facts = factsOf({ ...met, stats }, "file", xattrs);
      const source = this.#source(descriptor, stats);
      // Read without writing first, where the parent may have exactly this.
      const old = known?.size === facts.size ? await digestContent(source) : undefined;
      const isKnown = known !== undefined && old !== undefined && sameFacts(known, { ...facts, digest: old });
      const digest = isKnown ? old : await writeFile(this.#writer, entryFields(facts, xattrs), source);
      const after = fs.fstatSync(descriptor, { bigint: true });
      const hasChanged = after.nlink > 0n && !sameContent(stats, after);
      const stamp = stamped(stampOf(stats, Date.now()));
      return { facts: { ...facts, digest, ...stamp }, isStored: !isKnown, hasChanged };
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #source(descriptor: number, stats: fs.BigIntStats): ContentSource {
    return {
      stats,
      segments: segmentsOf(descriptor, stats),
      read: (position, most) => {
        const count = fs.readSync(descriptor, this.#room, 0, Math.min(most, this.#room.length), position);
        return count === 0 ? undefined : this.#room.subarray(0, count);
      },
      pause: () => this.#breathe(),
    };
  }

  async #breathe(): Promise<void> {
    if (Date.now() - this.#yielded <= YIELD_MS) return;
    await nextTurn();
    if (this.#options.signal?.aborted) throw new TareError("E_ABORTED", "backing up: interrupted", { exitCode: 130 });
    this.#yielded = Date.now();
  }
}

interface What {
  readonly facts: Facts;
  readonly xattrs: Xattrs;
  /** What the parent has at the path. */
  readonly known: Facts | undefined;
  /** Another name of a file that this archive has. */
  readonly mustStore: boolean;
}

interface Stored {
  readonly facts: Facts;
  readonly isStored: boolean;
}

const NONE: Xattrs = new Map();

/** A further name of a file: what is in it stands with the first one. */
function linkFacts({ path, mode, uid, gid, mtime }: Facts, link: string): Facts {
  return { path, type: "hardlink", mode, uid, gid, mtime, link };
}

function stamped(stamp: string | undefined): Pick<Facts, "stamp"> {
  return stamp === undefined ? {} : { stamp };
}

/** Undefined for what is gone, or no file any more. */
function open(place: string): number | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  try {
    return fs.openSync(asPath(place), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ELOOP", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}

function note(names: string[], path: string): void {
  if (names.length < MOST_NAMES) names.push(displayName(path));
}
