// SPDX-License-Identifier: Apache-2.0
import { lookupUser } from "../runtime/index.ts";
import { readFileInTree } from "../store/index.ts";
import type { OwnerSpec } from "../graph/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { Owner } from "../base/index.ts";

/** Looks up `--chown` in the root file system; a number without a group is used for both, as BuildKit does. */
export function lookupOwner(tree: SourceTree, spec: OwnerSpec): Owner {
  const read = (path: string): Buffer | undefined => readFileInTree(tree, path);
  const isNumber = /^\d+$/.test(spec.user);
  const group = spec.group ?? (isNumber ? spec.user : undefined);
  const { uid, gid } = lookupUser(read, group === undefined ? spec.user : `${spec.user}:${group}`);
  return { uid, gid };
}
