// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { canGiveFiles } from "../base/index.ts";

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
  const folders = [agent, path].map(openFolder);
  const [agentPath = agent, proxyPath = path] = folders.map((folder) => folder.path);
  const open = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    const upstream = track(createConnection(agentPath));
    track(client).pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(proxyPath, resolve);
  });
  fs.chmodSync(path, look.mode);
  if (canGiveFiles()) fs.chownSync(path, look.uid, look.gid);
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => {
          for (const folder of folders) folder.close();
          resolve();
        });
      }),
  };
}

const LONGEST_SOCKET = 107;

/** A path to a socket that fits unix(7): a long one goes through its open folder. */
function openFolder(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= LONGEST_SOCKET) return { path, close: () => undefined };
  const descriptor = fs.openSync(dirname(path), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${descriptor}/${basename(path)}`, close: () => fs.closeSync(descriptor) };
}
