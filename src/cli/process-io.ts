// SPDX-License-Identifier: Apache-2.0
import { Writable } from "node:stream";
import { TareError, linux } from "../base/index.ts";
import type { ProcessIo, Terminal } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";

/** How a foreground process is joined to this one. */
export interface IoOptions {
  /** `-i` */
  readonly interactive: boolean;
  /** `-t` */
  readonly tty: boolean;
  /** `--sig-proxy` */
  readonly proxy: boolean;
  /** `--detach-keys`, parsed. */
  readonly detachKeys?: readonly number[] | undefined;
  /** `-a`: absent, both. */
  readonly outputs?: { readonly stdout: boolean; readonly stderr: boolean };
}

/** The process's own descriptors, or its terminal with `-t`. Throws `E_USAGE` for `-it` without a terminal. */
export function processIo(context: CommandContext, options: IoOptions): ProcessIo {
  if (options.tty && options.interactive && !context.stdinIsTerminal) {
    throw new TareError("E_USAGE", "the input device is not a terminal", {
      hint: "leave out `-t` when the input is a pipe or a file",
    });
  }
  const { outputs = { stdout: true, stderr: true } } = options;
  return {
    ...(options.interactive ? { stdin: options.tty ? context.stdin() : 0 } : {}),
    stdout: outputs.stdout ? 1 : nowhere(),
    stderr: outputs.stderr ? 2 : nowhere(),
    ...(options.detachKeys === undefined ? {} : { detachKeys: options.detachKeys }),
    ...(options.tty ? { terminal: terminalOf(context) } : {}),
    ...(options.proxy || options.tty ? { onSignal: (listener) => context.forwardSignals(listener) } : {}),
  };
}

/** Signals do not interrupt `work` meanwhile: the runtime hands them on to the program, and that ends it. */
export async function endedByProgram<T>(context: CommandContext, work: () => Promise<T>): Promise<T> {
  const stop = context.forwardSignals(() => undefined);
  try {
    return await work();
  } finally {
    stop();
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_data, _encoding, done) => done() });
}

function terminalOf(context: CommandContext): Terminal {
  return {
    size: () => context.stdout.size(),
    onResize: (listener) => {
      process.on("SIGWINCH", listener);
      return () => void process.off("SIGWINCH", listener);
    },
    setRaw: (raw) => {
      if (!context.stdinIsTerminal) return;
      process.stdin.setRawMode(raw);
      if (raw) linux.leaveOutputAlone(0);
    },
  };
}
