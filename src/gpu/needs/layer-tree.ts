// SPDX-License-Identifier: Apache-2.0
/*
 * What a layer's own tree has. Links are not followed: the tree of a layer may have one that leads out of it, and what
 * counts is where files really are (`/usr/local/cuda` is a link to `cuda-12.8`).
 */
import * as fs from "node:fs";
import { posix } from "node:path";
import { ioError } from "../../base/index.ts";
import { parseRecord } from "../../python/index.ts";
import { TreeView } from "../../store/index.ts";
import type { Layer, SourceTree, TreeEntry } from "../../store/index.ts";
import { needsOfDistribution } from "./distribution.ts";
import { fileObject } from "./shared-object.ts";
import { isSharedObject } from "./signs.ts";
import { compatOf, toolkitOf } from "./toolkit.ts";
import type { InstalledPackage, LayerNeeds, NeedsOptions, SharedObject } from "./types.ts";

const LARGEST_TEXT = 32 << 20;
/** Folders of distributions' metadata; Debian and conda have eggs. */
const INFO = /\.(?:dist|egg)-info$/;
const LIBC = /^(?:usr\/)?lib(?:64)?\/(?:[\w-]+-linux-gnu\w*\/)?libc\.so\.6$/;
const MUSL = /^(?:usr\/)?lib\/ld-musl-\w+\.so\.1$/;
const VERSION_FILE = /^usr\/local\/cuda[\w.-]*\/version\.json$/;
const COMPAT = /^usr\/local\/cuda[\w.-]*\/compat\/libcuda\.so\.\d+\.[\d.]+$/;
/** Copies that nothing imports: caches of pip and uv, conda's packages. */
const UNUSED = /(?:^|\/)(?:\.cache|conda\d*\/pkgs)$/;
const DEEPEST = 64;

/** Reads a layer. Throws `E_IO`, `E_ABORTED`. */
export async function readLayerTree(layer: Layer, options: NeedsOptions): Promise<LayerNeeds> {
  const tree = new TreeView([layer]);
  const found = walk(layer, options.signal);
  const packages: InstalledPackage[] = [];
  for (const info of found.infos) {
    const one = await packageAt(tree, info, options);
    if (one !== undefined) packages.push({ path: info, package: one });
  }
  return {
    packages,
    toolkits: found.files.filter((path) => VERSION_FILE.test(path)).flatMap((path) => toolkitOf(tree, path)),
    compat: found.files.filter((path) => COMPAT.test(path)).flatMap((path) => compatOf(tree, path)),
    libc: found.files.flatMap(libcAt),
  };
}

function libcAt(path: string): LayerNeeds["libc"] {
  if (LIBC.test(path)) return [{ path, kind: "glibc" }];
  return MUSL.test(path) ? [{ path, kind: "musl" }] : [];
}

interface Found {
  /** Metadata folders of distributions. */
  readonly infos: string[];
  /** Other files of note. */
  readonly files: string[];
}

function walk(layer: Layer, signal: AbortSignal | undefined): Found {
  const found: Found = { infos: [], files: [] };
  try {
    walkFolder(layer.tree, { path: "", depth: 0 }, { found, signal });
  } catch (error) {
    throw ioError(`looking through layer \`${layer.diffId}\``, error);
  }
  return found;
}

function walkFolder(
  tree: string,
  { path, depth }: { readonly path: string; readonly depth: number },
  walked: { readonly found: Found; readonly signal: AbortSignal | undefined },
): void {
  walked.signal?.throwIfAborted();
  // A folder of distributions is one that has their metadata; what is below it is told by their RECORD.
  const entries = entriesOf(`${tree}/${path}`);
  const infos = entries.filter((entry) => entry.isDirectory() && INFO.test(entry.name));
  for (const { name } of infos) walked.found.infos.push(posix.join(path, name));
  const isPackages = infos.length > 0 && /(?:^|\/)(?:site|dist)-packages$/.test(path);
  for (const entry of entries) {
    const child = posix.join(path, entry.name);
    if (!entry.isDirectory()) note(walked.found, child);
    else if (!isPackages && !INFO.test(entry.name) && !UNUSED.test(child) && depth < DEEPEST) {
      walkFolder(tree, { path: child, depth: depth + 1 }, walked);
    }
  }
}

/** Names that are not UTF-8 can't be told from one another here, and none of those that are looked for is one. */
function entriesOf(folder: string): readonly fs.Dirent[] {
  return fs.readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.includes("\ufffd"));
}

function note({ files }: Found, path: string): void {
  if ([LIBC, MUSL, VERSION_FILE, COMPAT].some((pattern) => pattern.test(path))) files.push(path);
}

async function packageAt(
  tree: SourceTree,
  info: string,
  options: NeedsOptions,
): Promise<InstalledPackage["package"] | undefined> {
  const metadata = textAt(tree, `${info}/METADATA`) ?? textAt(tree, `${info}/PKG-INFO`);
  if (metadata === undefined) return undefined;
  return needsOfDistribution({ metadata, objects: objectsOf(tree, info) }, options);
}

/** The shared objects that a distribution's RECORD names; without one those of the folders that are its own. */
function objectsOf(tree: SourceTree, info: string): readonly SharedObject[] {
  const site = posix.dirname(info);
  const rows = parseRecord(textAt(tree, `${info}/RECORD`) ?? "") ?? [];
  const paths = rows.length > 0 ? rows.map(({ path }) => posix.join(site, path)) : belowOwnFolders(tree, info);
  return paths.filter(isSharedObject).map((path) => {
    const entry = fileAt(tree, path);
    return entry === undefined ? elsewhere(path) : fileObject(path, entry.hostPath, entry.stats.size);
  });
}

/** Its bytes are in another layer or nowhere: nobody can tell here. */
function elsewhere(path: string): SharedObject {
  return { path, size: 0, read: () => Promise.resolve(undefined) };
}

function belowOwnFolders(tree: SourceTree, info: string): readonly string[] {
  const site = posix.dirname(info);
  const told = (textAt(tree, `${info}/top_level.txt`) ?? "").split(/\s+/).filter((name) => /^\w+$/.test(name));
  const [, title = ""] = /^([^-]+)-/.exec(posix.basename(info)) ?? [];
  return [...new Set([...told, title])].flatMap((name) => (name === "" ? [] : filesBelow(tree, `${site}/${name}`, 0)));
}

function filesBelow(tree: SourceTree, folder: string, depth: number): readonly string[] {
  const found = tree.lookup(folder);
  if (depth > DEEPEST || !found?.stats.isDirectory()) return [];
  return entriesOf(found.hostPath).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(tree, path, depth + 1) : [path];
  });
}

/** A regular file that is reached without links. */
function fileAt(tree: SourceTree, path: string): TreeEntry | undefined {
  if (path.startsWith("/") || path.startsWith("..")) return undefined;
  const entry = tree.lookup(path);
  return entry?.stats.isFile() ? entry : undefined;
}

function textAt(tree: SourceTree, path: string): string | undefined {
  const entry = fileAt(tree, path);
  if (entry === undefined || entry.stats.size > LARGEST_TEXT) return undefined;
  return fs.readFileSync(entry.hostPath, "utf8");
}
