// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:net";
import { TareError } from "../base/index.ts";

/** How many ports after the usual one are tried. */
const TRIES = 50;

/** A free port of `host`: the wanted one, or the first from `usual` on. Throws `E_PORT_BUSY`. */
export async function freePort(host: string, wanted: number | undefined, usual: number): Promise<number> {
  const ports = wanted === undefined ? Array.from({ length: TRIES }, (_, at) => usual + at) : [wanted];
  for (const port of ports) if (await isFree(host, port)) return port;
  const what = wanted === undefined ? `ports ${usual} to ${usual + TRIES - 1} are` : `port ${wanted} is`;
  throw new TareError("E_PORT_BUSY", `choosing a port on ${host}: ${what} taken`, {
    hint: "another program listens there; name another port",
    exitCode: 125,
  });
}

function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
