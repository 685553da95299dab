// SPDX-License-Identifier: Apache-2.0
/* Who may write into folders of the host that a container mounts, and who of the container is the caller. */
import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { TareError } from "../base/index.ts";
import type { Account } from "../base/index.ts";
import { parseUserNamespace } from "../options/index.ts";
import { namespaceLimits } from "../runtime/index.ts";
import type { NamespaceLimits, ResolvedUser } from "../runtime/index.ts";
import type { ContainerRecord, MountPoint } from "./types.ts";

type Mounted = Pick<ContainerRecord, "host" | "mounts">;

/**
 * Who of the container is the caller besides its root, in an ordinary user's namespace: who `--userns keep-id` says, and
 * without that flag the user that it runs as, when folders of the host are mounted for him to write. Not beside volumes:
 * their files belong to who wrote them before. Throws `E_UNSUPPORTED` for `keep-id` as root.
 */
export function keptId(
  { host, mounts }: Mounted,
  user: ResolvedUser,
  limits: NamespaceLimits | undefined = namespaceLimits(),
): Account | undefined {
  const mode = parseUserNamespace(host.namespaces.user ?? "");
  if (mode.kind === "keep-id" && limits === undefined) throw nobodyToKeep();
  if (mode.kind === "host" || limits === undefined || limits.highestUid === 0) return undefined;
  const wanted = mode.kind === "keep-id" || (mounts.some(isWritable) && mounts.every(({ type }) => type !== "volume"));
  const { uid, gid } = mode.kind === "keep-id" ? { uid: user.uid, gid: user.gid, ...mode } : user;
  return wanted && uid !== 0 ? { uid, gid } : undefined;
}

function nobodyToKeep(): TareError {
  return new TareError("E_UNSUPPORTED", "option `--userns keep-id`: root has every id already", {
    hint: "choose who writes with `--user UID:GID`, or run Tare without sudo",
    exitCode: 125,
  });
}

/** A sentence for each mounted folder that the container's user could not write to. */
export function mountWarnings(record: Mounted, user: ResolvedUser): readonly string[] {
  const limits = namespaceLimits();
  if (user.uid === 0 || keptId(record, user, limits) !== undefined) return [];
  return record.mounts.filter(isWritable).flatMap(({ source, destination }) => {
    const stats = statSync(source, { throwIfNoEntry: false });
    if (stats === undefined || mayWrite(stats, user)) return [];
    const fix = limits === undefined ? `\`--user ${stats.uid}:${stats.gid}\`` : "`--userns keep-id`";
    const owner = limits === undefined ? `the user ${stats.uid}` : "you";
    return [
      `the container's user ${user.uid} can't write to \`${destination}\`: \`${source}\` belongs to ${owner}; ${fix} solves that`,
    ];
  });
}

function isWritable({ type, readOnly }: MountPoint): boolean {
  return type === "bind" && !readOnly;
}

/** By the mode bits alone; ids are those of this process's namespace, as the container's. */
function mayWrite({ uid, gid, mode }: Pick<Stats, "uid" | "gid" | "mode">, user: ResolvedUser): boolean {
  if (user.uid === uid) return (mode & 0o200) !== 0;
  if (user.gid === gid || user.additionalGids.includes(gid)) return (mode & 0o020) !== 0;
  return (mode & 0o002) !== 0;
}
