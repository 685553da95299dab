// SPDX-License-Identifier: Apache-2.0
/*
 * conmon's attach socket, `attach` in the bundle: packets of a byte that says which stream it is (2 stdout, 3 stderr) and
 * up to 8 KiB of it; what is sent is the container's standard input. `ctl` takes lines, `1 ROWS COLUMNS` among them.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { linux } from "../base/index.ts";

/** A connection to a container's streams. */
export interface Attachment {
  /** Resolves when nothing more comes. */
  readonly ended: Promise<void>;
  /** Sends input; resolves when conmon has it. Does nothing when nobody listens any more. */
  write(data: Uint8Array): Promise<void>;
  /** Tells that no input comes any more. */
  endInput(): void;
  /** Nothing more is awaited: what has come is still handed on, then `ended` resolves. */
  finish(): void;
  /** Ends the connection; the container does not notice. Call once, at last. */
  close(): Promise<void>;
}

const LARGEST_PACKET = 64 * 1024;
/** conmon takes 32 KiB at once. */
const LARGEST_INPUT = 8 * 1024;
const STDERR = 3;

const read = promisify(fs.read);
const write = promisify(fs.write);

/** Connects to the container under conmon whose bundle this is. Throws `E_SYSCALL`. */
export function attachTo(bundle: string, onOutput: (stream: 1 | 2, data: Buffer) => void): Attachment {
  const descriptor = linux.connectPackets(join(bundle, "attach"));
  const ended = receive(descriptor, onOutput);
  return {
    ended,
    write: async (data) => {
      for (let at = 0; at < data.length; at += LARGEST_INPUT) {
        await write(descriptor, data.subarray(at, at + LARGEST_INPUT)).catch(() => undefined);
      }
    },
    endInput: () => linux.shutSocket(descriptor, "writing"),
    finish: () => linux.shutSocket(descriptor, "reading"),
    close: async () => {
      linux.shutSocket(descriptor, "both");
      await ended;
      fs.closeSync(descriptor);
    },
  };
}

/** Reading waits in a thread of Node's pool; `shutSocket` ends that. */
async function receive(descriptor: number, onOutput: (stream: 1 | 2, data: Buffer) => void): Promise<void> {
  const packet = Buffer.alloc(LARGEST_PACKET);
  for (;;) {
    const { bytesRead } = await read(descriptor, packet, 0, LARGEST_PACKET, null).catch(() => ({ bytesRead: 0 }));
    if (bytesRead === 0) return;
    if (bytesRead > 1) onOutput(packet[0] === STDERR ? 2 : 1, Buffer.from(packet.subarray(1, bytesRead)));
  }
}

/** Gives the terminal of the container under conmon whose bundle this is another size. One that has ended is no error. */
export function resizeTerminal(bundle: string, size: { readonly rows: number; readonly columns: number }): void {
  try {
    const control = fs.openSync(join(bundle, "ctl"), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    try {
      fs.writeSync(control, `1 ${size.rows} ${size.columns}\n`);
    } finally {
      fs.closeSync(control);
    }
  } catch {
    // conmon has gone.
  }
}
