// SPDX-License-Identifier: Apache-2.0
/*
 * A tree that is on no disk: files by path, whose content is in memory or in zip archives. It is visited exactly as
 * `walkTree` visits the tree that would be made of it, so both give the same tar.
 */
import { TareError } from "../base/index.ts";
import { byteName, displayName } from "./tar-entry.ts";
import type { TreeFacts, TreeVisitor } from "./pack.ts";
import type { SpliceSource } from "./splice/types.ts";
import type { TarFields } from "./tar-encode.ts";
import { Turns } from "./turns.ts";

/** A file that is planned. */
export interface PlannedContent {
  readonly mode: number;
  readonly size: number;
  /** Memory, or the entry of an open zip. */
  readonly content: Buffer | SpliceSource;
  /** Its zip only keeps it: a splice compresses it, and does not take over how the zip holds it. */
  readonly isLoose?: boolean;
  /** Sees the content when it is read; `end` may throw to refuse it. */
  readonly observe?: () => ContentObserver;
}

/** Looks on while a content is read. */
export interface ContentObserver {
  update(chunk: Uint8Array): void;
  end(): void;
}

/** Files by path (text, no leading slash); the folders above them are made with mode 755. */
export type PlannedFiles = ReadonlyMap<string, PlannedContent>;

/** How a planned tree is visited. */
export interface PlannedOptions {
  /** Seconds: the time of everything. */
  readonly time: number;
  readonly signal?: AbortSignal;
}

/** The zip entry whose bytes a splice takes over, if there is one. */
export function spliceSource(file: PlannedContent | undefined): SpliceSource | undefined {
  if (file === undefined || file.isLoose === true || Buffer.isBuffer(file.content)) return undefined;
  return file.content;
}

type Node = Folder | PlannedContent;
/** Children by byte name. */
type Folder = Map<string, Node>;

/** Visits planned files in the canonical order of a layer. Throws `E_WHITEOUT`, `E_TAR_HEADER` for a file and a folder of one name. */
export async function walkPlanned(
  files: PlannedFiles,
  visitor: TreeVisitor,
  options: PlannedOptions,
): Promise<TreeFacts> {
  const walk = new PlannedWalk(visitor, options);
  await walk.folder(folderOf(files), "");
  return { files: walk.files, contentSize: walk.contentSize, whiteouts: 0, opaque: [], hasXattrs: false };
}

function folderOf(files: PlannedFiles): Folder {
  const root: Folder = new Map();
  for (const [path, file] of files) {
    const parts = path.split("/").map((part) => byteName(part, undefined));
    const name = parts.pop() ?? "";
    let folder = root;
    for (const part of parts) folder = subFolder(folder, part, path);
    if (folder.has(name)) throw twice(path);
    folder.set(name, file);
  }
  return root;
}

function subFolder(folder: Folder, name: string, path: string): Folder {
  const known = folder.get(name);
  if (known instanceof Map) return known;
  if (known) throw twice(path);
  const made: Folder = new Map();
  folder.set(name, made);
  return made;
}

function twice(path: string): TareError {
  return new TareError(
    "E_TAR_HEADER",
    `packing \`${displayName(byteName(path, undefined))}\`: a file and a folder have one name`,
  );
}

class PlannedWalk {
  readonly #visitor: TreeVisitor;
  readonly #options: PlannedOptions;
  readonly #turns: Turns;
  files = 0;
  contentSize = 0;

  constructor(visitor: TreeVisitor, options: PlannedOptions) {
    this.#visitor = visitor;
    this.#options = options;
    this.#turns = new Turns("packing", options.signal);
  }

  async folder(folder: Folder, path: string): Promise<void> {
    for (const name of [...folder.keys()].sort()) {
      const node = folder.get(name);
      if (name.startsWith(".wh.")) throw forged(path + name);
      if (node instanceof Map) {
        await this.#visitor.entry(this.#fields("directory", path + name, { mode: 0o755, size: 0 }));
        await this.folder(node, `${path}${name}/`);
      } else if (node) await this.#file(path + name, node);
      await this.#turns.give();
    }
  }

  async #file(name: string, file: PlannedContent): Promise<void> {
    const fields = this.#fields("file", name, file);
    await this.#visitor.entry(fields);
    this.files += 1;
    this.contentSize += file.size;
    if (file.size > 0) await this.#visitor.content(file, fields, () => this.#turns.give());
    else file.observe?.().end();
  }

  #fields(type: "file" | "directory", name: string, { mode, size }: Pick<PlannedContent, "mode" | "size">): TarFields {
    return { type, name, mode, uid: 0, gid: 0, size, mtime: this.#options.time, deviceMajor: 0, deviceMinor: 0 };
  }
}

function forged(name: string): TareError {
  return new TareError(
    "E_WHITEOUT",
    `packing \`${displayName(name)}\`: a name that starts with .wh. means a deletion`,
    { hint: "a layer cannot hold such a file" },
  );
}
