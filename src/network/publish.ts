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

/** As `ps` shows published ports, and exposed ones that are not: `127.0.0.1:8080->80/tcp`, `443/tcp`. */
export function portsText(ports: readonly PublishedPort[], exposed: readonly string[]): readonly string[] {
  const published = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const bare = exposed.filter((port) => !published.has(port));
  return [...groupedRanges(ports), ...bare.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))];
}

/** Neighbours in a row are shown as one range, as Docker does. */
function groupedRanges(ports: readonly PublishedPort[]): readonly string[] {
  const sorted = ports.toSorted(
    (a, b) =>
      a.hostIp.localeCompare(b.hostIp) ||
      a.protocol.localeCompare(b.protocol) ||
      a.containerPort - b.containerPort ||
      a.hostPort - b.hostPort,
  );
  const groups: { readonly start: PublishedPort; length: number }[] = [];
  for (const port of sorted) {
    const last = groups.at(-1);
    if (last && follows(last.start, last.length, port)) last.length += 1;
    else groups.push({ start: port, length: 1 });
  }
  return groups.map(({ start, length }) => {
    const range = (first: number): string => (length === 1 ? `${first}` : `${first}-${first + length - 1}`);
    return `${hostText(start.hostIp)}:${range(start.hostPort)}->${range(start.containerPort)}/${start.protocol}`;
  });
}

function follows(start: PublishedPort, length: number, port: PublishedPort): boolean {
  const isSamePlace = start.hostIp === port.hostIp && start.protocol === port.protocol;
  return (
    isSamePlace && port.hostPort === start.hostPort + length && port.containerPort === start.containerPort + length
  );
}

/** An address before a colon. */
export function hostText(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
