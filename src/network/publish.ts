// SPDX-License-Identifier: Apache-2.0
/* Which ports of the host lead to a container. Pure: what is free on the host comes in. */
import type { PortBinding } from "../options/index.ts";
import type { PublishedPort } from "./types.ts";

/** A wanted port with the host's ports that nobody listens on, the best first. */
export interface Candidates {
  readonly binding: PortBinding;
  readonly free: readonly number[];
}

/** A published port with who has it. */
export interface TakenPort extends PublishedPort {
  readonly container: string;
}

/** What came of it. */
export type Assignment =
  | { readonly kind: "ports"; readonly ports: readonly PublishedPort[] }
  | { readonly kind: "conflict"; readonly binding: PortBinding; readonly holder: TakenPort | undefined };

/** Gives every wanted port its host port; none twice, none that another container has. */
export function assignPorts(wanted: readonly Candidates[], taken: readonly TakenPort[]): Assignment {
  const ports: PublishedPort[] = [];
  for (const { binding, free } of wanted) {
    const { hostIp, containerPort, protocol } = binding;
    const port = (hostPort: number): PublishedPort => ({ hostIp, hostPort, containerPort, protocol });
    const holderOf = (hostPort: number): PublishedPort | undefined =>
      [...taken, ...ports].find((other) => collide(port(hostPort), other));
    const chosen = free.find((hostPort) => holderOf(hostPort) === undefined);
    if (chosen === undefined) {
      const holder = free.map(holderOf).find((each) => each !== undefined && "container" in each);
      return { kind: "conflict", binding, holder: taken.find((each) => each === holder) };
    }
    ports.push(port(chosen));
  }
  return { kind: "ports", ports };
}

/** Two published ports that one packet could mean. */
function collide(one: PublishedPort, other: PublishedPort): boolean {
  if (one.hostPort !== other.hostPort || one.protocol !== other.protocol) return false;
  if (one.hostIp === other.hostIp) return true;
  const isSix = (address: string): boolean => address.includes(":");
  if (isSix(one.hostIp) !== isSix(other.hostIp)) return false;
  return [one.hostIp, other.hostIp].some((address) => address === "0.0.0.0" || address === "::");
}

/** A port as `ps` shows it; without `hostIp` it is only exposed. */
interface ShownPort {
  readonly hostIp?: string;
  readonly hostPort?: number;
  readonly containerPort: number;
  readonly protocol: string;
}

/**
 * As `ps` shows ports, in Docker's order: those with one number on both sides, and exposed ones, as ranges (`443/tcp`,
 * `0.0.0.0:80-81->80-81/tcp`), then the others (`127.0.0.1:8080->80/tcp`).
 */
export function portsText(ports: readonly PublishedPort[], exposed: readonly string[]): readonly string[] {
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const bare = exposed.filter((port) => !published.has(port)).map(exposedPort);
  const sorted = [...ports, ...bare].toSorted(comparePorts);
  const isMoved = ({ hostPort, containerPort }: ShownPort): boolean =>
    hostPort !== undefined && hostPort !== containerPort;
  return [
    ...ranges(sorted.filter((port) => !isMoved(port))),
    ...sorted.filter(isMoved).map((port) => portText(port, 1)),
  ];
}

function exposedPort(text: string): ShownPort {
  const [number = "", protocol = "tcp"] = text.split("/");
  return { containerPort: Number(number), protocol };
}

function comparePorts(a: ShownPort, b: ShownPort): number {
  const byPort = a.containerPort - b.containerPort;
  const byAddress = compareText(a.hostIp ?? "", b.hostIp ?? "");
  return byPort || byAddress || (a.hostPort ?? 0) - (b.hostPort ?? 0) || compareText(a.protocol, b.protocol);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A range ends where a port of the same place is missing; the last ranges of all places come at the end. */
function ranges(ports: readonly ShownPort[]): readonly string[] {
  const texts: string[] = [];
  const open = new Map<string, { readonly start: ShownPort; length: number }>();
  for (const port of ports) {
    const place = `${port.hostIp ?? ""}/${port.protocol}`;
    const range = open.get(place);
    if (range && port.containerPort === range.start.containerPort + range.length) {
      range.length += 1;
      continue;
    }
    if (range) texts.push(portText(range.start, range.length));
    open.set(place, { start: port, length: 1 });
  }
  return [...texts, ...[...open.values()].map(({ start, length }) => portText(start, length))];
}

function portText({ hostIp, hostPort, containerPort, protocol }: ShownPort, length: number): string {
  const range = (first: number): string => (length === 1 ? `${first}` : `${first}-${first + length - 1}`);
  const own = `${range(containerPort)}/${protocol}`;
  if (hostIp === undefined || hostPort === undefined) return own;
  return `${hostText(hostIp)}:${range(hostPort)}->${own}`;
}

/** An address before a colon. */
export function hostText(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
