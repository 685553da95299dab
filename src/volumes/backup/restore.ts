// SPDX-License-Identifier: Apache-2.0
/* Backups become a tree again: unpacked one after the other into a folder, which is then made what the last one says. */
import * as fs from "node:fs";
import { asPath, displayName, openExtraction, tarTypeOf } from "../../archive/index.ts";
import type { Extraction, TarHeader } from "../../archive/index.ts";
import { canGiveFiles, linux } from "../../base/index.ts";
import { factsOf, walk, xattrsOf } from "./facts.ts";
import type { Met } from "./facts.ts";
import { comparePaths, damaged, sameFacts } from "./format.ts";
import type { BackupHeader, BackupName, Facts } from "./format.ts";
import { factsIn } from "./compare.ts";
import { readBackup } from "./read.ts";
import type { BackupContents, BackupVisitor } from "./read.ts";
import type { EntryVisitor } from "./seen.ts";
import { Sorted } from "./spool.ts";

/** Where backups go. */
export interface RestoreOptions {
  /** An empty folder; a byte string. */
  readonly tree: string;
  /** Another one, for lists. */
  readonly folder: string;
  /** Told of each file, with its bytes. */
  readonly onFile?: (path: string, size: number) => void;
  readonly signal?: AbortSignal;
}

/** What was restored: that of the last backup. */
export interface Restored extends BackupContents {
  readonly warnings: readonly string[];
}

/**
 * Restores a full backup and the incremental ones that follow it. The tree is exactly what the last one says, or an
 * error is thrown: `E_VOLUME_BACKUP`, `E_NOSPACE`, `E_IO`, `E_ABORTED`. What is left after an error is rubbish.
 */
export async function restoreBackups(
  sources: readonly AsyncIterable<Uint8Array>[],
  options: RestoreOptions,
): Promise<Restored> {
  const { signal } = options;
  const warnings: string[] = [];
  let last: BackupContents | undefined;
  for (const source of sources) {
    const visitor = new BackupUnpacker(options, last);
    try {
      last = await readBackup(source, options.folder, { visitor, ...(signal === undefined ? {} : { signal }) });
      warnings.push(...visitor.finish());
    } finally {
      visitor.close();
    }
    await settleTree(options.tree, last.manifest);
  }
  if (last === undefined) throw damaged("none was given", "name a file, or redirect the standard input");
  return { ...last, warnings: [...new Set(warnings)] };
}

/** Unpacks into a tree what comes. The caller closes. */
export class TreeUnpacker implements EntryVisitor {
  readonly #options: RestoreOptions;
  readonly #extraction: Extraction;

  constructor(options: RestoreOptions) {
    this.#options = options;
    const how = { mode: "plain", keepMarks: true } as const;
    this.#extraction = openExtraction(Buffer.from(options.tree, "latin1").toString("utf8"), how);
  }

  entry(header: TarHeader): void {
    this.#options.onFile?.(header.name, header.size);
    this.#extraction.entry(header);
  }

  reopen(header: TarHeader): void {
    this.#extraction.reopen(header);
  }

  data(piece: Buffer, position: number): void {
    this.#extraction.data(piece, position);
  }

  end(): void {
    this.#extraction.end();
  }

  /** Warnings of what could not be kept. */
  finish(): readonly string[] {
    return this.#extraction.finish().warnings;
  }

  close(): void {
    this.#extraction.close();
  }
}

class BackupUnpacker extends TreeUnpacker implements BackupVisitor {
  readonly #before: BackupName | undefined;

  constructor(options: RestoreOptions, before: BackupContents | undefined) {
    super(options);
    this.#before = before && { id: before.header.id, manifest: before.end.manifest };
  }

  header(header: BackupHeader): void {
    checkChain(header, this.#before);
  }
}

function checkChain({ parent, id }: BackupHeader, before: BackupName | undefined): void {
  if (parent === null && before === undefined) return;
  if (parent === null) throw damaged(`backup ${id} is a full one`, "give it alone, or first of its chain");
  if (before === undefined) {
    throw damaged(
      `backup ${id} is an incremental one of ${parent.id}`,
      "give all files of its chain in their order, the full one first",
    );
  }
  if (parent.id === before.id && parent.manifest === before.manifest) return;
  throw damaged(`backup ${id} goes on from ${parent.id}, not from ${before.id}`, "give the files in their order");
}

/** Makes a tree what a manifest says: deletes what that has not, compares the rest with it, and sets the times of folders. */
export async function settleTree(tree: string, manifest: string): Promise<void> {
  const links = new Map<string, string>();
  const wanted = await Sorted.open(factsIn(manifest));
  const extra: string[] = [];
  for (const met of walk(tree)) {
    const facts = wanted.next;
    const order = facts === undefined ? 1 : comparePaths(facts.path, met.path);
    if (facts !== undefined && order < 0) throw notThere(facts);
    if (order > 0) {
      const above = extra.at(-1);
      if (above === undefined || !met.place.startsWith(`${above}/`)) extra.push(met.place);
      continue;
    }
    await wanted.advance();
    if (facts) compareOne(met, facts, links);
  }
  if (wanted.next !== undefined) throw notThere(wanted.next);
  for (const place of extra) fs.rmSync(asPath(place), { recursive: true, force: true });
  for await (const facts of factsIn(manifest)) if (facts.type === "directory") setTime(tree, facts);
}

function notThere({ path }: Facts): Error {
  return damaged(`\`${displayName(path)}\` is in its manifest and did not come`);
}

function compareOne(met: Met, facts: Facts, links: Map<string, string>): void {
  const { stats } = met;
  const type = tarTypeOf(stats);
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1n && type !== "directory" ? links.get(key) : undefined;
  if (facts.type === "hardlink" && first === facts.link) return;
  if (facts.type === "hardlink" || first !== undefined || type === undefined) throw wrong(facts);
  if (stats.nlink > 1n) links.set(key, facts.path);
  const found = factsOf(met, type, xattrsOf(met.place));
  if (!sameFacts(comparable(found, facts), comparable(facts, facts))) throw wrong(facts);
}

/** Contents were compared on their way in; times of folders are set afterwards; an ordinary user owns all. */
function comparable(facts: Facts, wanted: Facts): Facts {
  const { digest: _digest, xattrs, ...rest } = facts;
  const isDirectory = wanted.type === "directory";
  const owner = canGiveFiles() ? {} : { uid: 0, gid: 0 };
  const attributes = canGiveFiles() && xattrs !== undefined ? { xattrs } : {};
  return { ...rest, ...owner, ...attributes, ...(isDirectory ? { mtime: "0" } : {}) };
}

function wrong({ path }: Facts): Error {
  return damaged(`\`${displayName(path)}\` did not become what its manifest says`);
}

function setTime(tree: string, { path, mtime }: Facts): void {
  const place = asPath(path === "" ? tree : `${tree}/${path}`);
  const time = BigInt(mtime);
  linux.utimensat(linux.AT_FDCWD, place, { atime: time, mtime: time }, linux.AT_SYMLINK_NOFOLLOW);
}
