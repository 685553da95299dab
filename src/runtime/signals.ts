// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";

const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH"];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/**
 * Passes signals that this process receives on to `child` (a runtime passes them to the container) until `stop`.
 * A child in the terminal's foreground group gets the keyboard's signals from the kernel; those are then only ignored.
 */
export function forwardSignals(child: ChildProcess, ownGroup: boolean): { stop(): void } {
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const ignore = (): void => undefined;
  const keyboard = ownGroup ? forward : ignore;
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_KEYBOARD) process.on(signal, keyboard);
  return {
    stop: () => {
      for (const signal of FORWARDED) process.off(signal, forward);
      for (const signal of FROM_KEYBOARD) process.off(signal, keyboard);
    },
  };
}
