// SPDX-License-Identifier: Apache-2.0
/* File trees as plain data, so that results of different builders can be compared. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { linux } from "../../src/base/index.ts";
import { readTar } from "../../src/archive/index.ts";
import { TreeView } from "../../src/store/index.ts";
import type { SourceTree, TreeEntry } from "../../src/store/index.ts";

/** One file as a comparison sees it; times are left out. */
export interface TreeFact {
  readonly t: "f" | "d" | "l" | "c" | "b" | "p";
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly size?: number;
  readonly sha256?: string;
  readonly to?: string;
  readonly dev?: readonly number[];
  readonly xattr?: Readonly<Record<string, string>>;
}

/** Facts by path without a leading slash. */
export type TreeFacts = ReadonlyMap<string, TreeFact>;

/** A folder of this host as a tree. */
export function folderTree(folder: string): SourceTree {
  const facts = { size: 0, contentSize: 0, entries: 1, opaque: [], whiteouts: 0, hasXattrs: true };
  return new TreeView([{ ...facts, diffId: `sha256:${"0".repeat(64)}` as never, tree: folder, link: folder }]);
}

/** Everything below the root of a tree, or of one of its folders. `memo` remembers files of published layers by path. */
export function readTree(tree: SourceTree, memo: Map<string, TreeFact> = new Map(), below = ""): TreeFacts {
  const facts = new Map<string, TreeFact>();
  const visit = (path: string): void => {
    for (const entry of tree.list(path)) {
      const fact = memo.get(entry.hostPath) ?? factOf(entry);
      memo.set(entry.hostPath, fact);
      facts.set(entry.path, fact);
      if (entry.stats.isDirectory()) visit(entry.path);
    }
  };
  visit(below);
  return facts;
}

function factOf({ stats, hostPath }: TreeEntry): TreeFact {
  const common = { mode: octal(stats.mode & 0o7777), uid: stats.uid, gid: stats.gid, ...xattrs(hostPath) };
  if (stats.isDirectory()) return { t: "d", ...common };
  if (stats.isSymbolicLink()) return { t: "l", ...common, to: fs.readlinkSync(hostPath) };
  if (stats.isFile()) return { t: "f", ...common, ...content(fs.readFileSync(hostPath)) };
  if (stats.isFIFO()) return { t: "p", ...common };
  const dev = [Math.floor(stats.rdev / 256) & 0xfff, (stats.rdev & 0xff) | (Math.floor(stats.rdev / 4096) & 0xfffff00)];
  return { t: stats.isCharacterDevice() ? "c" : "b", ...common, dev };
}

function octal(mode: number): string {
  return `0o${mode.toString(8)}`;
}

function content(data: Uint8Array): { readonly size: number; readonly sha256: string } {
  return { size: data.length, sha256: createHash("sha256").update(data).digest("hex") };
}

function xattrs(path: string): { readonly xattr?: Record<string, string> } {
  const names = linux.llistxattr(path).filter((name) => !/^trusted\.|^user\.overlay\.|^security\.selinux$/.test(name));
  if (names.length === 0) return {};
  const pairs = names.sort().map((name) => [name, (linux.lgetxattr(path, name) ?? Buffer.alloc(0)).toString("latin1")]);
  return { xattr: Object.fromEntries(pairs) };
}

const TYPES = { file: "f", directory: "d", symlink: "l", char: "c", block: "b", fifo: "p" } as const;

/** The entries of a plain tar of a whole file system; a hard link shows as the file it stands for. */
export async function readTarTree(path: string): Promise<TreeFacts> {
  const facts = new Map<string, TreeFact>();
  for await (const entry of readTar(fs.createReadStream(path))) {
    const name = entry.name.replace(/^(\.?\/)+|\/+$/g, "");
    if (name === "" || name === ".") continue;
    if (entry.type === "hardlink") {
      const first = facts.get(entry.linkName.replace(/^(\.?\/)+/, ""));
      if (first) facts.set(name, first);
      continue;
    }
    const pairs = [...entry.xattrs].map(([key, value]) => [key, Buffer.from(value).toString("latin1")]);
    const extra = pairs.length > 0 ? { xattr: Object.fromEntries(pairs) as Record<string, string> } : {};
    const common = { mode: octal(entry.mode), uid: entry.uid, gid: entry.gid, ...extra };
    const fact = { t: TYPES[entry.type], ...common };
    if (entry.type === "file") {
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry.body()) chunks.push(Buffer.from(chunk));
      facts.set(name, { ...fact, ...content(Buffer.concat(chunks)) });
    } else if (entry.type === "symlink") facts.set(name, { ...fact, to: entry.linkName });
    else if (entry.type === "char" || entry.type === "block")
      facts.set(name, { ...fact, dev: [entry.deviceMajor, entry.deviceMinor] });
    else facts.set(name, fact);
  }
  return facts;
}

/** What `now` has that `base` has not, and what it lost. */
export interface TreeDelta {
  readonly changed: TreeFacts;
  readonly removed: readonly string[];
}

/** The difference of two trees. */
export function deltaOf(base: TreeFacts, now: TreeFacts): TreeDelta {
  const changed = new Map([...now].filter(([path, fact]) => JSON.stringify(base.get(path)) !== JSON.stringify(fact)));
  return { changed, removed: [...base.keys()].filter((path) => !now.has(path)).sort() };
}

/** Differences of two sets of facts as lines: `+path` only right, `-path` only left, `~path: field: left != right`. */
export function compareFacts(
  left: TreeFacts,
  right: TreeFacts,
  ignore: (path: string) => boolean = () => false,
): readonly string[] {
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort().filter((path) => !ignore(path));
  return paths.flatMap((path) => {
    const [a, b] = [left.get(path), right.get(path)];
    if (!a) return [`+${path}`];
    if (!b) return [`-${path}`];
    const fields = fieldsOf(a, b);
    return fields.length > 0 ? [`~${path}: ${fields.join(", ")}`] : [];
  });
}

function fieldsOf(a: TreeFact, b: TreeFact): readonly string[] {
  const [x, y] = [a as unknown as Record<string, unknown>, b as unknown as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(x), ...Object.keys(y)])].sort();
  const differs = keys.filter((key) => JSON.stringify(x[key]) !== JSON.stringify(y[key]));
  return differs.map((key) => `${key}: ${JSON.stringify(x[key])} != ${JSON.stringify(y[key])}`);
}
