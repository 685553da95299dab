// SPDX-License-Identifier: Apache-2.0

/** Sends a signal to a process, or with a negative pid to its group. One that has just ended by itself is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone.
  }
}
