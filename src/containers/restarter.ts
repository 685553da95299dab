// SPDX-License-Identifier: Apache-2.0
import { readlinkSync } from "node:fs";
import { launchShell } from "./background-shell.ts";

/** Makes the processes that wait for the next start of a container. */
export interface Restarter {
  /** Returns at once: the pid of a process that leads its own group and starts the container when `due` has come. */
  launch(id: string, due: number): number;
}

/**
 * conmon's exit command, and with it the waiter, is in the mount namespace of the last run. It goes back to the one that
 * the container was first started from, where that is still the host's.
 */
const SCRIPT = `
sleep "$1"; home=$2; shift 2
if [ -n "$home" ] && [ "$(readlink /proc/self/ns/mnt)" != "$home" ] && [ "$(readlink /proc/1/ns/mnt)" = "$home" ]; then
  exec nsenter --mount=/proc/1/ns/mnt -- "$@"
fi
exec "$@"`;

/** `command`: program (absolute) and arguments that start a container; its id and the moment are added. */
export function processRestarter(
  command: readonly string[],
  options: { readonly mountNamespace: string; readonly now: () => number },
): Restarter {
  return {
    launch: (id, due) => {
      const seconds = Math.max(0, due - options.now()) / 1000;
      const words = [seconds.toFixed(3), options.mountNamespace, ...command, id, String(due)];
      return launchShell(SCRIPT, words);
    },
  };
}

/** The mount namespace of this process, as the kernel names it; empty when it may not be asked. */
export function ownMountNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/mnt");
  } catch {
    return "";
  }
}
