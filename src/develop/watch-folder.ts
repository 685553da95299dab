// SPDX-License-Identifier: Apache-2.0
/*
 * Watches a project's folders by inotify, one watch for a folder: ignored ones, with what is below them, cost nothing.
 * Several changes within a moment (an editor that saves by rename, a branch that is checked out) are told as one.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, systemErrorCode } from "../base/index.ts";
import type { IgnoreFilter } from "../dockerfile/index.ts";

/** How long nothing must happen before a change is told. */
const QUIET = 120;

/** What is watched. */
export interface WatchFolderOptions {
  /** Absolute. */
  readonly root: string;
  readonly ignore: IgnoreFilter;
  /** Paths that changed, relative to the root. */
  readonly onChange: (paths: readonly string[]) => void;
}

/** A watched tree of folders. The maker closes it. */
export class FolderWatch {
  readonly #options: WatchFolderOptions;
  readonly #folders = new Map<string, fs.FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** Begins to watch. Throws `E_IO`, `E_UNSUPPORTED` when the kernel has no more watches for this user. */
  constructor(options: WatchFolderOptions) {
    this.#options = options;
    try {
      this.#add("");
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** How many folders are watched. */
  get count(): number {
    return this.#folders.size;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #add(folder: string): void {
    if (this.#folders.has(folder)) return;
    const path = join(this.#options.root, folder);
    const watcher = watch(path, (name) => this.#onEvent(folder, name));
    if (!watcher) return;
    watcher.on("error", () => this.#drop(folder));
    this.#folders.set(folder, watcher);
    for (const entry of entriesOf(path)) {
      const below = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && this.#counts(below, true)) this.#add(below);
    }
  }

  #drop(folder: string): void {
    for (const [path, watcher] of this.#folders) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      this.#folders.delete(path);
    }
  }

  #counts(path: string, isDirectory: boolean): boolean {
    const { ignore } = this.#options;
    return !ignore.excludes(path, isDirectory) || (isDirectory && ignore.mayIncludeBelow(path));
  }

  #onEvent(folder: string, name: string): void {
    const path = folder === "" ? name : `${folder}/${name}`;
    const isDirectory = fs.lstatSync(join(this.#options.root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (!this.#counts(path, isDirectory)) return;
    if (isDirectory && this.#folders.has(path)) return;
    if (!isDirectory) {
      this.#drop(path);
      return this.#note(path);
    }
    this.#add(path);
    // What came into a new folder before it was watched.
    for (const file of this.#filesIn(path)) this.#note(file);
  }

  #filesIn(folder: string): readonly string[] {
    return entriesOf(join(this.#options.root, folder)).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (!this.#counts(path, entry.isDirectory())) return [];
      return entry.isDirectory() ? this.#filesIn(path) : [path];
    });
  }

  #note(path: string): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), QUIET);
  }

  #tell(): void {
    const paths = [...this.#changed].sort();
    this.#changed.clear();
    this.#options.onChange(paths);
  }
}

/** Undefined for a folder that has gone meanwhile. */
function watch(path: string, onName: (name: string) => void): fs.FSWatcher | undefined {
  try {
    return fs.watch(path, (_kind, name) => void (name !== null && onName(name)));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code !== "ENOSPC" && code !== "EMFILE") throw ioError(`watching \`${path}\``, error);
    throw new TareError("E_UNSUPPORTED", `watching \`${path}\`: this user has no more watches`, {
      hint: "leave folders of data out with .dockerignore, or raise `sysctl fs.inotify.max_user_watches`",
      cause: error,
    });
  }
}

function entriesOf(path: string): readonly fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
