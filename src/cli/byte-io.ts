// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { ByteSink, ByteSource } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";

/** `-o FILE`, or the standard output when it is no terminal. Throws `E_USAGE`. */
export function byteSink(context: CommandContext, path: string | undefined): ByteSink {
  if (path !== undefined && path !== "-" && path !== "") return path;
  if (context.stdout.isTerminal) {
    throw new TareError("E_USAGE", "refusing to write an archive to a terminal", {
      hint: "name a file with `-o`, or redirect the output",
    });
  }
  return process.stdout;
}

/** `-i FILE`, or the standard input when it is no terminal. Throws `E_USAGE`. */
export function byteSource(context: CommandContext, path: string | undefined): ByteSource {
  if (path !== undefined && path !== "-" && path !== "") return path;
  if (context.stdinIsTerminal) {
    throw new TareError("E_USAGE", "refusing to read an archive from a terminal", {
      hint: "name a file, or redirect the input",
    });
  }
  return context.stdin();
}
