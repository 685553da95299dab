// SPDX-License-Identifier: Apache-2.0
/* `NetworkSettings` of Docker's `inspect`, and what `ps` and `port` show. */
import type { Endpoint, Joined, NetworkRecord } from "../network/index.ts";
import { addressOf, joinedIn, portsText } from "../network/index.ts";
import { networksOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findView } from "./find.ts";
import type { ContainerRecord, DerivedState } from "./types.ts";

/** The document of a container. */
export function networkDocument(
  context: ContainersContext,
  record: ContainerRecord,
  state: DerivedState,
): Readonly<Record<string, unknown>> {
  const networks = networksOf(context).all();
  const joined = state.status === "running" ? joinedIn(networks, record.id) : [];
  const { network, host } = { network: record.host.network, host: record.host };
  const main = joined.find((each) => each.network.isDefault);
  return {
    Bridge: "",
    SandboxID: joined.length > 0 ? record.id : "",
    SandboxKey: joined.length > 0 ? `/proc/${state.pid}/ns/net` : "",
    Ports: portsDocument(record, joined),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main ? record.id : "",
    ...addressFields(main),
    Networks: Object.fromEntries(
      network === "none" || network === "host"
        ? [[network, { ...endpointDocument(record, undefined), NetworkID: networksOf(context).idOfMode(network) }]]
        : memberships(networks, host.joins ?? [], joined).map(({ network: each, endpoint }) => [
            each.name,
            { ...endpointDocument(record, endpoint && { network: each, endpoint }), NetworkID: each.id },
          ]),
    ),
  };
}

/** Networks that it joins when it starts, with its endpoint where it runs, and those that it was connected to. */
function memberships(
  networks: readonly NetworkRecord[],
  joins: readonly { readonly network: string }[],
  joined: readonly Joined[],
): readonly { readonly network: NetworkRecord; readonly endpoint: Endpoint | undefined }[] {
  const wanted = joins.flatMap(({ network }) => networks.find(({ id }) => id === network) ?? []);
  const more = joined.map(({ network }) => network).filter(({ id }) => !wanted.some((each) => each.id === id));
  return [...wanted, ...more].map((network) => ({
    network,
    endpoint: joined.find((each) => each.network.id === network.id)?.endpoint,
  }));
}

function endpointDocument(record: ContainerRecord, joined: Joined | undefined): Readonly<Record<string, unknown>> {
  const join = (record.host.joins ?? []).find(({ network }) => network === joined?.network.id);
  const aliases = join?.aliases ?? joined?.endpoint.aliases ?? [];
  const isNamed = joined !== undefined && !joined.network.isDefault;
  const fixed = {
    ...(join?.ipv4 ? { IPv4Address: join.ipv4 } : {}),
    ...(join?.ipv6 ? { IPv6Address: join.ipv6 } : {}),
  };
  return {
    IPAMConfig: Object.keys(fixed).length > 0 ? fixed : null,
    Links: null,
    Aliases: aliases.length > 0 ? aliases : null,
    DriverOpts: null,
    GwPriority: join?.gatewayPriority ?? 0,
    EndpointID: joined ? record.id : "",
    ...addressFields(joined),
    DNSNames: isNamed ? [...new Set([record.name, ...aliases, record.id.slice(0, 12)])] : null,
  };
}

function addressFields(joined: Joined | undefined): Readonly<Record<string, unknown>> {
  const { ipv4 = "", ipv6 = "", macAddress = "" } = joined?.endpoint ?? {};
  const place = (isSix: boolean): { readonly gateway: string; readonly length: number } => {
    const found = joined?.network.subnets.find(({ gateway }) => gateway.includes(":") === isSix);
    return { gateway: found?.gateway ?? "", length: Number(found?.subnet.split("/")[1] ?? 0) };
  };
  const [four, six] = [place(false), place(true)];
  return {
    Gateway: four.gateway,
    IPAddress: ipv4,
    IPPrefixLen: four.length,
    IPv6Gateway: six.gateway,
    GlobalIPv6Address: ipv6,
    GlobalIPv6PrefixLen: six.length,
    MacAddress: macAddress,
  };
}

/** Published ports with their places on the host; exposed ones that are not, with null. Empty when it does not run. */
function portsDocument(record: ContainerRecord, joined: readonly Joined[]): Readonly<Record<string, unknown>> {
  if (joined.length === 0) return {};
  const document: Record<string, { readonly HostIp: string; readonly HostPort: string }[] | null> = {};
  for (const port of exposedOf(record)) document[port] = null;
  for (const { hostIp, hostPort, containerPort, protocol } of joined.flatMap(({ endpoint }) => endpoint.ports)) {
    (document[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  }
  return document;
}

/** `HostConfig.PortBindings`: what was asked for. */
export function portBindings({ host }: ContainerRecord): Readonly<Record<string, unknown>> {
  const document: Record<string, { readonly HostIp: string; readonly HostPort: string }[]> = {};
  for (const { hostIp, hostPort, containerPort, protocol } of host.ports ?? []) {
    const range =
      hostPort === undefined
        ? ""
        : hostPort.start === hostPort.end
          ? `${hostPort.start}`
          : `${hostPort.start}-${hostPort.end}`;
    (document[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: range });
  }
  return document;
}

function exposedOf({ config }: ContainerRecord): readonly string[] {
  return Object.keys(config.ExposedPorts ?? {});
}

/** The names of a container's networks. */
export function networkNames(networks: readonly NetworkRecord[], record: ContainerRecord): readonly string[] {
  const { network, joins = [] } = record.host;
  if (joins.length === 0) return [network];
  const ids = new Set([
    ...joins.map((join) => join.network),
    ...joinedIn(networks, record.id).map((each) => each.network.id),
  ]);
  return networks.filter(({ id }) => ids.has(id)).map(({ name }) => name);
}

/** Ports as `ps` shows them; none when it does not run. */
export function shownPorts(
  networks: readonly NetworkRecord[],
  record: ContainerRecord,
  state: DerivedState,
): readonly string[] {
  if (state.status !== "running") return [];
  const published = joinedIn(networks, record.id).flatMap(({ endpoint }) => endpoint.ports);
  return portsText(published, exposedOf(record));
}

/** Ports of a running container as numbers with protocol: those of the host, and those in it that others can reach. */
export function openPorts(
  networks: readonly NetworkRecord[],
  record: ContainerRecord,
): { readonly published: readonly string[]; readonly inside: readonly string[] } {
  const joined = joinedIn(networks, record.id);
  const ports = joined.flatMap(({ endpoint }) => endpoint.ports);
  const exposed = joined.length > 0 ? exposedOf(record) : [];
  return {
    published: ports.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`),
    inside: [...ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`), ...exposed],
  };
}

/** The ids of all networks that containers join when they start, also those that do not run. */
export function joinedNetworks(context: ContainersContext): ReadonlySet<string> {
  const joins = recordsOf(context)
    .list()
    .flatMap(({ host }) => host.joins ?? []);
  return new Set(joins.map(({ network }) => network));
}

/** Published ports of a running container, by their number in it. Throws `E_CONTAINER_NOTFOUND`. */
export function containerPorts(
  context: ContainersContext,
  text: string,
): readonly { readonly port: string; readonly address: string }[] {
  const { record, state } = findView(context, text);
  if (state.status !== "running") return [];
  const ports = joinedIn(networksOf(context).all(), record.id).flatMap(({ endpoint }) => endpoint.ports);
  return ports
    .toSorted((a, b) => a.containerPort - b.containerPort)
    .map((port) => ({ port: `${port.containerPort}/${port.protocol}`, address: addressOf(port) }));
}
