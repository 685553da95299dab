// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { Hasher, ioError } from "../base/index.ts";
import { ContextTree } from "./context-tree.ts";
import { MemoDigests } from "./fingerprint.ts";
import type { Digest } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { LocalSource } from "./types.ts";

/**
 * The digest of all that a build may see of a folder: names, types, permissions, link targets and contents; never
 * times or owners. Contents that earlier builds read are not read again. Throws `E_IO`, `E_ABORTED`.
 */
export async function contextDigest(store: Store, source: LocalSource, signal?: AbortSignal): Promise<Digest> {
  const memo = store.fingerprints.open(source.root);
  const digests = new MemoDigests(memo);
  const tree = new ContextTree(source.root, source.filter);
  const hasher = new Hasher();
  const waiting = [""];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    signal?.throwIfAborted();
    for (const entry of tree.list(folder)) {
      const { stats, path } = entry;
      const what = stats.isFile() ? await digests.digest(entry) : linkTarget(entry.hostPath, stats);
      hasher.update(`${JSON.stringify(path)} ${(stats.mode & 0o170777).toString(8)} ${what}\n`);
      if (stats.isDirectory()) waiting.push(path);
    }
  }
  memo.save();
  return hasher.digest();
}

function linkTarget(path: string, stats: fs.Stats): string {
  if (!stats.isSymbolicLink()) return "";
  try {
    return JSON.stringify(fs.readlinkSync(path));
  } catch (error) {
    throw ioError(`reading the link \`${path}\``, error);
  }
}
