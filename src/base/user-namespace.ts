// SPDX-License-Identifier: Apache-2.0
/* Who runs this process, and which ids it has: an ordinary user's Tare works in a user namespace, where he is root. */
import { hostEnvironment } from "./config.ts";
import { readTextIfPresent } from "./files.ts";

/** A row of `/proc/PID/uid_map`: `count` ids from `inside` on are those from `outside` on of the namespace above. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The ids that a process can see and give. */
export interface UserNamespace {
  /** The host's own, with all ids. */
  readonly isInitial: boolean;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** An account of the host. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The variable in which the caller's ids travel into the namespace; `UID:GID`. */
export const CALLER_VARIABLE = "_TARE_CALLER";

const ALL_IDS = 4_294_967_295;
const memo: { namespace?: UserNamespace } = {};

/** Rows of an id map as the kernel writes it. */
export function parseIdMap(text: string): IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    const isRow = inside !== undefined && outside !== undefined && count !== undefined && line.trim() !== "";
    return isRow ? [{ inside, outside, count }] : [];
  });
}

/** The user namespace of this process; read once. Where there are none, the initial one. */
export function userNamespace(): UserNamespace {
  return (memo.namespace ??= readNamespace());
}

function readNamespace(): UserNamespace {
  const all = [{ inside: 0, outside: 0, count: ALL_IDS }];
  if (process.platform !== "linux") return { isInitial: true, uids: all, gids: all };
  const uids = parseIdMap(readTextIfPresent("/proc/self/uid_map") ?? "");
  const gids = parseIdMap(readTextIfPresent("/proc/self/gid_map") ?? "");
  const isInitial = uids.length === 0 || (uids.length === 1 && uids[0]?.count === ALL_IDS && uids[0].outside === 0);
  return isInitial ? { isInitial, uids: all, gids: all } : { isInitial, uids, gids };
}

/** The highest id that the ranges have. */
export function highestId(ranges: readonly IdRange[]): number {
  return Math.max(0, ...ranges.map(({ inside, count }) => inside + count - 1));
}

/** Whether this process can make files of every owner that an image may name: root, with more than one id. */
export function canGiveFiles(): boolean {
  if (process.geteuid?.() !== 0) return false;
  const { isInitial, uids } = userNamespace();
  return isInitial || highestId(uids) > 0;
}

/** Whether this process can make device files: root of the host, in no namespace of a user. */
export function canMakeDevices(): boolean {
  return process.geteuid?.() === 0 && userNamespace().isInitial;
}

/** Who called Tare, in the host's ids: in a namespace of ours not root, though this process is. Undefined elsewhere. */
export function callingAccount(): Account | undefined {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid === undefined || gid === undefined) return undefined;
  if (uid !== 0 || userNamespace().isInitial) return { uid, gid };
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(hostEnvironment()[CALLER_VARIABLE] ?? "");
  return match === null ? { uid, gid } : { uid: Number(match[1]), gid: Number(match[2]) };
}

/** What a process of ours that outlives this one needs in its environment, so that it knows who called. */
export function callerEnvironment(): Readonly<Record<string, string>> {
  const caller = hostEnvironment()[CALLER_VARIABLE];
  return caller === undefined ? {} : { [CALLER_VARIABLE]: caller };
}

/** Whether Tare works for an ordinary user: outside of his namespace, or in it. */
export function isRootless(): boolean {
  const account = callingAccount();
  return account !== undefined && account.uid !== 0;
}
