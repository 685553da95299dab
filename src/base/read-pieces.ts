// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ioError } from "./files.ts";

const PIECE = 1 << 20;

/**
 * A file's bytes; each piece is in the memory of the one before, so who keeps one copies it. A stream's pieces would be
 * some 60 MB of garbage before it is collected. Throws `E_IO`.
 */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  let descriptor = -1;
  try {
    descriptor = fs.openSync(path, "r");
    const room = Buffer.allocUnsafe(PIECE);
    for (;;) {
      const count = fs.readSync(descriptor, room);
      if (count === 0) return;
      yield room.subarray(0, count);
      await nextTurn();
    }
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  } finally {
    if (descriptor >= 0) fs.closeSync(descriptor);
  }
}
