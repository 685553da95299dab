// SPDX-License-Identifier: Apache-2.0
import type { CdiEdits } from "../types.ts";
import { joinSearchPaths } from "./search-paths.ts";

/** Edits one after the other as one: lists are joined, of `intelRdt` the last one counts. */
export function joinEdits(parts: readonly CdiEdits[]): CdiEdits {
  const intelRdt = parts.findLast((part) => part.intelRdt !== undefined)?.intelRdt;
  const lists = {
    env: parts.flatMap(({ env }) => env ?? []),
    deviceNodes: parts.flatMap(({ deviceNodes }) => deviceNodes ?? []),
    netDevices: parts.flatMap(({ netDevices }) => netDevices ?? []),
    mounts: parts.flatMap(({ mounts }) => mounts ?? []),
    hooks: parts.flatMap(({ hooks }) => hooks ?? []),
    additionalGids: parts.flatMap(({ additionalGids }) => additionalGids ?? []),
  };
  const filled = Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
  const searchPaths = joinSearchPaths(parts.map((part) => part.searchPaths ?? {}));
  return {
    ...filled,
    ...(intelRdt === undefined ? {} : { intelRdt }),
    ...(Object.keys(searchPaths).length === 0 ? {} : { searchPaths }),
  };
}
