// SPDX-License-Identifier: Apache-2.0
/*
 * conmon before 2.1.10 can only truncate a log that is full. So it writes into a named pipe, and coreutils' `split` takes
 * whole lines from there into numbered files: 1 MB of memory a container instead of a Node process. `split` ends when
 * nobody can write any more, so no kill leaves it behind. Each file is written by `cat`, which is started by a script that
 * first deletes the files that are too many.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { executeOrThrow, startFailure } from "../base/index.ts";
import { launchEnvironment } from "./overlay.ts";

/** Where output goes and how much is kept. */
export interface LogPipe {
  /** The named pipe; made when missing. */
  readonly pipe: string;
  /** Existing folder of the files. */
  readonly folder: string;
  /** Digits of a file's name, and the first file's number. */
  readonly digits: number;
  readonly first: number;
  /** Bytes of a file, and number of files. */
  readonly size: number;
  readonly files: number;
}

const NEXT_FILE =
  'set -- "${FILE%/*}"/[0-9]*; while [ $# -ge "$KEEP" ]; do rm -f "$1"; shift; done; umask 077; exec cat >"$FILE"';

/**
 * Starts the writer, which waits for output. Call the result once somebody else writes to the pipe (or nobody will):
 * until then this process keeps it open.
 */
export async function openLogPipe(log: LogPipe): Promise<() => void> {
  if (!fs.existsSync(log.pipe)) await executeOrThrow("mkfifo", ["-m", "600", log.pipe]);
  // A reader that does not wait lets the writer open, and that lets one open that reads as usual.
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const opener = fs.openSync(log.pipe, O_RDONLY | O_NONBLOCK);
  const held = fs.openSync(log.pipe, "w");
  const input = fs.openSync(log.pipe, "r");
  fs.closeSync(opener);
  try {
    await startSplit(log, input);
  } catch (error) {
    fs.closeSync(held);
    throw error;
  } finally {
    fs.closeSync(input);
  }
  return () => fs.closeSync(held);
}

function startSplit(log: LogPipe, input: number): Promise<void> {
  const { folder, digits, first, size, files } = log;
  const naming = [`--suffix-length=${digits}`, `--numeric-suffixes=${first}`];
  const child = spawn("split", [`--line-bytes=${size}`, ...naming, `--filter=${NEXT_FILE}`, "-", `${folder}/`], {
    cwd: "/",
    env: { ...launchEnvironment(undefined), KEEP: String(files), SHELL: "/bin/sh" },
    // `split` closes its input before `cat` is done. Both have it a second time, so that whoever finds that nobody reads
    // from the pipe any more knows that all is written.
    stdio: [input, "ignore", "ignore", input],
    detached: true,
  });
  child.unref();
  if (child.pid !== undefined) return Promise.resolve();
  return new Promise((_resolve, reject) => child.once("error", (error) => reject(startFailure("split", error))));
}
