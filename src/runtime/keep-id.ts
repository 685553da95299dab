// SPDX-License-Identifier: Apache-2.0
/*
 * A container one of whose users is the caller. Its namespace is made in the caller's, whose 0 is the caller himself, by
 * swapping two ids:
 *
 *     container   0   1 … U-1   U   U+1 …
 *     caller's    U   1 … U-1   0   U+1 …
 *
 * So what U writes into a mounted folder belongs to the caller. What an image's root owns is then U's too: the files of
 * the image stay as they are, since only the host's root may have their owners shifted. Files that belong to U already
 * are given to the same id before the first start (`own` of the start script), or they would be root's.
 */
import { highestId } from "../base/index.ts";
import type { Account, IdRange } from "../base/index.ts";
import { hostSys } from "./spec-namespace.ts";
import type { NamespaceLimits } from "./spec-namespace.ts";
import type { OciIdMapping, OciSpec } from "./spec-types.ts";

/**
 * The rows of a map that swaps 0 and `id`, of all ids that `own`, the map of the caller's namespace, has. Rows end where
 * rows of `own` end: the kernel refuses one that reaches over more than one of them.
 */
export function swapped(id: number, own: readonly IdRange[]): IdRange[] {
  const highest = highestId(own);
  const rows: IdRange[] = [
    { inside: 0, outside: id, count: 1 },
    { inside: 1, outside: 1, count: id - 1 },
    { inside: id, outside: 0, count: 1 },
    { inside: id + 1, outside: id + 1, count: highest - id },
  ];
  const wanted = id === 0 ? [{ inside: 0, outside: 0, count: highest + 1 }] : rows;
  return wanted.flatMap((row) => own.map((there) => within(row, there))).filter(({ count }) => count > 0);
}

/** The part of a row that leads into one row of the namespace above. */
function within({ inside, outside, count }: IdRange, there: IdRange): IdRange {
  const start = Math.max(outside, there.inside);
  const end = Math.min(outside + count, there.inside + there.count);
  return { inside: inside + start - outside, outside: start, count: end - start };
}

/** Who is the caller, and the namespace where that is so when it has been made before. */
export interface KeptId extends Account {
  readonly namespace?: string | undefined;
}

/** The same container in a namespace of its own in which `owner` is the caller. */
export function keepingId(spec: OciSpec, owner: KeptId, own: Pick<NamespaceLimits, "uids" | "gids">): OciSpec {
  const { linux } = spec;
  // A network that was made before is not this namespace's own: its settings and its view in /sys are out of reach.
  const isForeign =
    owner.namespace === undefined &&
    linux.namespaces.some(({ type, path }) => type === "network" && path !== undefined);
  const user = owner.namespace === undefined ? {} : { path: owner.namespace };
  const { sysctl, ...rest } = linux;
  return {
    ...spec,
    mounts: spec.mounts.map((mount) => (isForeign && mount.type === "sysfs" ? hostSys(mount) : mount)),
    linux: {
      ...rest,
      ...(isForeign || sysctl === undefined ? {} : { sysctl }),
      namespaces: [...linux.namespaces, { type: "user", ...user }],
      uidMappings: swapped(owner.uid, own.uids).map(mapping),
      gidMappings: swapped(owner.gid, own.gids).map(mapping),
    },
  };
}

function mapping({ inside, outside, count }: IdRange): OciIdMapping {
  return { containerID: inside, hostID: outside, size: count };
}
