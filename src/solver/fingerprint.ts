// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { Hasher, digestFromHex, digestOf, ioError, linux } from "../base/index.ts";
import { isInline } from "./copy-plan.ts";
import { CAPABILITY } from "./staged-tree.ts";
import type { Digest } from "../base/index.ts";
import type { FileStamp, FingerprintMemo, TreeEntry } from "../store/index.ts";
import type { CopyMatch, CopyPlan, PlannedEntry } from "./copy-plan.ts";

/** Digests of files' bytes, remembered by the files' stamps between builds. */
export interface FileDigests {
  digest(entry: TreeEntry): Digest | Promise<Digest>;
}

/** Files up to this many bytes are read whole; larger ones are streamed. */
const SMALL = 1 << 20;

/** Digests of context files through the store's memo; `root` is the context folder. */
export class MemoDigests implements FileDigests {
  readonly #memo: ReturnType<FingerprintMemo["open"]>;

  constructor(memo: ReturnType<FingerprintMemo["open"]>) {
    this.#memo = memo;
  }

  digest(entry: TreeEntry): Digest | Promise<Digest> {
    const stamp = stampOf(entry.stats);
    const known = this.#memo.get(entry.path, stamp);
    if (known) return known;
    const made = digestFile(entry);
    if (typeof made === "string") return this.#remember(entry, stamp, made);
    return made.then((digest) => this.#remember(entry, stamp, digest));
  }

  #remember(entry: TreeEntry, stamp: FileStamp, digest: Digest): Digest {
    this.#memo.set(entry.path, stamp, digest);
    return digest;
  }
}

/** Digests of files of layers, computed when asked. */
export const PLAIN_DIGESTS: FileDigests = { digest: digestFile };

function stampOf(stats: fs.Stats): FileStamp {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: stats.size,
    mtime: nanoseconds(stats.mtimeMs),
    ctime: nanoseconds(stats.ctimeMs),
  };
}

/** `Stats` holds times as milliseconds in a double, exact to a quarter microsecond: enough to see a change. */
function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6));
}

function digestFile(entry: TreeEntry): Digest | Promise<Digest> {
  if (entry.stats.size > SMALL) return digestLargeFile(entry.hostPath);
  try {
    return digestFromHex(createHash("sha256").update(fs.readFileSync(entry.hostPath)).digest("hex"));
  } catch (error) {
    throw ioError(`reading \`${entry.hostPath}\``, error);
  }
}

async function digestLargeFile(path: string): Promise<Digest> {
  const hasher = new Hasher();
  for await (const chunk of fs.createReadStream(path, { highWaterMark: SMALL })) hasher.update(chunk as Buffer);
  return hasher.digest();
}

/** How the files of one input count in a digest. */
export interface InputView {
  readonly digests: FileDigests;
  /** Their owners count: those of layers do, those of the user's folders don't. */
  readonly owners: boolean;
}

/**
 * The digest of what a plan copies: names, types, modes, link targets, file contents, capabilities, and owners where
 * they count; never times. Equal digests mean equal results on an equal destination.
 */
export async function planDigest(plan: CopyPlan, view: (input: number) => InputView): Promise<Digest> {
  const hasher = new Hasher();
  for (const match of plan) {
    if (isInline(match)) hasher.update(`inline ${JSON.stringify(match.name)} ${digestOf(match.content)}\n`);
    else await hashMatch(hasher, match, view(match.from));
  }
  return hasher.digest();
}

async function hashMatch(hasher: Hasher, match: CopyMatch, { digests, owners }: InputView): Promise<void> {
  hasher.update(`match ${JSON.stringify(match.name)} ${match.unpack ? "unpack" : ""}\n`);
  const links = new Map<number, string>();
  for (const planned of match.entries) {
    const content = await contentOf(planned, digests, links);
    const { stats } = planned.entry;
    const owner = owners ? `${stats.uid}:${stats.gid}` : "";
    const flags = `${planned.included ? "" : "parent"}${match.tree.hasXattrs ? capabilities(planned.entry) : ""}`;
    hasher.update(`${JSON.stringify(planned.relative)} ${stats.mode.toString(8)} ${owner} ${content} ${flags}\n`);
  }
}

function capabilities({ stats, hostPath }: TreeEntry): string {
  return stats.isFile() ? (linux.lgetxattr(hostPath, CAPABILITY)?.toString("hex") ?? "") : "";
}

function contentOf(planned: PlannedEntry, digests: FileDigests, links: Map<number, string>): string | Promise<string> {
  const { entry, relative } = planned;
  if (entry.stats.isDirectory()) return "";
  if (entry.stats.isSymbolicLink()) return JSON.stringify(fs.readlinkSync(entry.hostPath));
  if (!entry.stats.isFile()) return `device ${entry.stats.rdev}`;
  if (entry.stats.nlink > 1) {
    const first = links.get(entry.stats.ino);
    if (first !== undefined) return `link ${JSON.stringify(first)}`;
    links.set(entry.stats.ino, relative);
  }
  return digests.digest(entry);
}
