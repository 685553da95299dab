// SPDX-License-Identifier: Apache-2.0
/*
 * A distribution of the base makes room for another version of it: what its RECORD lists, and what was compiled of that,
 * is deleted by a layer, with the folders that are empty then, as pip does before it installs.
 */
import { posix } from "node:path";
import { TareError, linux } from "../base/index.ts";
import { cacheKey, chainDigest } from "../graph/index.ts";
import { parseRecord } from "../python/index.ts";
import { TreeView, readFileInTree } from "../store/index.ts";
import { finishLayer } from "./layer.ts";
import { baseLayers } from "./results.ts";
import { StagedTree } from "./staged-tree.ts";
import type { DiffId } from "../base/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { StepContext, StepWorker } from "./types.ts";

/** Deletes distributions of the input. */
export const uninstallWorker: StepWorker = {
  base: baseLayers,
  key: (step) => cacheKey(step.vertex, [chainDigest(baseLayers(step))]),
  run: async (step) => [await deletionLayer(step, (base) => deletions(base, distInfosOf(step)))],
};

/** A layer that deletes paths of a step's input: files, or whole folders. No path may be below another. */
export async function deletionLayer(
  step: StepContext,
  pathsIn: (base: SourceTree) => readonly string[],
): Promise<DiffId> {
  const staging = step.resources.store.layers.stage();
  try {
    const base = new TreeView(step.resources.store.layers.getAll(baseLayers(step)));
    const staged = new StagedTree(base, staging.tree, step.resources.epoch);
    for (const path of pathsIn(base)) deletePath(staged, path);
    staged.close();
    return await finishLayer(staging, { xattrs: base.hasXattrs, signal: step.signal });
  } catch (error) {
    staging.discard();
    throw error;
  }
}

function distInfosOf({ vertex }: StepContext): readonly string[] {
  if (vertex.op.type !== "uninstall") throw new Error("not a step that uninstalls");
  return vertex.op.distInfos;
}

/** A whiteout of overlayfs in the place of what is there (a character device 0:0, which every user may make). */
function deletePath(staged: StagedTree, path: string): void {
  const folder = staged.stageDirectory(posix.dirname(path));
  linux.mknod(`${folder}/${posix.basename(path)}`, linux.S_IFCHR, 0n);
}

/** What is deleted: files, or a whole folder where nothing of it stays. No path is below another. */
export function deletions(tree: SourceTree, distInfos: readonly string[]): readonly string[] {
  const gone = new Set(distInfos.flatMap((info) => filesOf(tree, info)));
  const folders = new Set<string>();
  for (const path of gone)
    for (let folder = posix.dirname(path); folder !== "."; folder = posix.dirname(folder)) folders.add(folder);
  const deepestFirst = [...folders].sort((a, b) => b.split("/").length - a.split("/").length || (a < b ? -1 : 1));
  for (const folder of deepestFirst) {
    const children = tree.list(folder).map(({ path }) => path);
    if (distInfos.some((info) => info.startsWith(`${folder}/`)) || !children.every((path) => gone.has(path))) continue;
    for (const path of children) gone.delete(path);
    gone.add(folder);
  }
  return [...gone].sort();
}

/** The installed files of a distribution. Throws `E_UNINSTALL` for one that no tool but its own can take out. */
function filesOf(tree: SourceTree, info: string): readonly string[] {
  const rows = parseRecord(readFileInTree(tree, `${info}/RECORD`, LARGEST)?.toString("utf8") ?? "");
  if (rows === undefined || rows.length === 0) {
    throw new TareError("E_UNINSTALL", `replacing \`/${info}\` of the base: it has no RECORD of its files`, {
      hint: "choose the base's version of it, or a base without it",
    });
  }
  const library = posix.dirname(info);
  const own = rows.map(({ path }) => posix.normalize(path.startsWith("/") ? path.slice(1) : `${library}/${path}`));
  const inside = own.filter((path) => !path.startsWith("../") && tree.lookup(path)?.stats.isDirectory() === false);
  const compiled = inside.flatMap((path) => compiledOf(tree, path));
  return [...new Set([...inside, ...compiled, ...tree.list(info).map(({ path }) => path)])];
}

const LARGEST = 64 << 20;

function compiledOf(tree: SourceTree, path: string): readonly string[] {
  if (!path.endsWith(".py")) return [];
  const start = `${posix.dirname(path)}/__pycache__/${posix.basename(path, ".py")}.`;
  return tree.list(posix.dirname(start)).flatMap((entry) => (entry.path.startsWith(start) ? [entry.path] : []));
}
