// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:net";
import { TareError } from "../base/index.ts";
import { Networks } from "../network/index.ts";
import type { Rooms } from "./rooms.ts";

/** How many ports after the usual one are tried. */
const TRIES = 50;

/** Which port is wanted, and the first of those that are tried where none is. */
interface PortWish {
  readonly host: string;
  readonly wanted: number | undefined;
  readonly usual: number;
}

/** A free port: the wanted one, or the first from the usual one on. Throws `E_PORT_BUSY`. */
export async function freePort(rooms: Rooms, { host, wanted, usual }: PortWish): Promise<number> {
  const published = publishedPorts(rooms);
  const ports = wanted === undefined ? Array.from({ length: TRIES }, (_, at) => usual + at) : [wanted];
  for (const port of ports) if (!published.has(port) && (await isFree(host, port))) return port;
  const what = wanted === undefined ? `ports ${usual} to ${usual + TRIES - 1} are` : `port ${wanted} is`;
  throw new TareError("E_PORT_BUSY", `choosing a port on ${host}: ${what} taken`, {
    hint: "another program or container has it; name another port",
    exitCode: 125,
  });
}

/** Ports of containers: rules of the kernel lead to them, so that nothing listens there. */
function publishedPorts(rooms: Rooms): ReadonlySet<number> {
  const endpoints = new Networks(rooms.reader()).all().flatMap((network) => Object.values(network.endpoints));
  const ports = endpoints.flatMap((endpoint) => endpoint.ports);
  return new Set(ports.filter(({ protocol }) => protocol === "tcp").map(({ hostPort }) => hostPort));
}

function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
