// SPDX-License-Identifier: Apache-2.0
/* How a foreground container's streams go: as they are where nothing has to be recorded, else through this process. */
import * as fs from "node:fs";
import type { Readable, Writable } from "node:stream";
import { systemErrorCode } from "../base/index.ts";
import type { ForegroundStdio } from "../runtime/index.ts";
import type { LogWriter } from "./logs/writer.ts";
import type { ProcessIo } from "./request.ts";

/**
 * The runtime's view of `io`. `log` gets a copy. `onClosed` is called once when the reader of the output has gone away
 * (`tare run … | head`).
 */
export function foregroundStdio(
  io: ProcessIo,
  options: { readonly tty: boolean; readonly log: LogWriter | undefined; readonly onClosed: () => void },
): ForegroundStdio {
  const stdin = inputOf(io.stdin);
  const isOwn = io.stdout === 1 && io.stderr === 2;
  if (isOwn && (options.tty || !options.log)) return { stdin };
  const sinks = { 1: sinkOf(io.stdout, options.onClosed), 2: sinkOf(io.stderr, options.onClosed) };
  const onOutput = (stream: 1 | 2, data: Buffer): void => {
    options.log?.write(stream, data);
    sinks[stream](data);
  };
  return { stdin, onOutput };
}

function inputOf(stdin: ProcessIo["stdin"]): "inherit" | "ignore" | Readable {
  if (stdin === undefined) return "ignore";
  if (typeof stdin !== "number") return stdin;
  return stdin === 0 ? "inherit" : fs.createReadStream("", { fd: stdin, autoClose: false });
}

/** Writing to a descriptor blocks while its reader is slow, which is the backpressure that a pipe would have had. */
export function sinkOf(target: number | Writable, onClosed: () => void): (data: Buffer) => void {
  let isClosed = false;
  const close = (): void => {
    if (!isClosed) onClosed();
    isClosed = true;
  };
  if (typeof target !== "number") {
    target.on("error", close);
    return (data) => void (isClosed || target.write(data));
  }
  return (data) => {
    if (isClosed) return;
    try {
      writeWhole(target, data);
    } catch {
      close();
    }
  };
}

const PAUSE: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** A descriptor that another process has made non-blocking answers EAGAIN when it is full. */
function writeWhole(descriptor: number, data: Buffer): void {
  for (let done = 0; done < data.length;) {
    try {
      done += fs.writeSync(descriptor, data, done);
    } catch (error) {
      if (systemErrorCode(error) !== "EAGAIN") throw error;
      Atomics.wait(PAUSE, 0, 0, 2);
    }
  }
}
