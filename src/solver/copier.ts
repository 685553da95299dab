// SPDX-License-Identifier: Apache-2.0
/*
 * Applies a copy plan to a layer in the making. Behaviour at the destination follows BuildKit: links in the
 * destination's path are followed inside the root, a trailing slash makes a directory, directories are merged, an
 * existing directory at the top keeps its look while nested ones take the source's.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { TareError, ioError, linux } from "../base/index.ts";
import { parseChmod } from "./chmod.ts";
import { baseName, cleanPath, isInline } from "./copy-plan.ts";
import { CAPABILITY, copyXattrs } from "./staged-tree.ts";
import { unpackArchive } from "./unpack.ts";
import type { CopyOp } from "../graph/index.ts";
import type { TreeEntry } from "../store/index.ts";
import type { CopyMatch, CopyPlan, InlineMatch, PlannedEntry } from "./copy-plan.ts";
import type { Owner } from "../base/index.ts";
import type { DirectoryLook, StagedTree } from "./staged-tree.ts";

/** What copying needs besides the plan. */
export interface CopyTarget {
  readonly op: CopyOp;
  readonly staged: StagedTree;
  /** The step's `--chown`, looked up. */
  readonly owner?: Owner;
  /** False for an input whose owners mean nothing here: files of the user's context belong to root. */
  readonly keepOwners: (input: number) => boolean;
  readonly signal?: AbortSignal;
}

/** Copies everything of the plan. Throws `E_COPY` and io errors. */
export async function applyCopy(plan: CopyPlan, target: CopyTarget): Promise<void> {
  const copier = new Copier(target);
  for (const match of plan) {
    if (isInline(match)) copier.writeInline(match);
    else await copier.copyMatch(match);
  }
  target.staged.close();
}

class Copier {
  readonly #target: CopyTarget;
  readonly #chmod: ReturnType<typeof parseChmod> | undefined;
  readonly #destination: string;

  constructor(target: CopyTarget) {
    this.#target = target;
    this.#chmod = target.op.chmod ? parseChmod(target.op.chmod) : undefined;
    this.#destination = target.op.destination;
  }

  writeInline(match: InlineMatch): void {
    const path = this.#finalPath(match.name, false);
    const hostPath = this.#target.staged.placeFor(path);
    fs.writeFileSync(hostPath, match.content, { flag: "wx" });
    this.#target.staged.finish(hostPath, this.#target.owner ?? ROOT, this.#mode(0o644, false));
  }

  async copyMatch(match: CopyMatch): Promise<void> {
    const [top] = match.entries;
    if (!top) return;
    if (this.#mayUnpack(match) && (await this.#unpack(top.entry))) return;
    const path = this.#finalPath(match.name, match.isDirectory);
    if (match.isDirectory) this.#target.staged.makeDirectories(path, this.#createdLook());
    await new MatchCopy(match, path, this.#target, (mode, isDirectory) => this.#mode(mode, isDirectory)).run();
  }

  #mayUnpack(match: CopyMatch): boolean {
    return match.unpack && match.entries[0]?.entry.stats.isFile() === true;
  }

  async #unpack(entry: TreeEntry): Promise<boolean> {
    const { staged, owner, signal } = this.#target;
    const path = (): string => {
      const resolved = staged.resolve(this.#destination);
      staged.makeDirectories(resolved, { ...(owner ?? ROOT), mode: 0o755 });
      return resolved;
    };
    return unpackArchive(entry, { staged, path, ...(owner ? { owner } : {}), ...(signal ? { signal } : {}) });
  }

  /** Where one source goes; missing directories of the destination are made. */
  #finalPath(name: string, isDirectory: boolean): string {
    const { staged } = this.#target;
    const look = this.#createdLook();
    const isFolder = this.#destination.endsWith("/") || this.#destination.endsWith("/.");
    const ensured = isFolder ? this.#destination : dirname(this.#destination);
    staged.makeDirectories(staged.resolve(ensured), look);
    let path = staged.resolve(cleanPath(this.#destination));
    const existing = staged.lookup(path);
    if (!isDirectory && (existing?.stats.isDirectory() || path === "")) path = path === "" ? name : `${path}/${name}`;
    if (path.includes("/")) staged.makeDirectories(path.slice(0, path.lastIndexOf("/")), look);
    return path;
  }

  #createdLook(): DirectoryLook {
    return { ...(this.#target.owner ?? ROOT), mode: (this.#chmod?.octal ?? 0o755) & 0o777 };
  }

  #mode(mode: number, isDirectory: boolean): number {
    return this.#chmod ? this.#chmod.change(mode, isDirectory) : mode;
  }
}

const ROOT: Owner = { uid: 0, gid: 0 };

type Remode = (mode: number, isDirectory: boolean) => number;

/** What a copy keeps of a file's attributes, as in BuildKit's layers: its capabilities and nothing else. */
function isKept(name: string): boolean {
  return name === CAPABILITY;
}

/** Files from this size on are copied without blocking the event loop. */
const LARGE = 8 << 20;

/** Copies one match's entries below its final path. */
class MatchCopy {
  readonly #match: CopyMatch;
  readonly #path: string;
  readonly #target: CopyTarget;
  readonly #remode: Remode;
  readonly #links = new Map<number, string>();
  readonly #pending: PlannedEntry[] = [];

  constructor(match: CopyMatch, path: string, target: CopyTarget, remode: Remode) {
    this.#match = match;
    this.#path = path;
    this.#target = target;
    this.#remode = remode;
  }

  async run(): Promise<void> {
    for (const planned of this.#match.entries) {
      this.#target.signal?.throwIfAborted();
      try {
        if (planned.entry.stats.isDirectory()) this.#directory(planned);
        else await this.#other(planned);
      } catch (error) {
        throw ioError(`copying \`${planned.entry.path}\``, error);
      }
    }
  }

  #destinationOf(planned: PlannedEntry): string {
    if (planned.relative === "") return this.#path;
    return this.#path === "" ? planned.relative : `${this.#path}/${planned.relative}`;
  }

  #directory(planned: PlannedEntry): void {
    if (planned.included) this.#makeDirectory(planned);
    else this.#pending.push(planned);
  }

  #makeDirectory(planned: PlannedEntry): void {
    const path = this.#destinationOf(planned);
    const { staged } = this.#target;
    const { stats } = planned.entry;
    const look = { ...this.#owner(planned.entry), mode: this.#remode(stats.mode & 0o7777, true) };
    this.#makeParents(planned);
    const existing = staged.lookup(path);
    if (!existing) staged.makeDirectory(path, look);
    else if (!existing.stats.isDirectory())
      throw new TareError("E_COPY", `copying to \`/${path}\`: cannot copy to non-directory`);
    else if (planned.relative !== "") staged.changeDirectory(path, look);
    if (this.#match.tree.hasXattrs && path !== "" && planned.relative !== "") {
      copyXattrs(planned.entry.hostPath, staged.stageDirectory(path), isKept);
    }
  }

  /** Makes the directories on the way that are only wanted because something in them is. */
  #makeParents(planned: PlannedEntry): void {
    const waiting = this.#pending.filter(
      (parent) => parent.relative === "" || planned.relative.startsWith(`${parent.relative}/`),
    );
    this.#pending.length = 0;
    for (const parent of waiting) {
      this.#makeParent(parent);
    }
  }

  /** A new one looks like the source; one that is there takes only the source's mode. */
  #makeParent(parent: PlannedEntry): void {
    const path = this.#destinationOf(parent);
    const { staged } = this.#target;
    const mode = parent.entry.stats.mode & 0o7777;
    const existing = staged.lookup(path);
    if (!existing) staged.makeDirectory(path, { ...this.#owner(parent.entry), mode: this.#remode(mode, true) });
    else if (!existing.stats.isDirectory())
      throw new TareError("E_COPY", `copying to \`/${path}\`: cannot copy to non-directory`);
    else if (parent.relative !== "")
      staged.changeDirectory(path, { uid: existing.stats.uid, gid: existing.stats.gid, mode });
  }

  async #other(planned: PlannedEntry): Promise<void> {
    this.#makeParents(planned);
    const { entry } = planned;
    const hostPath = this.#target.staged.placeFor(this.#destinationOf(planned));
    if (this.#linkToEarlier(entry, hostPath)) return;
    await makeLike(entry, hostPath);
    const mode = entry.stats.isSymbolicLink() ? undefined : this.#remode(entry.stats.mode & 0o7777, false);
    this.#target.staged.finish(hostPath, this.#owner(entry), mode);
    if (this.#match.tree.hasXattrs) copyXattrs(entry.hostPath, hostPath, isKept);
  }

  #linkToEarlier(entry: TreeEntry, hostPath: string): boolean {
    if (!entry.stats.isFile() || entry.stats.nlink < 2) return false;
    const first = this.#links.get(entry.stats.ino);
    if (first === undefined) this.#links.set(entry.stats.ino, hostPath);
    else fs.linkSync(first, hostPath);
    return first !== undefined;
  }

  #owner(entry: TreeEntry): Owner {
    if (this.#target.owner) return this.#target.owner;
    return this.#target.keepOwners(this.#match.from) ? { uid: entry.stats.uid, gid: entry.stats.gid } : ROOT;
  }
}

async function makeLike(entry: TreeEntry, hostPath: string): Promise<void> {
  const { stats } = entry;
  if (stats.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(entry.hostPath), hostPath);
  else if (stats.isFile()) await copyContent(entry, hostPath);
  else if (stats.isFIFO()) linux.mknod(hostPath, linux.S_IFIFO | (stats.mode & 0o7777), 0n);
  else if (stats.isCharacterDevice()) linux.mknod(hostPath, linux.S_IFCHR | (stats.mode & 0o7777), BigInt(stats.rdev));
  else if (stats.isBlockDevice()) linux.mknod(hostPath, linux.S_IFBLK | (stats.mode & 0o7777), BigInt(stats.rdev));
  else throw new TareError("E_COPY", `copying \`${baseName(entry.path)}\`: sockets cannot be copied`);
}

async function copyContent(entry: TreeEntry, hostPath: string): Promise<void> {
  if (entry.stats.size >= LARGE) {
    await fs.promises.copyFile(entry.hostPath, hostPath, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
  } else {
    // copyFile(3) costs 0.5 ms a file on ext4 (copy_file_range waits for delayed allocation); this costs 0.05 ms.
    fs.writeFileSync(hostPath, fs.readFileSync(entry.hostPath), { flag: "wx", mode: 0o600 });
  }
  checkUnchanged(entry);
}

/** The cache key was made from the file as it was: one that changes during the build must not be stored under it. */
function checkUnchanged({ path, hostPath, stats }: TreeEntry): void {
  const now = fs.lstatSync(hostPath, { throwIfNoEntry: false });
  if (now?.mtimeMs === stats.mtimeMs && now.size === stats.size && now.ino === stats.ino) return;
  throw new TareError("E_COPY", `copying \`${path}\`: the file changed while it was copied`, {
    hint: "build again when nothing writes to it",
  });
}
