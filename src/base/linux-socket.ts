// SPDX-License-Identifier: Apache-2.0
/* Local sockets that keep packets apart, which Node does not know; once connected they are read and written as files. */
import * as fs from "node:fs";
import { basename, dirname } from "node:path";
import { call, tryCall } from "./linux-call.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const LONGEST_NAME = 107;

/** Which half of a socket is shut: the kernel's numbers. */
const HALVES = { reading: 0, writing: 1, both: 2 } as const;

/**
 * Connects to the packet socket at `path`; the caller closes the descriptor. A name of a socket has 107 bytes at most, so
 * the path goes by its folder's descriptor. Throws `E_SYSCALL`.
 */
export function connectPackets(path: string): number {
  const folder = fs.openSync(dirname(path), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  const descriptor = call("socket", path, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  try {
    const name = Buffer.from(`/proc/self/fd/${folder}/${basename(path)}`).subarray(0, LONGEST_NAME);
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name, Buffer.from([0])]);
    call("connect", path, descriptor, address, address.length);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  } finally {
    fs.closeSync(folder);
  }
}

/**
 * Shuts a half of a socket. After `reading`, what has arrived can still be read, then comes the end of file, also for a
 * read that waits. A socket whose other side has gone is no error.
 */
export function shutSocket(descriptor: number, half: keyof typeof HALVES): void {
  tryCall("shutdown", descriptor, HALVES[half]);
}
