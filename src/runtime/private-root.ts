// SPDX-License-Identifier: Apache-2.0
/*
 * The root file system of a container that does not run, put together as it would be for its start, in a mount namespace
 * that only this process knows. The main thread enters it for the mounts and leaves it at once (no other code runs
 * meanwhile; an ordinary user's can't leave); descriptors keep it alive, and the kernel takes all of it away when they are
 * closed or the process dies.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { TareError, linux, userNamespace } from "../base/index.ts";
import { mountRow } from "./overlay.ts";
import type { OverlayMount } from "./overlay.ts";

/** A folder or file of the host in the container. */
export interface PrivateMount {
  readonly source: string;
  /** Absolute in the container. */
  readonly destination: string;
  readonly readOnly: boolean;
}

/** What is put together. */
export interface PrivateRootRequest {
  /** Directory that relative paths of layers count from. */
  readonly storeRoot: string;
  readonly overlay: Required<Omit<OverlayMount, "volatile" | "given">>;
  /** What is changed goes to memory and is forgotten; the container's own upper directory is only read. */
  readonly scratch: boolean;
  /** Nothing but the mounts can be written to. */
  readonly readOnly: boolean;
  /** Parents before children. */
  readonly mounts: readonly PrivateMount[];
}

/** An open root file system. */
export interface RootDirectory {
  /** Of the root directory; for `openat2` with `RESOLVE_IN_ROOT`. */
  readonly descriptor: number;
  close(): void;
}

const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
const CONFINED = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS;
const NAMESPACE = "/proc/thread-self/ns/mnt";

/** Mounts and opens it. Throws `E_OVERLAY`, `E_PERMISSION`. */
export function openPrivateRoot(request: PrivateRootRequest): RootDirectory {
  return inOwnNamespace(() => {
    try {
      process.chdir(request.storeRoot);
      const point = request.scratch ? mountScratch(request) : mountOverlay(request.overlay, request.storeRoot);
      return opened(point, request);
    } catch (error) {
      throw new TareError("E_OVERLAY", `mounting \`${request.overlay.target}\`: ${whyOf(error)}`, { cause: error });
    }
  });
}

function opened(point: string, request: PrivateRootRequest): RootDirectory {
  const descriptor = fs.openSync(point, DIRECTORY);
  try {
    for (const mount of request.mounts) bind(descriptor, mount);
    if (request.readOnly) linux.mount({ target: point, flags: linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY });
    const namespace = fs.openSync(NAMESPACE, "r");
    const close = (): void => [descriptor, namespace].forEach((each) => fs.closeSync(each));
    return { descriptor, close };
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

/** Runs it with this thread in a new mount namespace whose mounts nobody else sees. */
function inOwnNamespace<T>(work: () => T): T {
  const folder = process.cwd();
  const home = fs.openSync(NAMESPACE, "r");
  const root = fs.openSync("/", DIRECTORY);
  try {
    linux.unshare(linux.CLONE_NEWNS);
    try {
      linux.mount({ target: "/", flags: linux.MS_REC | linux.MS_SLAVE });
      return work();
    } finally {
      // From a user namespace there is no way back; there, a process is one command of the user's.
      if (userNamespace().isInitial) leave(home, root);
      process.chdir(folder);
    }
  } finally {
    fs.closeSync(home);
    fs.closeSync(root);
  }
}

function leave(home: number, root: number): void {
  linux.setns(home, linux.CLONE_NEWNS);
  // In a chroot the namespace's root is not this process's.
  process.chdir(`/proc/self/fd/${root}`);
  linux.chroot(".");
}

function mountOverlay(overlay: OverlayMount, directory: string): string {
  const [, options = "", more = ""] = mountRow(overlay, {
    directory,
    emptyDirectory: "",
    dieWithParent: false,
    inUserNamespace: !userNamespace().isInitial,
  });
  linux.mount({ target: overlay.target, source: "overlay", type: "overlay", data: `${options},${more}` });
  return overlay.target;
}

/** The upper directory becomes the top one of those that are only read. */
function mountScratch({ overlay, storeRoot }: PrivateRootRequest): string {
  const { target, lower, upper } = overlay;
  linux.mount({ target, source: "tmpfs", type: "tmpfs", flags: linux.MS_NOSUID | linux.MS_NODEV, data: "mode=700" });
  const [top, work, point] = ["upper", "work", "root"].map((name) => `${target}/${name}`) as [string, string, string];
  for (const path of [top, work, point]) fs.mkdirSync(path, { mode: 0o755 });
  const root = fs.statSync(upper);
  fs.chmodSync(top, root.mode & 0o7777);
  fs.chownSync(top, root.uid, root.gid);
  return mountOverlay({ target: point, lower: [upper, ...lower], upper: top, work }, storeRoot);
}

/** The place is resolved by the kernel inside the container's root, and made where it is missing. */
function bind(root: number, mount: PrivateMount): void {
  const isFolder = fs.statSync(mount.source).isDirectory();
  const place = openPlace(root, mount.destination) ?? makePlace(root, mount.destination, isFolder);
  onDescriptor(place, (target) => {
    linux.mount({ target, source: mount.source, flags: linux.MS_BIND | linux.MS_REC });
  });
  if (!mount.readOnly) return;
  const mounted = openPlace(root, mount.destination);
  if (mounted === undefined) return;
  onDescriptor(mounted, (target) => {
    linux.mount({ target, flags: linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY });
  });
}

function onDescriptor(descriptor: number, use: (path: string) => void): void {
  try {
    use(`/proc/self/fd/${descriptor}`);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openPlace(root: number, path: string): number | undefined {
  try {
    return linux.openat2(root, path, { flags: linux.O_PATH, resolve: CONFINED });
  } catch (error) {
    if (linux.errnoNameOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function makePlace(root: number, path: string, isFolder: boolean): number {
  const above = dirname(path);
  const parent = openPlace(root, above) ?? makePlace(root, above, true);
  try {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (isFolder) linux.mkdirat(parent, name, 0o755);
    else
      fs.closeSync(
        linux.openat(parent, name, fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW, 0o644),
      );
    return linux.openat(parent, name, linux.O_PATH | fs.constants.O_NOFOLLOW);
  } finally {
    fs.closeSync(parent);
  }
}

function whyOf(error: unknown): string {
  return linux.errnoNameOf(error) ?? (error instanceof Error ? error.message : String(error));
}
