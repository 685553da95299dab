// SPDX-License-Identifier: Apache-2.0
import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { systemErrorCode } from "../base/index.ts";

/** Where a command prints. */
export interface Output {
  /** Writes at once; ends the process quietly when nobody reads any more. */
  write(text: string | Uint8Array): void;
  readonly isTerminal: boolean;
  /** True when escape sequences for colours are wanted. */
  readonly color: boolean;
  /** Size of the terminal, or 80 × 24. */
  size(): { readonly columns: number; readonly rows: number };
}

/** The exit code of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;

/** stdout (1) or stderr (2) without Node's stream machinery, which costs milliseconds to load. */
export function outputOf(descriptor: 1 | 2, env: Readonly<Record<string, string | undefined>>): Output {
  const isTerminal = isTerminalDescriptor(descriptor);
  return {
    isTerminal,
    color: wantsColor(env, isTerminal),
    write: (text) => writeAll(descriptor, typeof text === "string" ? Buffer.from(text) : text),
    size: () => terminalSize(descriptor, isTerminal),
  };
}

/** Device number of /dev/null and its like. */
const MEMORY_DEVICES = 1;

/** Whether a descriptor is a terminal, without loading `node:tty` for pipes, files and /dev/null. */
export function isTerminalDescriptor(descriptor: number): boolean {
  try {
    const { rdev, ...stat } = fstatSync(descriptor);
    const isDevice = (stat.mode & 0o170000) === 0o020000;
    return isDevice && ((rdev >> 8) & 0xfff) !== MEMORY_DEVICES && isatty(descriptor);
  } catch {
    return false;
  }
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR, which wins over what the output is. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] !== undefined) return env["FORCE_COLOR"] !== "0" && env["FORCE_COLOR"] !== "false";
  return isTerminal && env["TERM"] !== "dumb";
}

function writeAll(descriptor: number, data: Uint8Array): void {
  for (let done = 0; done < data.length;) {
    try {
      done += writeSync(descriptor, data, done);
    } catch (error) {
      const code = systemErrorCode(error);
      // Somebody made the pipe non-blocking: wait a moment for its reader.
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      else if (code === "EPIPE") process.exit(BROKEN_PIPE);
      else if (code !== "EINTR") throw error;
    }
  }
}

function terminalSize(descriptor: 1 | 2, isTerminal: boolean): { columns: number; rows: number } {
  if (!isTerminal) return { columns: 80, rows: 24 };
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  return { columns: stream.columns || 80, rows: stream.rows || 24 };
}
