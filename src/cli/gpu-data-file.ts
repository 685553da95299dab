// SPDX-License-Identifier: Apache-2.0
/* Compatibility data that the user names: how it is told apart from a reference, and read. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ioError } from "../base/index.ts";
import { usageError } from "./usage-error.ts";

/** Far more than the data will ever have. */
const LONGEST = 16 * 1024 * 1024;

/** The bytes of a file; undefined when the word is no file but may be a reference. Throws `E_IO`, `E_USAGE`. */
export function readDataFile(cwd: string, word: string): Buffer | undefined {
  const path = resolve(cwd, word);
  const isPath = /^\.{0,2}\//.test(word) || word.endsWith(".json");
  if (!isPath && !existsSync(path)) return undefined;
  try {
    if (statSync(path).size > LONGEST) throw usageError(`\`${word}\` is too large for compatibility data`);
    return readFileSync(path);
  } catch (error) {
    throw ioError(`reading \`${word}\``, error);
  }
}

/** The bytes of the standard input. Throws `E_USAGE` when there are too many. */
export async function readDataStream(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const part = Buffer.from(chunk);
    length += part.length;
    if (length > LONGEST) throw usageError("the standard input is too long for compatibility data");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
