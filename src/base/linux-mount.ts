// SPDX-License-Identifier: Apache-2.0
/* Mounts, namespaces and process controls. */
import { call, cString } from "./linux-call.ts";
import type { BytePath } from "./linux-call.ts";
import { O_CLOEXEC } from "./linux-files.ts";

export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_REMOUNT = 0x20;
export const MS_NOATIME = 0x400;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_UNBINDABLE = 0x2_0000;
export const MS_PRIVATE = 0x4_0000;
export const MS_SLAVE = 0x8_0000;
export const MS_SHARED = 0x10_0000;
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
export const CLONE_NEWNS = 0x2_0000;
export const CLONE_NEWNET = 0x4000_0000;
export const OPEN_TREE_CLONE = 1;
export const AT_RECURSIVE = 0x8000;

const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;

/** What is mounted: `source`, file system `type` and `data` may be left out as mount(2) allows. */
export interface MountRequest {
  readonly source?: BytePath;
  readonly target: BytePath;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}

/** Mounts (or with flags binds, moves, remounts, changes propagation). Throws `E_SYSCALL`. */
export function mount(request: MountRequest): void {
  const optional = (text: BytePath | undefined): Uint8Array | null => (text === undefined ? null : cString(text));
  call(
    "mount",
    request.target,
    optional(request.source ?? "none"),
    cString(request.target),
    optional(request.type),
    request.flags ?? 0,
    optional(request.data),
  );
}

/** Unmounts; `flags` e.g. `MNT_DETACH | UMOUNT_NOFOLLOW`. Throws `E_SYSCALL` (EINVAL: not a mount point). */
export function umount2(target: BytePath, flags: number = 0): void {
  call("umount2", target, cString(target), flags);
}

/** Opens a mount (with `OPEN_TREE_CLONE`: a detached bind copy); the caller closes the descriptor. */
export function openTree(directory: number, path: BytePath, flags: number): number {
  return call("openTree", path, SYS_OPEN_TREE, directory, cString(path), flags | O_CLOEXEC);
}

/** Attaches a mount opened by `openTree` to a path. */
export function moveMount(tree: number, directory: number, path: BytePath): void {
  call("moveMount", path, SYS_MOVE_MOUNT, tree, cString(""), directory, cString(path), MOVE_MOUNT_F_EMPTY_PATH);
}

/**
 * Puts this thread in new namespaces (`CLONE_NEWNS`, `CLONE_NEWNET` …). Other threads of the process keep the old
 * ones; children are started from the main thread. `CLONE_NEWUSER` fails with EINVAL in a process of many threads.
 */
export function unshare(flags: number): void {
  call("unshare", "/proc/self", flags);
}

/**
 * Puts this thread into the namespace that a descriptor of `/proc/…/ns/…` stands for. A mount namespace brings its root
 * and working directory with it.
 */
export function setns(descriptor: number, kind: number): void {
  call("setns", descriptor, descriptor, kind);
}

/** Makes a directory the root of this thread. */
export function chroot(path: BytePath): void {
  call("chroot", path, cString(path));
}

/** Has the kernel send `signal` to this process when the thread that started it ends. */
export function setParentDeathSignal(signal: number): void {
  call("prctl", "PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

/** Makes (or no longer makes) this process the parent of its orphaned descendants. */
export function setChildSubreaper(on: boolean): void {
  call("prctl", "PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0);
}
