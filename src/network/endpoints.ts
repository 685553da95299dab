// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoints are the intent of everything that networks make in the kernel: written before, in one transaction that
 * gives out addresses and ports, and taken back after all of it is gone. So two starts never get the same address, and
 * a start that was killed at any point is found by its endpoints.
 */
import { TareError } from "../base/index.ts";
import type { PortBinding } from "../options/index.ts";
import { findCandidates, listenerOn } from "./host-ports.ts";
import type { Networks } from "./networks.ts";
import { assignPorts } from "./publish.ts";
import type { Assignment, Candidates, TakenPort } from "./publish.ts";
import { addressOf } from "./ruleset.ts";
import { chooseAddress, macAddressOf, subnetOfFamily } from "./subnets.ts";
import type { Endpoint, Join, Joined, NetworkRecord, PublishedPort } from "./types.ts";

/** A container that wants its endpoints. */
export interface ReserveRequest {
  readonly containerId: string;
  readonly name: string;
  readonly joins: readonly Join[];
  /** With addresses filled in; published by the first join. */
  readonly ports: readonly PortBinding[];
  readonly dns: readonly string[];
}

const TRIES = 5;

/** Writes the endpoints of a container. Throws `E_PORT_BUSY`, `E_ADDRESS`, `E_NETWORK_FULL`, `E_NETWORK_NOTFOUND`. */
export async function reserve(networks: Networks, request: ReserveRequest): Promise<readonly Joined[]> {
  for (let attempt = 1; ; attempt += 1) {
    const candidates = await findCandidates(request.ports);
    const done = networks.atOnce(() => reserveAtOnce(networks, request, candidates));
    if (done.kind === "joined") return done.joined;
    // Where any port will do, another start was quicker.
    if (done.binding.hostPort !== undefined || attempt >= TRIES) throw portBusy(done, request);
  }
}

type Reserved = { readonly kind: "joined"; readonly joined: readonly Joined[] } | Conflict;
type Conflict = Extract<Assignment, { readonly kind: "conflict" }>;

function reserveAtOnce(networks: Networks, request: ReserveRequest, candidates: readonly Candidates[]): Reserved {
  const documents = networks.documents(false);
  const assigned = assignPorts(candidates, takenPorts(documents.list(), request.containerId));
  if (assigned.kind === "conflict") return assigned;
  checkReachable(networks, request);
  const joined = request.joins.map((join, index) => {
    const stored = documents.get(join.network);
    const known = stored && !stored.isRemoved ? stored : networks.get(join.network, "joining the network");
    const place = { index, ports: index === 0 ? assigned.ports : [] };
    const endpoint = newEndpoint(known, { ...request, join }, place);
    const network = { ...known, endpoints: { ...known.endpoints, [request.containerId]: endpoint } };
    documents.update(known.id, () => network);
    return { network, endpoint };
  });
  return { kind: "joined", joined };
}

/** Throws `E_ADDRESS` for ports at IPv6 addresses that lead nowhere. */
function checkReachable(networks: Networks, { joins, ports, name }: ReserveRequest): void {
  const port = ports.find(({ hostIp }) => hostIp.includes(":"));
  const [first] = joins;
  if (port === undefined || first === undefined) return;
  const doing = `publishing ${addressOf({ hostIp: port.hostIp, hostPort: port.hostPort?.start ?? 0 })} of container \`${name}\``;
  if (port.hostIp === "::1") {
    throw new TareError("E_ADDRESS", `${doing}: the kernel lets nothing from ::1 out of this machine's own network`, {
      hint: "publish on 127.0.0.1, or on [::] or another IPv6 address",
    });
  }
  if (networks.get(first.network).ipv6) return;
  throw new TareError("E_ADDRESS", `${doing}: its network has no IPv6 addresses`, {
    hint: "use a network made with `tare network create --ipv6`",
  });
}

/** An endpoint with free addresses. Throws `E_ADDRESS`, `E_NETWORK_FULL`. */
export function newEndpoint(
  network: NetworkRecord,
  request: Pick<ReserveRequest, "containerId" | "name" | "dns"> & { readonly join: Join },
  place: { readonly index: number; readonly ports: readonly PublishedPort[] },
): Endpoint {
  const { join, containerId, name, dns } = request;
  const { index, ports } = place;
  checkAliases(network, join.aliases);
  const others = Object.entries(network.endpoints).filter(([id]) => id !== containerId);
  const taken = new Set(others.flatMap(([, { ipv4, ipv6 }]) => [ipv4, ...(ipv6 === undefined ? [] : [ipv6])]));
  const choose = (family: 4 | 6, wanted: string | undefined): string | undefined => {
    const subnet = subnetOfFamily(network.subnets, family);
    if (subnet === undefined && wanted !== undefined) throw noSubnet(network, wanted);
    return subnet && chooseAddress(subnet, { taken, wanted, network: network.name });
  };
  const ipv4 = choose(4, join.ipv4);
  if (ipv4 === undefined) throw new Error(`bug: network ${network.name} has no IPv4 subnet`);
  const ipv6 = choose(6, join.ipv6);
  return {
    name,
    aliases: join.aliases,
    ipv4,
    ...(ipv6 === undefined ? {} : { ipv6 }),
    macAddress: join.macAddress ?? macAddressOf(ipv4),
    interface: `eth${index}`,
    peer: `tv${containerId.slice(0, 11)}${index.toString(36)}`,
    ports,
    dns,
  };
}

/** The name server's file has rows of words: one with a space or comma would take the names of all away. */
function checkAliases(network: NetworkRecord, aliases: readonly string[]): void {
  const wrong = aliases.find((alias) => !/^[^\s,]{1,253}$/.test(alias));
  if (wrong === undefined) return;
  throw new TareError("E_USAGE", `joining the network \`${network.name}\`: the alias \`${wrong}\` is no name`, {
    exitCode: 125,
  });
}

function noSubnet(network: NetworkRecord, wanted: string): TareError {
  return new TareError(
    "E_ADDRESS",
    `joining the network \`${network.name}\` as \`${wanted}\`: it has no such addresses`,
    {
      hint: "make the network with `--ipv6`",
    },
  );
}

/** Takes the endpoints of a container back, all or those in some networks. */
export function release(networks: Networks, container: string, joined: readonly Joined[]): void {
  if (joined.length === 0) return;
  networks.atOnce(() => {
    for (const { network } of joined) {
      networks.documents(false).update(network.id, (record) => {
        const { [container]: _, ...endpoints } = record.endpoints;
        return { ...record, endpoints };
      });
    }
  });
}

/** Ports of the host that containers other than one have. */
function takenPorts(networks: readonly NetworkRecord[], except: string): readonly TakenPort[] {
  return networks.flatMap(({ endpoints }) =>
    Object.entries(endpoints)
      .filter(([id]) => id !== except)
      .flatMap(([, { name, ports }]) => ports.map((port) => ({ ...port, container: name }))),
  );
}

function portBusy({ binding, holder }: Conflict, { name }: ReserveRequest): TareError {
  const { hostIp, hostPort, protocol, containerPort } = binding;
  const start = hostPort?.start ?? 0;
  const range = hostPort && hostPort.end > hostPort.start ? `${start}-${hostPort.end}` : `${start}`;
  const where = `${addressOf({ hostIp, hostPort: start }).replace(/\d+$/, range)}/${protocol}`;
  const listener = holder ? undefined : listenerOn(start, protocol);
  const who = holder ? `container \`${holder.container}\`` : (listener ?? "another program");
  return new TareError("E_PORT_BUSY", `publishing port ${where} of container \`${name}\`: it is in use by ${who}`, {
    hint: `stop that, or choose another port: \`-p ${start + 1}:${containerPort}\`, or \`-p ${containerPort}\` for any`,
    details: { port: start, holder: holder?.container ?? listener },
  });
}
