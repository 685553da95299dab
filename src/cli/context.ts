// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";
import type { Engine } from "../engine/index.ts";
import type { Output } from "./output.ts";

/** What a command has of the outside world; tests give their own. */
export interface CommandContext {
  /** Data. */
  readonly stdout: Output;
  /** Talk. */
  readonly stderr: Output;
  /** The standard input, opened on first use. */
  stdin(): Readable;
  /** True when a person sits at the standard input. */
  readonly stdinIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly debug: boolean;
  /** Fires on Ctrl-C, SIGTERM and SIGHUP unless the signals are forwarded. */
  readonly signal: AbortSignal;
  /** Hands signals to `listener` instead of aborting, until the result is called. */
  forwardSignals(listener: (signal: NodeJS.Signals) => void): () => void;
  /** The engine, opened on first use and closed at the end. */
  engine(): Promise<Engine>;
  /** Milliseconds since the epoch. */
  now(): number;
}
