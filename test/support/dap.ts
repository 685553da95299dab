// SPDX-License-Identifier: Apache-2.0
/* As much of a client of the Debug Adapter Protocol as stopping at a line takes. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

type Message = Readonly<Record<string, unknown>>;

/** A session with a debugger. */
export interface DebugSession {
  /** Sends a request; its answer's body. Throws when the debugger refuses it. */
  ask(command: string, args?: object): Promise<Message>;
  /** Sends a request whose answer comes later. */
  send(command: string, args?: object): void;
  /** Waits for an event. */
  event(name: string): Promise<Message>;
  close(): void;
}

/** Connects, trying for half a minute; throws then. */
export async function openDebugSession(host: string, port: number): Promise<DebugSession> {
  for (const limit = Date.now() + 30_000; ; await sleep(200)) {
    try {
      return sessionOn(await connected(host, port));
    } catch (error) {
      if (Date.now() > limit) throw error;
    }
  }
}

function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function sessionOn(socket: Socket): DebugSession {
  const seen: Message[] = [];
  const waiting = new Set<() => void>();
  let pending = Buffer.alloc(0);
  let sequence = 0;
  socket.on("error", () => undefined);
  socket.on("data", (data) => {
    pending = Buffer.concat([pending, data]);
    for (let message = take(); message; message = take()) seen.push(message);
    for (const look of waiting) look();
  });
  const take = (): Message | undefined => {
    const end = pending.indexOf("\r\n\r\n");
    const length = Number(/Content-Length: (\d+)/.exec(pending.toString("latin1", 0, Math.max(end, 0)))?.[1] ?? -1);
    if (end < 0 || pending.length < end + 4 + length) return undefined;
    const text = pending.toString("utf8", end + 4, end + 4 + length);
    pending = pending.subarray(end + 4 + length);
    return JSON.parse(text) as Message;
  };
  const find = (fits: (message: Message) => boolean, what: string): Promise<Message> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what}; came: ${JSON.stringify(seen)}`)), 30_000);
      const look = (): void => {
        const at = seen.findIndex(fits);
        if (at < 0) return;
        waiting.delete(look);
        clearTimeout(timer);
        resolve(seen.splice(at, 1)[0] ?? {});
      };
      waiting.add(look);
      look();
    });
  const write = (command: string, args: object): number => {
    const body = JSON.stringify({ seq: (sequence += 1), type: "request", command, arguments: args });
    socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return sequence;
  };
  return {
    send: (command, args = {}) => void write(command, args),
    ask: async (command, args = {}) => {
      const id = write(command, args);
      const answer = await find((message) => message["request_seq"] === id, `answer to ${command}`);
      if (answer["success"] !== true) throw new Error(`${command}: ${String(answer["message"])}`);
      return (answer["body"] ?? {}) as Message;
    },
    event: async (name) => {
      const found = await find((message) => message["type"] === "event" && message["event"] === name, `event ${name}`);
      return (found["body"] ?? {}) as Message;
    },
    close: () => void socket.destroy(),
  };
}
