// SPDX-License-Identifier: Apache-2.0
/* For tests: random trees, and a description of a tree that does not share code with what is tested. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { linux } from "../base/index.ts";

const isRoot = process.geteuid?.() === 0;

/** One thing done to a tree. */
type Act =
  | { readonly kind: "file"; readonly at: string; readonly size: number; readonly holes: boolean }
  | { readonly kind: "directory" | "fifo" | "device" | "remove"; readonly at: string }
  | { readonly kind: "symlink" | "hardlink" | "rename"; readonly at: string; readonly to: string }
  | { readonly kind: "mode" | "time" | "owner" | "xattr" | "append"; readonly at: string; readonly value: number };

const name = fc.constantFrom("a", "b", "a-b", "a.b", "ä", ".x", "long".repeat(40), "sp ace", "new\nline");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const value = fc.nat(0xffff);

/** Random changes of a tree. */
export const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("file" as const),
      at: path,
      size: fc.oneof(fc.nat(5000), fc.integer({ min: 100_000, max: 400_000 })),
      holes: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom("directory", "fifo", "device", "remove"), at: path }),
    fc.record({ kind: fc.constantFrom("symlink", "hardlink", "rename"), at: path, to: path }),
    fc.record({ kind: fc.constantFrom("mode", "time", "owner", "xattr", "append"), at: path, value }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** Does what can be done; what does not fit the tree is left out. */
export function change(root: string, list: readonly Act[]): void {
  for (const act of list) {
    try {
      one(root, act);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
}

function one(root: string, act: Act): void {
  const at = join(root, act.at);
  switch (act.kind) {
    case "file":
      return writeFile(at, act.size, act.holes);
    case "directory":
      return void fs.mkdirSync(at, { recursive: true });
    case "fifo":
      return linux.mknod(at, linux.S_IFIFO | 0o640);
    case "device":
      return isRoot ? linux.mknod(at, linux.S_IFCHR | 0o600, linux.makeDevice(1, 3)) : undefined;
    case "remove":
      return fs.rmSync(at, { recursive: true });
    case "symlink":
      return fs.symlinkSync(act.to, at);
    case "hardlink":
      return fs.linkSync(join(root, act.to), at);
    case "rename":
      return fs.renameSync(join(root, act.to), at);
    default:
      return touch(at, act);
  }
}

function touch(at: string, { kind, value }: Extract<Act, { readonly value: number }>): void {
  const stats = fs.lstatSync(at);
  switch (kind) {
    case "mode":
      return stats.isSymbolicLink() ? undefined : fs.chmodSync(at, value & 0o7777);
    case "time":
      return linux.utimensat(linux.AT_FDCWD, at, { atime: 0n, mtime: time(value) }, linux.AT_SYMLINK_NOFOLLOW);
    case "owner":
      return isRoot ? fs.lchownSync(at, value, value >> 3) : undefined;
    case "xattr":
      return linux.lsetxattr(at, `${isRoot ? "trusted" : "user"}.x${value % 3}`, Buffer.from([value & 255, 0, 10]));
    case "append":
      return stats.isFile() ? fs.appendFileSync(at, String(value)) : undefined;
  }
}

/** Before and after 1970, with nanoseconds. */
function time(value: number): bigint {
  return BigInt(value - 0x4000) * 86_400_123_456_789n;
}

function writeFile(at: string, size: number, holes: boolean): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  // A pipe of that name would wait for its reader.
  const descriptor = fs.openSync(at, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o644);
  try {
    if (holes) fs.ftruncateSync(descriptor, size * 3);
    fs.writeSync(descriptor, Buffer.alloc(size, size & 255), 0, size, holes ? size * 2 : 0);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A line for each name: all that one can see of it. Two trees with equal lines are the same. */
export function describeTree(root: string): readonly string[] {
  const links = new Map<string, string>();
  const lines: string[] = [];
  const visit = (path: string): void => {
    const at = join(root, path);
    const stats = fs.lstatSync(at, { bigint: true });
    const key = `${stats.dev}:${stats.ino}`;
    if (!links.has(key)) links.set(key, path);
    const attributes = linux
      .llistxattr(at)
      .map((each) => `${each}=${linux.lgetxattr(at, each)?.toString("hex") ?? ""}`);
    const content = stats.isFile() ? createHash("sha256").update(fs.readFileSync(at)).digest("hex") : "";
    const target = stats.isSymbolicLink() ? fs.readlinkSync(at) : "";
    const stored = stats.isFile() ? stats.blocks * 512n >= stats.size : true;
    lines.push(
      [path, stats.mode.toString(8), stats.uid, stats.gid, stats.mtimeNs, stats.isFile() ? stats.size : 0].join(" ") +
        ` ${stats.rdev} ${links.get(key)} ${attributes.sort().join()} ${content} ${target} ${stored ? "" : "sparse"}`,
    );
    if (stats.isDirectory()) for (const child of fs.readdirSync(at).sort()) visit(join(path, child));
  };
  visit("");
  return lines;
}
