// SPDX-License-Identifier: Apache-2.0
/* Which ports of this host nobody listens on, and who listens on one. */
import { createSocket } from "node:dgram";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { TareError, systemErrorCode } from "../base/index.ts";
import type { PortBinding } from "../options/index.ts";
import { readOfProcess } from "./programs.ts";
import type { Candidates } from "./publish.ts";

/** How many free ports are offered where any will do: others may take some meanwhile. */
const OFFERED = 4;
const LONGEST_RANGE = 1024;

/** The free ports for each wanted one. A range is looked through until enough are free. */
export async function findCandidates(bindings: readonly PortBinding[]): Promise<readonly Candidates[]> {
  const found: Candidates[] = [];
  for (const binding of bindings) found.push({ binding, free: await freePorts(binding) });
  return found;
}

async function freePorts(binding: PortBinding): Promise<readonly number[]> {
  const { hostPort, protocol, hostIp } = binding;
  const free: number[] = [];
  if (hostPort === undefined || hostPort.start === 0) {
    while (free.length < OFFERED) free.push((await tryPort(protocol, hostIp, 0)) ?? 0);
    return free.filter((port) => port > 0);
  }
  const end = Math.min(hostPort.end, hostPort.start + LONGEST_RANGE);
  const enough = hostPort.end === hostPort.start ? 1 : end;
  for (let port = hostPort.start; port <= end && free.length < enough; port += 1) {
    if ((await tryPort(protocol, hostIp, port)) !== undefined) free.push(port);
  }
  return free;
}

/** Listens for a moment. The port, or undefined when it is taken. Throws `E_ADDRESS`, `E_PERMISSION`. */
async function tryPort(protocol: PortBinding["protocol"], host: string, port: number): Promise<number | undefined> {
  try {
    if (protocol === "tcp") return await tryTcp(host, port);
    // Nothing in Node listens with SCTP; the kernel's rules are then the only judge.
    return protocol === "udp" ? await tryUdp(host, port) : port;
  } catch (error) {
    if (systemErrorCode(error) === "EADDRINUSE") return undefined;
    if (systemErrorCode(error) === "EACCES") throw lowPort(host, port);
    if (systemErrorCode(error) === "EADDRNOTAVAIL") throw foreignAddress(host, port);
    throw error;
  }
}

function lowPort(host: string, port: number): TareError {
  return new TareError("E_PERMISSION", `publishing port ${host}:${port}: ports this low are root's`, {
    hint: `publish a higher one, as \`-p ${8000 + port}:…\`; \`tare system check\` says how users get low ports`,
  });
}

function foreignAddress(host: string, port: number): TareError {
  return new TareError("E_ADDRESS", `publishing port ${host}:${port}: this machine has no address ${host}`, {
    hint: "`ip address` lists those that it has; `0.0.0.0` is all of them",
    exitCode: 125,
  });
}

function tryTcp(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}

function tryUdp(host: string, port: number): Promise<number> {
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", ipv6Only: host.includes(":") });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}

/** The process that listens on a port, as `node (pid 123)`; undefined when it can't be seen. */
export function listenerOn(port: number, protocol: PortBinding["protocol"]): string | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((table) => inodesIn(table, port)));
  if (inodes.size === 0) return undefined;
  const pid = fs.readdirSync("/proc").find((name) => /^\d+$/.test(name) && holdsSocket(name, inodes));
  return pid === undefined ? undefined : `${readOfProcess(pid, "comm").trim()} (pid ${pid})`;
}

/** Rows of `/proc/net/tcp`: local address in hex, state (0A listens, 07 for UDP), inode in column ten. */
function inodesIn(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readOfProcess("self", `net/${table}`)
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, local = "", , state]) => local.endsWith(suffix) && (state === "0A" || state === "07"))
    .flatMap((row) => row[9] ?? []);
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${descriptor}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false;
  }
}

function readLink(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return "";
  }
}
