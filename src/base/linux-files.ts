// SPDX-License-Identifier: Apache-2.0
/*
 * File calls relative to an open directory, which is how a path is resolved once and then used without a race.
 * `AT_FDCWD` as directory means the working directory; an absolute path ignores the directory.
 */
import { TareError } from "./errors.ts";
import { call, cString, lastErrno, syscallError, tryCall, tryCallLater } from "./linux-call.ts";
import type { BytePath } from "./linux-call.ts";

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;
export const O_PATH = 0x20_0000;
export const O_CLOEXEC = 0x8_0000;
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const S_IFIFO = 0o010_000;
export const S_IFCHR = 0o020_000;
export const S_IFBLK = 0o060_000;
export const S_IFSOCK = 0o140_000;

const SYS_OPENAT2 = 437;
const EAGAIN = 11;
const EINTR = 4;
const EXDEV = 18;
const ENXIO = 6;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** How `openat2` opens: flags as for open(2) (O_CLOEXEC is added), mode of a created file, `RESOLVE_*` bits. */
export interface OpenHow {
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: number;
}

/** Opens a path with the kernel confining its resolution; returns a descriptor that the caller closes. */
export function openat2(directory: number, path: BytePath, how: OpenHow): number {
  const file = cString(path);
  const record = new BigUint64Array([BigInt(how.flags | O_CLOEXEC), BigInt(how.mode ?? 0), BigInt(how.resolve)]);
  for (let attempt = 0; ; attempt += 1) {
    const descriptor = tryCall("openat2", SYS_OPENAT2, directory, file, record, 24);
    if (descriptor >= 0) return descriptor;
    const errno = lastErrno();
    // The kernel answers EAGAIN when a rename elsewhere made it unable to prove that `..` stays inside.
    if (errno !== EINTR && (errno !== EAGAIN || attempt > 32)) throw syscallError("openat2", path, errno);
  }
}

/** Opens a path as openat(2) does (O_CLOEXEC is added); returns a descriptor that the caller closes. */
export function openat(directory: number, path: BytePath, flags: number, mode: number = 0): number {
  return call("openat", path, directory, cString(path), flags | O_CLOEXEC, mode);
}

/** Creates a directory. */
export function mkdirat(directory: number, path: BytePath, mode: number): void {
  call("mkdirat", path, directory, cString(path), mode);
}

/** The device number of a major and a minor number, as mknod takes it. */
export function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** The major and the minor number of a device: the reverse of `makeDevice`. */
export function deviceNumbers(device: bigint): readonly [major: number, minor: number] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}

/** Creates a device node, a fifo or a file; `mode` holds `S_IFCHR`, `S_IFBLK` or `S_IFIFO` and the permissions. */
export function mknodat(directory: number, path: BytePath, mode: number, device: bigint = 0n): void {
  call("mknodat", path, directory, cString(path), mode, device);
}

/** `mknodat` from the working directory. */
export function mknod(path: BytePath, mode: number, device: bigint = 0n): void {
  mknodat(AT_FDCWD, path, mode, device);
}

/** Creates a symbolic link to `target` (any text). */
export function symlinkat(target: BytePath, directory: number, path: BytePath): void {
  call("symlinkat", path, cString(target), directory, cString(path));
}

/** A file's place: a directory and a path in it. */
export interface Place {
  readonly directory: number;
  readonly path: BytePath;
}

/** Makes a hard link; a symbolic link is linked itself unless `flags` has `AT_SYMLINK_FOLLOW`. */
export function linkat(from: Place, to: Place, flags: number = 0): void {
  call("linkat", to.path, from.directory, cString(from.path), to.directory, cString(to.path), flags);
}

/** Removes a file, or with `AT_REMOVEDIR` an empty directory. */
export function unlinkat(directory: number, path: BytePath, flags: number = 0): void {
  call("unlinkat", path, directory, cString(path), flags);
}

/** Renames, with `RENAME_NOREPLACE` or `RENAME_EXCHANGE` if wanted. */
export function renameat2(from: Place, to: Place, flags: number = 0): void {
  call("renameat2", to.path, from.directory, cString(from.path), to.directory, cString(to.path), flags);
}

/** The target of a symbolic link, as bytes. */
export function readlinkat(directory: number, path: BytePath): Buffer {
  const buffer = Buffer.allocUnsafe(4096);
  const size = call("readlinkat", path, directory, cString(path), buffer, buffer.length);
  return Buffer.from(buffer.subarray(0, size));
}

/** Changes the owner; `flags` is usually `AT_SYMLINK_NOFOLLOW`, or `AT_EMPTY_PATH` with path "" for a descriptor. */
export function fchownat(directory: number, path: BytePath, owner: { uid: number; gid: number }, flags: number): void {
  call("fchownat", path, directory, cString(path), owner.uid, owner.gid, flags);
}

/** Changes the mode. It follows a symbolic link: use it only on a name that was just made as something else. */
export function fchmodat(directory: number, path: BytePath, mode: number): void {
  call("fchmodat", path, directory, cString(path), mode, 0);
}

/** Access and modification time in nanoseconds since 1970. */
export interface Times {
  readonly atime: bigint;
  readonly mtime: bigint;
}

/** Sets both times of a path; `flags` is usually `AT_SYMLINK_NOFOLLOW`. */
export function utimensat(directory: number, path: BytePath, times: Times, flags: number): void {
  call("utimensat", path, directory, cString(path), timeSpecs(times), flags);
}

/** Sets both times of an open file. */
export function futimens(descriptor: number, times: Times): void {
  call("futimens", descriptor, descriptor, timeSpecs(times));
}

function timeSpecs(times: Times): BigInt64Array {
  const specs = new BigInt64Array(4);
  setSpec(specs, 0, times.atime);
  setSpec(specs, 2, times.mtime);
  return specs;
}

/** Nanoseconds must be 0 … 999,999,999 even before 1970. */
function setSpec(specs: BigInt64Array, at: number, nanoseconds: bigint): void {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  specs[at] = (nanoseconds - rest) / 1_000_000_000n;
  specs[at + 1] = rest;
}

/** Reserves space for a file's bytes `offset … offset + length`; `mode` as for fallocate(2), 0 extends the file. */
export function fallocate(descriptor: number, offset: number, length: number, mode: number = 0): void {
  call("fallocate", descriptor, descriptor, mode, offset, length);
}

/** Where data or a hole begins at or after `at`; undefined when there is no more data. It moves the file's position. */
export function seek(descriptor: number, at: number, what: "data" | "hole"): number | undefined {
  const found = tryCall("lseek", descriptor, at, what === "data" ? SEEK_DATA : SEEK_HOLE);
  if (found >= 0) return found;
  const errno = lastErrno();
  if (errno === ENXIO) return undefined;
  throw syscallError("lseek", descriptor, errno);
}

/** Writes the whole file system of an open file to disk. */
export function syncfs(descriptor: number): void {
  call("syncfs", descriptor, descriptor);
}

/** The same without blocking this thread; a failure's reason is not known then. */
export async function syncfsLater(descriptor: number): Promise<void> {
  if ((await tryCallLater("syncfs", descriptor)) !== -1) return;
  throw new TareError("E_IO", `calling syncfs on descriptor ${descriptor}: the file system could not be written`, {
    hint: "look at the kernel's log (`dmesg`): the disk may be failing",
  });
}

/** How a lock is taken. A lock that waits blocks the whole thread: in an event loop use `wait: false` and try again. */
export interface LockMode {
  readonly kind: "shared" | "exclusive" | "unlock";
  readonly wait: boolean;
}

/**
 * Takes, changes or drops the advisory lock of an open file; the kernel drops it when the file is closed or the
 * process dies. Returns false when `wait` is false and another holds it.
 */
export function flock(descriptor: number, mode: LockMode): boolean {
  const operation = { shared: 1, exclusive: 2, unlock: 8 }[mode.kind] | (mode.wait ? 0 : 4);
  for (;;) {
    if (tryCall("flock", descriptor, operation) === 0) return true;
    const errno = lastErrno();
    if (errno === EAGAIN) return false;
    if (errno !== EINTR) throw syscallError("flock", descriptor, errno);
  }
}

/** True when this kernel has `openat2` and lets this process use it. */
export function hasOpenat2(): boolean {
  const record = new BigUint64Array([BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(RESOLVE_BENEATH)]);
  const result = tryCall("openat2", SYS_OPENAT2, AT_FDCWD, cString("/"), record, 24);
  return result === -1 && lastErrno() === EXDEV;
}
