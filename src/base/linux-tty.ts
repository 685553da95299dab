// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { call } from "./linux-call.ts";

/** Both ends of a pseudo-terminal, as descriptors that the caller closes. */
export interface TerminalPair {
  readonly master: number;
  readonly slave: number;
}

const TIOCGPTN = 0x80045430n;
const TIOCSPTLCK = 0x40045431n;

/** Makes a pseudo-terminal; it becomes nobody's controlling one. Throws `E_SYSCALL` and what opening a file throws. */
export function openTerminal(): TerminalPair {
  const flags = fs.constants.O_RDWR | fs.constants.O_NOCTTY;
  const master = fs.openSync("/dev/ptmx", flags);
  try {
    const number = Buffer.alloc(4);
    call("ioctl", master, master, TIOCSPTLCK, number);
    call("ioctl", master, master, TIOCGPTN, number);
    return { master, slave: fs.openSync(`/dev/pts/${number.readUInt32LE()}`, flags) };
  } catch (error) {
    fs.closeSync(master);
    throw error;
  }
}

const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const TERMIOS_SIZE = 64;
const OUTPUT_FLAGS_AT = 4;
const OPOST = 1;

/**
 * Has a terminal show output as it is. Node's raw mode leaves that a line feed also returns to the first column, which is
 * wrong for what comes from another terminal. Throws `E_SYSCALL` for what is no terminal.
 */
export function leaveOutputAlone(descriptor: number): void {
  const settings = Buffer.alloc(TERMIOS_SIZE);
  call("ioctl", descriptor, descriptor, TCGETS, settings);
  settings.writeUInt32LE(settings.readUInt32LE(OUTPUT_FLAGS_AT) & ~OPOST, OUTPUT_FLAGS_AT);
  call("ioctl", descriptor, descriptor, TCSETS, settings);
}
