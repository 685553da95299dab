// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as fs from "node:fs";
import { resolve } from "node:path";
import { ioError } from "../base/index.ts";

/** Opens a file for reading; an absent one is an error before anything else begins. Throws `E_IO`, `E_PERMISSION`. */
export async function openToRead(cwd: string, path: string): Promise<fs.ReadStream> {
  const stream = fs.createReadStream(resolve(cwd, path), { highWaterMark: 1 << 20 });
  try {
    await once(stream, "open");
    return stream;
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}
