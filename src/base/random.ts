// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";

/** Random bytes as lower-case hex digits, from the kernel. `node:crypto` would do the same, after 5 ms of loading. */
export function randomHex(bytes: number): string {
  const data = Buffer.alloc(bytes);
  const descriptor = fs.openSync("/dev/urandom", fs.constants.O_RDONLY);
  try {
    for (let done = 0; done < bytes;) done += fs.readSync(descriptor, data, done, bytes - done, null);
  } finally {
    fs.closeSync(descriptor);
  }
  return data.toString("hex");
}

/** A random whole number from 0 to below `limit`, at most 2^32; for names, not for secrets (the spread is not exact). */
export function randomBelow(limit: number): number {
  return Number.parseInt(randomHex(6), 16) % limit;
}
