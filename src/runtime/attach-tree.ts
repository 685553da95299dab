// SPDX-License-Identifier: Apache-2.0
/*
 * A running container's files, with all that is mounted in them, as a folder of this process. Its mounts are in another
 * mount namespace, and mount(2) takes none of another namespace. So the main thread goes into a private copy of the
 * host's namespace (children are started from there), visits the container's for one system call that opens a copy of
 * its tree as a descriptor, comes back, and attaches the copy. Nothing is loaded, opened by name or started meanwhile,
 * and the container, in a process namespace of its own, can't see this process.
 */
import * as fs from "node:fs";
import { TareError, linux } from "../base/index.ts";

/** Attaches a copy of a process's tree of mounts at an existing folder, for this process and its children alone. Throws `E_SYSCALL`. */
export function attachTree(pid: number, target: string): void {
  const folder = process.cwd();
  const theirs = fs.openSync(`/proc/${pid}/ns/mnt`, "r");
  try {
    linux.unshare(linux.CLONE_NEWNS);
    linux.mount({ target: "/", flags: linux.MS_REC | linux.MS_SLAVE });
    const tree = openTreeIn(theirs);
    linux.moveMount(tree, linux.AT_FDCWD, target);
    fs.closeSync(tree);
  } catch (error) {
    throw new TareError("E_SYSCALL", `looking into the files of process ${pid}: ${String(error)}`, { cause: error });
  } finally {
    fs.closeSync(theirs);
    process.chdir(folder);
  }
}

function openTreeIn(namespace: number): number {
  const home = fs.openSync("/proc/self/ns/mnt", "r");
  try {
    // Bound, and known to work, before it matters.
    linux.setns(home, linux.CLONE_NEWNS);
    fs.closeSync(linux.openTree(linux.AT_FDCWD, "/proc/self", 0));
    linux.setns(namespace, linux.CLONE_NEWNS);
    try {
      return linux.openTree(linux.AT_FDCWD, "/", linux.OPEN_TREE_CLONE | linux.AT_RECURSIVE);
    } finally {
      linux.setns(home, linux.CLONE_NEWNS);
    }
  } finally {
    fs.closeSync(home);
  }
}

/** Takes it away again. */
export function detachTree(target: string): void {
  linux.umount2(target, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW);
}
