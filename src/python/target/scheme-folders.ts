// SPDX-License-Identifier: Apache-2.0
/* What the folders that an installation writes to are in an image: links, or folders with an owner or a mode. */
import { posix } from "node:path";
import { resolveInTree } from "../../store/index.ts";
import type { SourceTree, TreeEntry } from "../../store/index.ts";
import type { InstallScheme } from "../types.ts";

/** The scheme with the links that stand in its way. */
export function withLinks(tree: SourceTree, scheme: InstallScheme): InstallScheme {
  const links: Record<string, string> = {};
  for (const { path, stats } of existing(tree, scheme)) {
    if (!stats.isSymbolicLink()) continue;
    const target = resolveInTree(tree, path);
    if (tree.lookup(target)?.stats.isDirectory()) links[`/${path}`] = `/${target}`;
  }
  return Object.keys(links).length === 0 ? scheme : { ...scheme, links };
}

/**
 * A folder whose mode or owner an installation by root would keep, or give to what it makes there, and a layer would
 * not; undefined when there is none.
 */
export function specialFolder(tree: SourceTree, scheme: InstallScheme): string | undefined {
  const found = existing(tree, scheme).find(({ path, stats }) => {
    const folder = stats.isSymbolicLink() ? tree.lookup(resolveInTree(tree, path))?.stats : stats;
    return folder?.isDirectory() === true && ((folder.mode & 0o7777) !== 0o755 || folder.uid !== 0 || folder.gid !== 0);
  });
  return found && `/${found.path}`;
}

/** The scheme's folders, those above them, and those directly below its data folder, as far as the image has them. */
function existing(tree: SourceTree, scheme: InstallScheme): readonly TreeEntry[] {
  const { purelib, platlib, scripts, headers, data } = scheme;
  const paths = new Set<string>();
  for (const folder of [purelib, platlib, scripts, headers, data]) {
    for (let path = posix.normalize(folder); path !== "/" && path !== "."; path = posix.dirname(path)) {
      paths.add(path.slice(1));
    }
  }
  const below = tree.list(resolveInTree(tree, data.slice(1)));
  for (const { path } of below) paths.add(posix.join(data, posix.basename(path)).slice(1));
  return [...paths].sort().flatMap((path) => tree.lookup(path) ?? []);
}
