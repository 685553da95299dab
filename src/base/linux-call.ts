// SPDX-License-Identifier: Apache-2.0
/*
 * The bridge to libc. koffi is loaded at the first call, so that commands which need no system call pay nothing.
 * Paths are passed as NUL-terminated bytes: Linux names are bytes, not text.
 */
import type { LibraryHandle } from "koffi";
import { createRequire } from "node:module";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { TareError, messageOf } from "./errors.ts";

/** A path or a name: text (UTF-8) or exact bytes. */
export type BytePath = string | Uint8Array;

/** What can be handed to a system call. */
type Argument = number | bigint | Uint8Array | BigInt64Array | BigUint64Array | null;

const PROTOTYPES = {
  lgetxattr: "long lgetxattr(void *, void *, void *, size_t)",
  llistxattr: "long llistxattr(void *, void *, size_t)",
  lsetxattr: "int lsetxattr(void *, void *, void *, size_t, int)",
  lremovexattr: "int lremovexattr(void *, void *)",
  fgetxattr: "long fgetxattr(int, void *, void *, size_t)",
  flistxattr: "long flistxattr(int, void *, size_t)",
  fsetxattr: "int fsetxattr(int, void *, void *, size_t, int)",
  fremovexattr: "int fremovexattr(int, void *)",
  openat: "int openat(int, void *, int, uint32_t)",
  mkdirat: "int mkdirat(int, void *, uint32_t)",
  mknodat: "int mknodat(int, void *, uint32_t, uint64_t)",
  symlinkat: "int symlinkat(void *, int, void *)",
  linkat: "int linkat(int, void *, int, void *, int)",
  unlinkat: "int unlinkat(int, void *, int)",
  renameat2: "int renameat2(int, void *, int, void *, uint32_t)",
  readlinkat: "long readlinkat(int, void *, void *, size_t)",
  fchownat: "int fchownat(int, void *, uint32_t, uint32_t, int)",
  fchmodat: "int fchmodat(int, void *, uint32_t, int)",
  utimensat: "int utimensat(int, void *, void *, int)",
  futimens: "int futimens(int, void *)",
  fallocate: "int fallocate(int, int, int64_t, int64_t)",
  lseek: "int64_t lseek(int, int64_t, int)",
  syncfs: "int syncfs(int)",
  flock: "int flock(int, int)",
  mount: "int mount(void *, void *, void *, unsigned long, void *)",
  umount2: "int umount2(void *, int)",
  prctl: "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
  unshare: "int unshare(int)",
  setns: "int setns(int, int)",
  chroot: "int chroot(void *)",
  socket: "int socket(int, int, int)",
  connect: "int connect(int, void *, uint32_t)",
  shutdown: "int shutdown(int, int)",
  ioctl: "int ioctl(int, unsigned long, void *)",
  openat2: "long syscall(long, long, void *, void *, size_t)",
  openTree: "long syscall(long, long, void *, unsigned long)",
  moveMount: "long syscall(long, long, void *, long, void *, unsigned long)",
} as const;

/** A function of the table of prototypes. */
type CallName = keyof typeof PROTOTYPES;

type Bound = ReturnType<LibraryHandle["func"]>;

/** The loaded C library: its handle, the functions bound so far, and the reader of `errno`. */
interface Libc {
  readonly library: LibraryHandle;
  readonly bound: Map<CallName, Bound>;
  readonly errno: () => number;
}

const state: { libc?: Libc } = {};

/** Runs a call and returns its result, −1 for a failure, whose number is then `lastErrno()`. */
export function tryCall(name: CallName, ...args: Argument[]): number {
  return Number(boundCall(name)(...args));
}

/** Runs a call on another thread; −1 for a failure, whose number is lost with that thread. */
export function tryCallLater(name: CallName, ...args: Argument[]): Promise<number> {
  const { async: start } = boundCall(name);
  return new Promise((resolve, reject) => {
    start(...args, (error: unknown, result: unknown) => {
      if (error) reject(error instanceof Error ? error : new Error(messageOf(error)));
      else resolve(Number(result));
    });
  });
}

function boundCall(name: CallName): Bound {
  const libc = (state.libc ??= loadLibc());
  let bound = libc.bound.get(name);
  if (bound === undefined) {
    bound = libc.library.func(PROTOTYPES[name]);
    libc.bound.set(name, bound);
  }
  return bound;
}

/** The errno of this thread's last `tryCall`. */
export function lastErrno(): number {
  return (state.libc ??= loadLibc()).errno();
}

/** Runs a call; throws `E_SYSCALL` (see `syscallError`) when it returns −1. */
export function call(name: CallName, subject: BytePath | number, ...args: Argument[]): number {
  const result = tryCall(name, ...args);
  if (result === -1) throw syscallError(name, subject, lastErrno());
  return result;
}

/**
 * The error for a failed call: `E_SYSCALL` (`E_NOSPACE` for a full disk), with `details.errno` (number),
 * `details.errnoName` (`ENOENT` …) and `details.call`.
 */
export function syscallError(name: string, subject: BytePath | number, errno: number): TareError {
  const errnoName = getSystemErrorName(-errno);
  const what = typeof subject === "number" ? `descriptor ${subject}` : `\`${printable(subject)}\``;
  const full = errnoName === "ENOSPC" || errnoName === "EDQUOT";
  return new TareError(
    full ? "E_NOSPACE" : "E_SYSCALL",
    `calling ${name} on ${what}: ${errnoName} (${getSystemErrorMessage(-errno)})`,
    { details: { errno, errnoName, call: name } },
  );
}

/** The errno name (`ENOENT` …) of an error that a function of this file threw, else undefined. */
export function errnoNameOf(error: unknown): string | undefined {
  const name = error instanceof TareError ? error.details["errnoName"] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** A path as NUL-terminated bytes. Throws `E_SYSCALL` with EINVAL when it contains a NUL. */
export function cString(path: BytePath): Uint8Array {
  const bytes = typeof path === "string" ? Buffer.from(`${path}\0`) : terminated(path);
  if (bytes.indexOf(0) !== bytes.length - 1) throw syscallError("path conversion", path, 22);
  return bytes;
}

function terminated(path: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(path.length + 1);
  bytes.set(path);
  bytes[path.length] = 0;
  return bytes;
}

function printable(path: BytePath): string {
  return (typeof path === "string" ? path : Buffer.from(path).toString("utf8")).slice(0, 300);
}

/** Works in an ES module and, bundled as CommonJS, where `import.meta.url` is empty but `__filename` exists. */
function loadLibc(): Libc {
  if (process.platform !== "linux") {
    throw new TareError("E_UNSUPPORTED", `loading the C library: this needs Linux, not ${process.platform}`);
  }
  try {
    const require = createRequire(typeof __filename === "string" ? __filename : import.meta.url);
    const koffi = require("koffi") as typeof import("koffi");
    return { library: koffi.load(null), bound: new Map(), errno: () => koffi.errno() };
  } catch (error) {
    throw new TareError("E_UNSUPPORTED", `loading the package koffi for system calls: ${messageOf(error)}`, {
      hint: "install again with the package `koffi`, on Linux for x86-64 or arm64",
      cause: error,
    });
  }
}
