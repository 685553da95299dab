// SPDX-License-Identifier: Apache-2.0
/**
 * Linux system calls that Node lacks, by FFI to the C library. All are synchronous. A failure throws `E_SYSCALL`
 * with the errno in `details` (`errnoNameOf`), `E_NOSPACE` for a full disk, `E_UNSUPPORTED` where the FFI package
 * cannot be loaded. Nothing is loaded before the first call.
 */
export { errnoNameOf } from "./linux-call.ts";
export type { BytePath } from "./linux-call.ts";
export {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from "./linux-xattr.ts";
export {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_PATH,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  deviceNumbers,
  fallocate,
  fchmodat,
  fchownat,
  flock,
  futimens,
  hasOpenat2,
  linkat,
  makeDevice,
  mkdirat,
  mknod,
  mknodat,
  openat,
  openat2,
  readlinkat,
  renameat2,
  seek,
  symlinkat,
  syncfs,
  syncfsLater,
  unlinkat,
  utimensat,
} from "./linux-files.ts";
export type { LockMode, OpenHow, Place, Times } from "./linux-files.ts";
export { connectPackets, shutSocket } from "./linux-socket.ts";
export { leaveOutputAlone, openTerminal } from "./linux-tty.ts";
export type { TerminalPair } from "./linux-tty.ts";
export {
  AT_RECURSIVE,
  CLONE_NEWNET,
  CLONE_NEWNS,
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_MOVE,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
  mount,
  moveMount,
  openTree,
  setChildSubreaper,
  chroot,
  setParentDeathSignal,
  setns,
  umount2,
  unshare,
} from "./linux-mount.ts";
export type { MountRequest } from "./linux-mount.ts";
