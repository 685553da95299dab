// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, linux } from "../base/index.ts";
import { TarWriter, byteName } from "../archive/index.ts";
import type { ByteSink, TarFields, TarType, Xattrs } from "../archive/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** A tree and the folder it goes to inside the archive (`""`: the top). */
export interface TarPart {
  readonly tree: SourceTree;
  readonly prefix: string;
}

/** Writes root file systems as one plain tar: merged, without whiteouts. */
export async function writeTreesTar(parts: readonly TarPart[], sink: ByteSink): Promise<void> {
  const writer = new TarWriter(sink);
  for (const part of parts) {
    if (part.prefix !== "") await writer.entry({ type: "directory", name: part.prefix, mode: 0o755, mtime: 0 });
    await writeDirectory(writer, part, "", new Map());
  }
  await writer.finish();
}

async function writeDirectory(
  writer: TarWriter,
  part: TarPart,
  path: string,
  links: Map<string, string>,
): Promise<void> {
  for (const entry of part.tree.list(path)) {
    const name = part.prefix === "" ? entry.path : `${part.prefix}/${entry.path}`;
    await writeEntry(
      writer,
      { entry, name: byteName(name, undefined), hasXattrs: part.tree.hasXattrs ?? false },
      links,
    );
    if (entry.stats.isDirectory()) await writeDirectory(writer, part, entry.path, links);
  }
}

interface Written {
  readonly entry: TreeEntry;
  readonly name: string;
  readonly hasXattrs: boolean;
}

async function writeEntry(writer: TarWriter, written: Written, links: Map<string, string>): Promise<void> {
  const { stats, hostPath } = written.entry;
  const fields = {
    name: written.name,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: Math.floor(stats.mtimeMs / 1000),
    ...(written.hasXattrs ? { xattrs: xattrsOf(hostPath) } : {}),
  };
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.nlink > 1 && !stats.isDirectory() ? links.get(key) : undefined;
  if (first !== undefined) return writer.entry({ ...fields, type: "hardlink", linkName: first });
  if (stats.nlink > 1) links.set(key, written.name);
  await writer.entry({ ...fields, ...contentFields(written.entry) });
  if (stats.isFile()) await writeContent(writer, hostPath);
}

function contentFields({
  stats,
  hostPath,
  path,
}: TreeEntry): Pick<TarFields, "type" | "size" | "linkName" | "deviceMajor" | "deviceMinor"> {
  if (stats.isFile()) return { type: "file", size: stats.size };
  if (stats.isDirectory()) return { type: "directory" };
  if (stats.isSymbolicLink()) return { type: "symlink", linkName: byteName(fs.readlinkSync(hostPath), undefined) };
  if (stats.isFIFO()) return { type: "fifo" };
  const type: TarType | undefined = stats.isCharacterDevice() ? "char" : stats.isBlockDevice() ? "block" : undefined;
  if (type === undefined) throw new TareError("E_OUTPUT", `exporting \`${path}\`: unknown file type`);
  return { type, deviceMajor: majorOf(stats.rdev), deviceMinor: minorOf(stats.rdev) };
}

/** makedev(3) in reverse. */
function majorOf(device: number): number {
  return Math.floor(device / 256) & 0xfff;
}

function minorOf(device: number): number {
  return (device & 0xff) | (Math.floor(device / 4096) & 0xfffff00);
}

async function writeContent(writer: TarWriter, path: string): Promise<void> {
  for await (const chunk of fs.createReadStream(path, { highWaterMark: 1 << 20 })) await writer.write(chunk as Buffer);
}

function xattrsOf(path: string): Xattrs {
  const names = linux
    .llistxattr(path)
    .filter((name) => !/^(trusted|user)\.overlay\./.test(name) && name !== "security.selinux");
  return new Map(names.sort().map((name) => [name, linux.lgetxattr(path, name) ?? Buffer.alloc(0)]));
}
