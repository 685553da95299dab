// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import type { Writable } from "node:stream";
import { TareError, messageOf, systemErrorCode } from "./errors.ts";
import { ioError } from "./files.ts";

/** Where bytes go. A chunk is valid until `write` returns or, when it returns a promise, until that resolves. */
export interface ByteSink {
  write(chunk: Uint8Array): void | Promise<void>;
}

/** A stream as a sink. The chunk's memory is used again by the writer, so it is waited for. Throws `E_IO`. */
export function sinkOf(stream: Writable): ByteSink {
  // A stream also emits the error that its callback gets; without a listener that ends the process.
  stream.on("error", () => undefined);
  return {
    write: (chunk) =>
      new Promise((done, fail) => {
        stream.write(chunk, (error) => (error ? fail(writeFailure(error)) : done()));
      }),
  };
}

function writeFailure(error: unknown): TareError {
  const left = systemErrorCode(error) === "EPIPE";
  return new TareError("E_IO", `writing an archive: ${left ? "its reader has left" : messageOf(error)}`, {
    hint: left ? "look at what reads the output" : "`-o FILE` writes to a file instead",
    exitCode: left ? 141 : 1,
    cause: error,
  });
}

/**
 * Writes a file by `write`, so that a reader or a crash sees all of it or nothing; what is no ordinary file (a pipe, a
 * device) is written as it is. What `write` gives. Throws `E_IO`, `E_NOSPACE`, `E_PERMISSION`.
 */
export async function writeToPath<T>(path: string, write: (sink: ByteSink) => Promise<T>): Promise<T> {
  const isSpecial = fs.statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  const target = isSpecial ? path : `${path}.${process.pid}.partial`;
  const descriptor = openForWriting(path, target, isSpecial ? "w" : "wx");
  try {
    const result = await write({ write: (chunk) => writeAll(descriptor, chunk) });
    if (isSpecial) return result;
    fs.fsyncSync(descriptor);
    fs.renameSync(target, path);
    return result;
  } catch (error) {
    if (!isSpecial) fs.rmSync(target, { force: true });
    throw ioError(`writing \`${path}\``, error);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openForWriting(path: string, target: string, flags: "w" | "wx"): number {
  try {
    return fs.openSync(target, flags, 0o666);
  } catch (error) {
    throw ioError(`writing \`${path}\``, error);
  }
}

/** Writes all of a chunk at the descriptor's position, however often the kernel takes only a part. */
export function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) at += fs.writeSync(descriptor, chunk, at);
}
