// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import * as fs from "node:fs";
import { resolve } from "node:path";
import { ioError, sinkOf, writeToPath } from "../base/index.ts";
import type { ByteSink as ChunkSink } from "../base/index.ts";
import type { ByteSink } from "./facade.ts";

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

/** Writes to a stream, or to a file that appears whole or not at all. What `write` gives. */
export async function writeTo<T>(cwd: string, output: ByteSink, write: (sink: ChunkSink) => Promise<T>): Promise<T> {
  return typeof output === "string" ? writeToPath(resolve(cwd, output), write) : write(sinkOf(output));
}
