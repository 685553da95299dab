// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { linux } from "../base/index.ts";
import { FirstNames, TarWriter, Turns, tarFieldsOf, tarTypeOf } from "../archive/index.ts";
import type { TarFields } from "../archive/index.ts";
import type { ByteSink } from "../base/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** A tree and the folder it goes to inside the archive; without one to the top. */
export interface FlatTarPart {
  readonly tree: SourceTree;
  readonly folder?: string;
}

/**
 * Writes whole file trees (usually `TreeView`s of images' layers) as one tar: no whiteouts, hard links kept, attributes
 * kept but overlay's own. Names in order, so that equal trees give equal bytes. The sink is not closed. Returns the
 * tar's size in bytes. Throws `E_IO`.
 */
export async function exportFlatTar(
  parts: readonly FlatTarPart[],
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<number> {
  const writer = new TarWriter(sink);
  for (const { tree, folder } of parts) {
    if (folder !== undefined) await writer.entry({ type: "directory", name: byteName(folder), mode: 0o755, mtime: 0 });
    await new Exporter({ tree, writer, prefix: folder === undefined ? "" : `${folder}/`, signal }).directory("");
  }
  return (await writer.finish()).size;
}

class Exporter {
  readonly #tree: SourceTree;
  readonly #writer: TarWriter;
  readonly #prefix: string;
  readonly #turns: Turns;
  readonly #links = new FirstNames();

  constructor(part: {
    readonly tree: SourceTree;
    readonly writer: TarWriter;
    readonly prefix: string;
    readonly signal: AbortSignal | undefined;
  }) {
    this.#tree = part.tree;
    this.#writer = part.writer;
    this.#prefix = part.prefix;
    this.#turns = new Turns("exporting", part.signal);
  }

  async directory(path: string): Promise<void> {
    for (const entry of this.#tree.list(path)) {
      await this.#turns.give();
      await this.#entry(entry);
      if (entry.stats.isDirectory()) await this.directory(entry.path);
    }
  }

  async #entry(found: TreeEntry): Promise<void> {
    const { stats, hostPath } = found;
    const type = tarTypeOf(stats);
    if (type === undefined) return;
    const name = byteName(this.#prefix + found.path);
    const first = this.#links.of(stats, name);
    const fields = { ...tarFieldsOf(type, name, stats), xattrs: xattrsOf(hostPath) };
    if (first !== undefined) await this.#writer.entry({ ...tarFieldsOf("hardlink", name, stats), linkName: first });
    else if (type === "symlink") {
      await this.#writer.entry({ ...fields, linkName: fs.readlinkSync(hostPath, { encoding: "latin1" }) });
    } else if (type === "file") await this.#file(hostPath, fields);
    else await this.#writer.entry(fields);
  }

  async #file(path: string, fields: TarFields): Promise<void> {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      const size = fs.fstatSync(descriptor).size;
      await this.#writer.entry({ ...fields, size });
      for (let left = size; left > 0;) {
        await this.#turns.give();
        const room = await this.#writer.space();
        const count = fs.readSync(descriptor, room, 0, room.length, null);
        // A running container may shorten a file meanwhile; the archive stays whole.
        if (count === 0) room.fill(0);
        left -= count || room.length;
        await this.#writer.advance(count || room.length);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

function byteName(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}

function xattrsOf(path: string): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const name of linux.llistxattr(path)) {
    if (/^(?:trusted|user)\.overlay\.|^security\.selinux$/.test(name)) continue;
    const value = linux.lgetxattr(path, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  return xattrs;
}
