// SPDX-License-Identifier: Apache-2.0
import { canGiveFiles } from "./user-namespace.ts";

/** Numeric owner of a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const user = process.geteuid?.() ?? 0;
const group = process.getegid?.() ?? 0;

/** Who owns a file of a layer on disk inside the image. An ordinary user cannot give files away: own means root's. */
export function imageOwner(stats: Owner): Owner {
  if (user === 0) return { uid: stats.uid, gid: stats.gid };
  return { uid: stats.uid === user ? 0 : stats.uid, gid: stats.gid === group ? 0 : stats.gid };
}

/** Whether this process can make files that belong to `owner` inside an image. */
export function canOwn(owner: Owner): boolean {
  if (canGiveFiles()) return true;
  const { uid, gid } = imageOwner(owner);
  return uid === 0 && gid === 0;
}
