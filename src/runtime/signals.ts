// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";

const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH"];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** Signals on their way to a child. */
export interface Forwarding {
  /** The last signal that came. */
  last(): NodeJS.Signals | undefined;
  stop(): void;
}

/**
 * Passes signals that this process receives on to `child` (a runtime passes them to the container) until `stop`.
 * A child in the terminal's foreground group gets the keyboard's signals from the kernel; those are then only noted.
 */
export function forwardSignals(child: ChildProcess, ownGroup: boolean): Forwarding {
  let last: NodeJS.Signals | undefined;
  const forward = (signal: NodeJS.Signals): void => void (child.kill(signal), (last = signal));
  const note = (signal: NodeJS.Signals): void => void (last = signal);
  const keyboard = ownGroup ? forward : note;
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_KEYBOARD) process.on(signal, keyboard);
  return {
    last: () => last,
    stop: () => {
      for (const signal of FORWARDED) process.off(signal, forward);
      for (const signal of FROM_KEYBOARD) process.off(signal, keyboard);
    },
  };
}
