// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";

/** An agent socket made for one step. */
export interface AgentProxy {
  close(): Promise<void>;
}

/**
 * Listens on a new socket with the wanted owner and mode and passes every connection on to the user's agent, so that
 * the agent's own socket need not be opened to the step's user.
 */
export async function openAgentProxy(
  agent: string,
  path: string,
  look: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<AgentProxy> {
  const open = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    const upstream = track(createConnection(agent));
    track(client).pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, resolve);
  });
  fs.chmodSync(path, look.mode);
  if (process.geteuid?.() === 0) fs.chownSync(path, look.uid, look.gid);
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
