// SPDX-License-Identifier: Apache-2.0
/* A walk of a tree that writes what it meets, and a line of facts for each name. */
import * as fs from "node:fs";
import { Turns, asPath, displayName, tarTypeOf } from "../../archive/index.ts";
import type { TarFields, Xattrs } from "../../archive/index.ts";
import { systemErrorCode } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { segmentsOf } from "../copy-file.ts";
import { changing, sameContent } from "../copy-tree.ts";
import { digestContent, entryFields } from "./content.ts";
import type { ContentSource } from "./content.ts";
import { factsOf, stampOf, walk, xattrsOf } from "./facts.ts";
import type { Met } from "./facts.ts";
import { comparePaths, factsText, pathText, sameFacts } from "./format.ts";
import type { BackupName, Facts } from "./format.ts";
import { Sorted } from "./spool.ts";
import type { Spool } from "./spool.ts";

/** What is walked. */
export interface WalkOptions {
  /** Where the files are; a byte string. */
  readonly data: string;
  /** The backup to go on from, with its manifest's lines: what it has is not written again. */
  readonly parent?: { readonly name: BackupName; readonly facts: AsyncIterable<Facts> };
  /** Told of each file that was looked at, with its bytes. */
  readonly onFile?: (path: string, size: number) => void;
  readonly signal?: AbortSignal;
}

/** Takes entries in the order of the walk. A file that changed while it was read comes again right after. */
export interface EntryTarget {
  entry(fields: TarFields): Promise<void>;
  /** Reads all of the source; the digest of its content. */
  file(fields: TarFields, source: ContentSource): Promise<Digest>;
}

/** Where the lines go. */
export interface WalkLists {
  readonly manifest: Spool;
  /** Paths that the parent has and the tree has not. */
  readonly deleted?: Spool;
}

/** What was met. */
export interface WalkCounts {
  readonly entries: number;
  /** Bytes of content in the whole tree. */
  readonly bytes: number;
  /** Entries that were written; the others are in the parents. */
  readonly stored: number;
  readonly deleted: number;
  /** Files that changed while they were read, and were read again. */
  readonly changed: readonly string[];
  /** Sockets, which no archive holds. */
  readonly skipped: readonly string[];
}

const TRIES = 3;
const MOST_NAMES = 20;

/** Walks a tree. Throws `E_VOLUME_CHANGED` for a file that does not come to rest, `E_IO`, `E_ABORTED`. */
export async function walkInto(target: EntryTarget, options: WalkOptions, lists: WalkLists): Promise<WalkCounts> {
  return new Walker(target, options, lists).run();
}

class Walker {
  readonly #target: EntryTarget;
  readonly #options: WalkOptions;
  readonly #lists: WalkLists;
  /** The first name of each file that has several, and whether this archive has its content. */
  readonly #links = new Map<string, { readonly path: string; readonly isStored: boolean }>();
  readonly #room: Buffer = Buffer.allocUnsafeSlow(1 << 18);
  #parent: Sorted<Facts> | undefined;
  readonly #turns: Turns;
  readonly #counts = { entries: 0, bytes: 0, stored: 0, deleted: 0, changed: [] as string[], skipped: [] as string[] };

  constructor(target: EntryTarget, options: WalkOptions, lists: WalkLists) {
    this.#target = target;
    this.#options = options;
    this.#turns = new Turns("reading the volume", options.signal);
    this.#lists = lists;
  }

  async run(): Promise<WalkCounts> {
    const { parent, data } = this.#options;
    this.#parent = parent && (await Sorted.open(parent.facts));
    try {
      for (const met of walk(data)) {
        await this.#meet(met);
        await this.#turns.give();
      }
      await this.#before(undefined);
    } finally {
      await this.#parent?.close();
    }
    return this.#counts;
  }

  async #meet(met: Met): Promise<void> {
    const type = tarTypeOf(met.stats);
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
      this.#lists.deleted?.line(pathText(next.path));
      this.#counts.deleted += 1;
    }
    return undefined;
  }

  async #store(met: Met, what: What): Promise<Stored | undefined> {
    const { facts, known, mustStore } = what;
    if (facts.type === "file") return await this.#file(met, what);
    if (known && sameFacts(known, facts) && !mustStore) return { facts, isStored: false };
    await this.#target.entry(entryFields(facts, what.xattrs));
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
      const digest = isKnown ? old : await this.#target.file(entryFields(facts, xattrs), source);
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
      pause: () => this.#turns.give(),
    };
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
