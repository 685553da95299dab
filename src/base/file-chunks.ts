// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";

const CHUNK = 1 << 18;

/**
 * The bytes of a file from `start` up to `end` (or where it ends), each piece in the same memory: valid until the next
 * one is asked for. A stream would make new memory for each, and its collection costs more than the reading.
 */
export async function* fileChunks(
  path: string,
  { start = 0, end = Infinity }: { readonly start?: number; readonly end?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, "r");
  try {
    const room = Buffer.allocUnsafeSlow(Math.min(CHUNK, Math.max(1, end - start)));
    for (let at = start; at < end;) {
      const { bytesRead } = await file.read(room, 0, Math.min(room.length, end - at), at);
      if (bytesRead === 0) return;
      yield room.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
