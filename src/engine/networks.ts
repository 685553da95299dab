// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { Networks, NetworkRecord } from "../network/index.ts";
import type { NetworkSummary, NetworksApi } from "./facade-networks.ts";
import type { Filters, InspectDocument } from "./facade.ts";
import { networkFilter } from "./network-filters.ts";
import type { Rooms } from "./rooms.ts";
import { publishAddress } from "./user-settings.ts";

/** The networks of an engine's store. */
export function networksApi(rooms: Rooms): NetworksApi {
  const room = (): Promise<typeof import("../network/index.ts")> => import("../network/index.ts");
  const containers = (): Promise<typeof import("../containers/index.ts")> => import("../containers/index.ts");
  const look = async (): Promise<Networks> => new (await room()).Networks(rooms.reader());
  const change = async (): Promise<Networks> => new (await room()).Networks(rooms.writer());
  return {
    create: async (request) => {
      const { createNetwork, openNetworking } = await room();
      await openNetworking(rooms.writer()).recover();
      return { id: createNetwork(await change(), request).id };
    },
    list: async ({ filters }) => {
      const matches = networkFilter(filters);
      return allOf(await look()).filter(matches);
    },
    inspect: async (name) => inspect(await look(), name),
    remove: async (name) => {
      await rooms.containers();
      const { openNetworking } = await room();
      await openNetworking(rooms.writer()).remove(name);
    },
    connect: async (network, container, options) =>
      (await containers()).connectContainer(await rooms.containers(), network, container, options),
    disconnect: async (network, container) =>
      (await containers()).disconnectContainer(await rooms.containers(), network, container),
    prune: ({ filters }) => prune(rooms, filters),
    names: async () => allOf(await look()).map(({ name }) => name),
    publishAddress: async (network) => {
      const known = network === undefined ? undefined : (await look()).find(network);
      return (known && (await room()).hostBinding(known)) ?? publishAddress(rooms.settings);
    },
  };
}

/** Bridges, and the two modes that are shown as networks. */
function allOf(networks: Networks): readonly NetworkSummary[] {
  const modes = (["host", "none"] as const).map((name): NetworkSummary => ({
    ...NOTHING,
    id: networks.idOfMode(name),
    name,
    driver: name === "host" ? "host" : "null",
  }));
  return [...networks.list().map(summary), ...modes].toSorted((a, b) => a.name.localeCompare(b.name));
}

const NOTHING = { internal: false, ipv6: false, labels: {}, createdAt: 0, containers: 0 } as const;

function summary({ id, name, internal, ipv6, labels, createdAt, endpoints }: NetworkRecord): NetworkSummary {
  return { id, name, driver: "bridge", internal, ipv6, labels, createdAt, containers: Object.keys(endpoints).length };
}

function inspect(networks: Networks, text: string): InspectDocument {
  const mode = allOf(networks).find(({ name, id, driver }) => driver !== "bridge" && (name === text || id === text));
  return mode ? modeDocument(mode) : bridgeDocument(networks.get(text));
}

function modeDocument({ name, id, driver }: NetworkSummary): InspectDocument {
  return {
    Name: name,
    Id: id,
    Created: timeText(0),
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: null },
    ...MINOR,
    Containers: {},
    Options: {},
    Labels: {},
  };
}

const MINOR = {
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: "" },
  ConfigOnly: false,
} as const;

function bridgeDocument(network: NetworkRecord): InspectDocument {
  const { name, id, createdAt, ipv6, internal, attachable, labels, options } = network;
  return {
    Name: name,
    Id: id,
    Created: timeText(createdAt),
    Scope: "local",
    Driver: "bridge",
    EnableIPv4: true,
    EnableIPv6: ipv6,
    IPAM: { Driver: "default", Options: network.isDefault ? null : {}, Config: network.subnets.map(configDocument) },
    ...MINOR,
    Internal: internal,
    Attachable: attachable,
    Containers: Object.fromEntries(
      Object.entries(network.endpoints).map(([container, endpoint]) => [
        container,
        {
          Name: endpoint.name,
          EndpointID: container,
          MacAddress: endpoint.macAddress,
          IPv4Address: withLength(network, endpoint.ipv4),
          IPv6Address: endpoint.ipv6 === undefined ? "" : withLength(network, endpoint.ipv6),
        },
      ]),
    ),
    Options: { "com.docker.network.bridge.name": network.bridge, ...options },
    Labels: labels,
  };
}

function configDocument({
  subnet,
  gateway,
  range,
}: NetworkRecord["subnets"][number]): Readonly<Record<string, string>> {
  return { Subnet: subnet, ...(range === undefined ? {} : { IPRange: range }), Gateway: gateway };
}

function withLength({ subnets }: NetworkRecord, address: string): string {
  const found = subnets.find(({ gateway }) => gateway.includes(":") === address.includes(":"));
  return `${address}/${found?.subnet.split("/")[1] ?? ""}`;
}

function timeText(at: number): string {
  return at > 0 ? new Date(at).toISOString() : "0001-01-01T00:00:00Z";
}

/** One that another command is just using, or has removed, is left. */
async function prune(rooms: Rooms, filters: Filters): Promise<readonly string[]> {
  const { Networks, openNetworking } = await import("../network/index.ts");
  const { joinedNetworks } = await import("../containers/index.ts");
  const matches = networkFilter(filters, ["until", "label", "label!"]);
  const used = joinedNetworks(await rooms.containers());
  const networking = openNetworking(rooms.writer());
  const names: string[] = [];
  for (const network of new Networks(rooms.writer()).list()) {
    const isUsed = network.isDefault || used.has(network.id) || Object.keys(network.endpoints).length > 0;
    if (isUsed || !matches(summary(network))) continue;
    try {
      await networking.remove(network.id);
      names.push(network.name);
    } catch (error) {
      if (!(error instanceof TareError) || !LOST.includes(error.code)) throw error;
    }
  }
  return names;
}

const LOST: readonly string[] = ["E_NETWORK_USED", "E_NETWORK_NOTFOUND"];
