// SPDX-License-Identifier: Apache-2.0
/*
 * Extended attributes. Values are bytes. Names are byte strings: one character (latin1) per byte, so that a name
 * that is not UTF-8 survives. The functions that take a path never follow a symbolic link in its last component.
 */
import { call, cString, lastErrno, syscallError, tryCall } from "./linux-call.ts";
import type { BytePath } from "./linux-call.ts";

const ENODATA = 61;
const ERANGE = 34;
const EOPNOTSUPP = 95;

/** The value of an attribute of a path; undefined when it has none or the file system knows none. */
export function lgetxattr(path: BytePath, name: string): Buffer | undefined {
  const file = cString(path);
  const attribute = nameBytes(name);
  return readGrowing("lgetxattr", path, (buffer) => tryCall("lgetxattr", file, attribute, buffer, buffer.length));
}

/** The value of an attribute of an open file; undefined when it has none or the file system knows none. */
export function fgetxattr(descriptor: number, name: string): Buffer | undefined {
  const attribute = nameBytes(name);
  return readGrowing("fgetxattr", descriptor, (buffer) =>
    tryCall("fgetxattr", descriptor, attribute, buffer, buffer.length),
  );
}

/** The names of a path's attributes, in the kernel's order; none where the file system knows no attributes. */
export function llistxattr(path: BytePath): string[] {
  const file = cString(path);
  return splitNames(readGrowing("llistxattr", path, (buffer) => tryCall("llistxattr", file, buffer, buffer.length)));
}

/** The names of an open file's attributes. */
export function flistxattr(descriptor: number): string[] {
  return splitNames(
    readGrowing("flistxattr", descriptor, (buffer) => tryCall("flistxattr", descriptor, buffer, buffer.length)),
  );
}

/** Sets an attribute of a path, replacing an older value. Throws `E_SYSCALL`. */
export function lsetxattr(path: BytePath, name: string, value: Uint8Array): void {
  call("lsetxattr", path, cString(path), nameBytes(name), value, value.length, 0);
}

/** Sets an attribute of an open file, replacing an older value. Throws `E_SYSCALL`. */
export function fsetxattr(descriptor: number, name: string, value: Uint8Array): void {
  call("fsetxattr", descriptor, descriptor, nameBytes(name), value, value.length, 0);
}

/** Removes an attribute of a path. Throws `E_SYSCALL` (ENODATA when there is none). */
export function lremovexattr(path: BytePath, name: string): void {
  call("lremovexattr", path, cString(path), nameBytes(name));
}

/** Removes an attribute of an open file. Throws `E_SYSCALL` (ENODATA when there is none). */
export function fremovexattr(descriptor: number, name: string): void {
  call("fremovexattr", descriptor, descriptor, nameBytes(name));
}

function nameBytes(name: string): Uint8Array {
  return cString(Buffer.from(name, "latin1"));
}

/** Reads into a shared buffer first: most values and lists are short; 64 KiB is the kernel's largest. */
function readGrowing(
  name: string,
  subject: BytePath | number,
  read: (buffer: Uint8Array) => number,
): Buffer | undefined {
  for (const buffer of [SCRATCH, Buffer.allocUnsafe(0)]) {
    const target = buffer.length > 0 ? buffer : Buffer.allocUnsafe(1 << 16);
    const size = read(target);
    if (size >= 0) return Buffer.from(target.subarray(0, size));
    const errno = lastErrno();
    if (errno === ENODATA || errno === EOPNOTSUPP) return undefined;
    if (errno !== ERANGE) throw syscallError(name, subject, errno);
  }
  throw syscallError(name, subject, ERANGE);
}

const SCRATCH: Buffer = Buffer.alloc(1024);

function splitNames(list: Buffer | undefined): string[] {
  if (list === undefined || list.length === 0) return [];
  return list.toString("latin1", 0, list.length - 1).split("\0");
}
