// SPDX-License-Identifier: Apache-2.0
/*
 * A container's root file system as a tar, read from its layers and its upper directory without a mount. What a
 * running container changes meanwhile may be seen or not; a file that shrinks is an error.
 */
import * as fs from "node:fs";
import type { ByteSink, TarFields, TarWriter } from "../archive/index.ts";
import { TareError, linux } from "../base/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { containerTree } from "./image-tree.ts";

/** Writes the file system of a container, without what is mounted into it, as a tar. */
export async function exportContainer(
  context: ContainersContext,
  text: string,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  // Loaded here, so that starting a container does not read the archive room.
  const { TarWriter } = await import("../archive/index.ts");
  const record = findContainer(context, text);
  const { upper } = filesOf(context, record.id);
  const tree = containerTree(context, record, opaqueBelow(upper));
  const exporter = new TreeExporter(tree, new TarWriter(sink), signal);
  await exporter.directory("");
  await exporter.writer.finish();
}

/** Paths below an overlayfs upper directory that hide the layers under them. */
function opaqueBelow(root: string, path: string = ""): string[] {
  const folder = path === "" ? root : `${root}/${path}`;
  const isOpaque = ["trusted", "user"].some(
    (prefix) => linux.lgetxattr(folder, `${prefix}.overlay.opaque`)?.at(0) === 121,
  );
  const folders = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const below = folders.flatMap(({ name }) => opaqueBelow(root, path === "" ? name : `${path}/${name}`));
  return isOpaque ? [path, ...below] : below;
}

class TreeExporter {
  readonly writer: TarWriter;
  readonly #tree: SourceTree;
  readonly #signal: AbortSignal | undefined;
  readonly #links = new Map<string, string>();

  constructor(tree: SourceTree, writer: TarWriter, signal: AbortSignal | undefined) {
    this.#tree = tree;
    this.writer = writer;
    this.#signal = signal;
  }

  async directory(path: string): Promise<void> {
    for (const entry of this.#tree.list(path)) {
      this.#signal?.throwIfAborted();
      await this.#entry(entry);
      if (entry.stats.isDirectory()) await this.directory(entry.path);
    }
  }

  async #entry(entry: TreeEntry): Promise<void> {
    const fields = fieldsOf(entry);
    if (!fields) return;
    const key = `${entry.stats.dev}:${entry.stats.ino}`;
    const first = this.#links.get(key);
    if (first !== undefined) return this.writer.entry({ ...fields, type: "hardlink", linkName: first });
    if (entry.stats.nlink > 1 && !entry.stats.isDirectory()) this.#links.set(key, fields.name);
    await this.writer.entry(fields);
    if (fields.type === "file" && entry.stats.size > 0) await this.#content(entry);
  }

  async #content(entry: TreeEntry): Promise<void> {
    const descriptor = fs.openSync(entry.hostPath, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      for (let left = entry.stats.size; left > 0;) {
        const room = await this.writer.space();
        const count = fs.readSync(descriptor, room, 0, room.length, null);
        if (count === 0) throw new TareError("E_IO", `exporting \`/${entry.path}\`: it shrank meanwhile`);
        left -= count;
        await this.writer.advance(count);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** Undefined for sockets, which a tar can't hold. */
function fieldsOf(entry: TreeEntry): TarFields | undefined {
  const { stats } = entry;
  const type = typeOf(stats);
  if (type === undefined) return undefined;
  return {
    type,
    name: Buffer.from(entry.path).toString("latin1"),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === "file" ? stats.size : 0,
    mtime: Math.floor(stats.mtimeMs / 1000),
    xattrs: attributesOf(entry.hostPath),
    ...(type === "symlink" ? { linkName: fs.readlinkSync(entry.hostPath, { encoding: "latin1" }) } : {}),
    ...(type === "char" || type === "block" ? deviceOf(stats.rdev) : {}),
  };
}

function typeOf(stats: fs.Stats): TarFields["type"] | undefined {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : undefined;
}

/** Linux packs 12 bits of major and 20 bits of minor into st_rdev (makedev(3)); larger ones are not in use. */
function deviceOf(rdev: number): { readonly deviceMajor: number; readonly deviceMinor: number } {
  return { deviceMajor: (rdev >>> 8) & 0xfff, deviceMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

function attributesOf(path: string): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const name of linux.llistxattr(path)) {
    if (name === "security.selinux" || /^(trusted|user)\.overlay/.test(name)) continue;
    const value = linux.lgetxattr(path, name);
    if (value) attributes.set(name, value);
  }
  return attributes;
}
