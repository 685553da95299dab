// SPDX-License-Identifier: Apache-2.0
/*
 * A tree that others change meanwhile, perhaps with bad intent, as a tar: `cp` out of a container. Every directory is
 * opened by one name below its open parent and never through a symbolic link, so whatever is renamed or linked while
 * this goes on, nothing outside the tree is read (CVE-2018-15664).
 */
import * as fs from "node:fs";
import { linux } from "../base/index.ts";
import type { ByteSink } from "../base/index.ts";
import { joinPath } from "./entry-path.ts";
import { NO_XATTRS, asPath } from "./tar-entry.ts";
import { TarWriter } from "./tar-writer.ts";
import { FirstNames, tarFieldsOf, tarTypeOf } from "./tree-entry.ts";
import { Turns } from "./turns.ts";

/** Where packing begins. Names are byte strings (`byteName`). */
export interface ConfinedSource {
  /** An open directory. */
  readonly directory: number;
  /** What in it is packed, itself not followed when it is a link; absent: the directory itself. */
  readonly name?: string;
  /** How that is called in the archive; `.` for a directory's content. */
  readonly base: string;
}

/** How a tree is packed. */
export interface ConfinedPackOptions {
  /** Names in the archive of directories that stay empty. */
  readonly emptied?: ReadonlySet<string>;
  /** Told how many bytes of the archive were written. */
  readonly onProgress?: (size: number) => void;
  readonly signal?: AbortSignal;
}

const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
const OPEN_FILE = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
/** proc, sysfs, cgroup, cgroup2, devpts, mqueue: no files that anybody could keep. */
const KERNEL_TYPES: ReadonlySet<number> = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202]);

/** True for a directory of the kernel's own making (`/proc`, `/sys`), which has no files to copy. */
export function isKernelDirectory(descriptor: number): boolean {
  return KERNEL_TYPES.has(fs.statfsSync(`/proc/self/fd/${descriptor}`).type);
}

/** Packs it in order of names; of attributes only capabilities are kept. Sockets are left out. Bytes written. */
export async function packConfined(
  source: ConfinedSource,
  sink: ByteSink,
  options: ConfinedPackOptions = {},
): Promise<number> {
  const writer = new TarWriter(sink);
  const packer = new Packer(writer, options);
  if (source.name === undefined) await packer.top(source.directory, source.base);
  else await packer.child({ descriptor: source.directory, path: "", device: undefined }, source.name, source.base);
  return (await writer.finish()).size;
}

interface Folder {
  readonly descriptor: number;
  /** In the archive. */
  readonly path: string;
  readonly device: bigint | undefined;
}

class Packer {
  readonly #writer: TarWriter;
  readonly #options: ConfinedPackOptions;
  readonly #turns: Turns;
  readonly #links = new FirstNames();

  constructor(writer: TarWriter, options: ConfinedPackOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#turns = new Turns("copying", options.signal);
  }

  async top(descriptor: number, base: string): Promise<void> {
    await this.#directory(descriptor, base);
  }

  /** One name of a directory; `path` is its name in the archive. What vanishes meanwhile is left out. */
  async child(parent: Folder, name: string, path: string): Promise<void> {
    await this.#turns.give();
    const stats = fs.lstatSync(asPath(`/proc/self/fd/${parent.descriptor}/${name}`), {
      bigint: true,
      throwIfNoEntry: false,
    });
    if (!stats) return;
    if (stats.isDirectory())
      return this.#opened(parent, name, OPEN_DIRECTORY, (descriptor) =>
        this.#directory(descriptor, path, parent.device),
      );
    const type = tarTypeOf(stats);
    if (type === undefined) return;
    const first = this.#links.of(stats, path);
    if (first !== undefined) return this.#writer.entry({ ...tarFieldsOf("hardlink", path, stats), linkName: first });
    if (stats.isFile()) return this.#opened(parent, name, OPEN_FILE, (descriptor) => this.#file(descriptor, path));
    const linkName = type === "symlink" ? linux.readlinkat(parent.descriptor, asPath(name)).toString("latin1") : "";
    await this.#writer.entry({ ...tarFieldsOf(type, path, stats), linkName });
  }

  /** Another thing may have taken the name's place: then it fails to open, and is left out. */
  async #opened(
    parent: Folder,
    name: string,
    flags: number,
    use: (descriptor: number) => Promise<void>,
  ): Promise<void> {
    const descriptor = openIfThere(parent.descriptor, name, flags);
    if (descriptor === undefined) return;
    try {
      await use(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  async #directory(descriptor: number, path: string, parentDevice?: bigint): Promise<void> {
    const stats = fs.fstatSync(descriptor, { bigint: true });
    await this.#writer.entry(tarFieldsOf("directory", path, stats));
    const isMount = parentDevice !== undefined && stats.dev !== parentDevice;
    if ((isMount && isKernelDirectory(descriptor)) || (isMount && this.#options.emptied?.has(path))) return;
    const folder = { descriptor, path, device: stats.dev };
    const names = fs.readdirSync(`/proc/self/fd/${descriptor}`, { encoding: "latin1" }).sort();
    for (const name of names) await this.child(folder, name, joinPath(path, name));
  }

  async #file(descriptor: number, path: string): Promise<void> {
    const stats = fs.fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) return;
    const capability = linux.fgetxattr(descriptor, "security.capability");
    const xattrs = capability === undefined ? NO_XATTRS : new Map([["security.capability", capability]]);
    await this.#writer.entry({ ...tarFieldsOf("file", path, stats), xattrs });
    for (let left = Number(stats.size); left > 0;) {
      await this.#turns.give();
      const room = await this.#writer.space();
      const count = fs.readSync(descriptor, room, 0, room.length, null);
      // A program may shorten a file meanwhile; the archive stays whole.
      if (count === 0) room.fill(0);
      left -= count || room.length;
      await this.#writer.advance(count || room.length);
      this.#options.onProgress?.(this.#writer.size);
    }
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

function openIfThere(directory: number, name: string, flags: number): number | undefined {
  try {
    return linux.openat(directory, asPath(name), flags);
  } catch (error) {
    if (GONE.has(linux.errnoNameOf(error) ?? "")) return undefined;
    throw error;
  }
}
