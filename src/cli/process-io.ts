// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
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
}

/** The process's own descriptors, or its terminal with `-t`. Throws `E_USAGE` for `-it` without a terminal. */
export function processIo(context: CommandContext, options: IoOptions): ProcessIo {
  if (options.tty && options.interactive && !context.stdinIsTerminal) {
    throw new TareError("E_USAGE", "the input device is not a terminal", {
      hint: "leave out `-t` when the input is a pipe or a file",
    });
  }
  return {
    ...(options.interactive ? { stdin: options.tty ? context.stdin() : 0 } : {}),
    stdout: 1,
    stderr: 2,
    ...(options.tty ? { terminal: terminalOf(context) } : {}),
    ...(options.proxy ? { onSignal: (listener) => context.forwardSignals(listener) } : {}),
  };
}

function terminalOf(context: CommandContext): Terminal {
  return {
    size: () => context.stdout.size(),
    onResize: (listener) => {
      process.on("SIGWINCH", listener);
      return () => void process.off("SIGWINCH", listener);
    },
    setRaw: (raw) => {
      if (context.stdinIsTerminal) process.stdin.setRawMode(raw);
    },
  };
}
