// SPDX-License-Identifier: Apache-2.0
import type { PortProtocol } from "../options/index.ts";

/** A range of addresses of a network. */
export interface Subnet {
  /** `10.88.0.0/16`. */
  readonly subnet: string;
  /** The bridge's own address in it. */
  readonly gateway: string;
  /** Addresses are given out of this part only (`--ip-range`). */
  readonly range?: string | undefined;
}

/** A port of the host that leads to a port of a container. */
export interface PublishedPort {
  /** An address of the host; `0.0.0.0` or `::` for all. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** A container's place in a network, from before anything of it is made until after all of it is gone. */
export interface Endpoint {
  /** The container's name. */
  readonly name: string;
  /** Further names in this network. */
  readonly aliases: readonly string[];
  readonly ipv4: string;
  readonly ipv6?: string | undefined;
  readonly macAddress: string;
  /** In the container: `eth0`. */
  readonly interface: string;
  /** The other end, on this host; derived from the container's id. */
  readonly peer: string;
  /** Published ports; of the container's first network only. */
  readonly ports: readonly PublishedPort[];
  /** Name servers of the container's own (`--dns`). */
  readonly dns: readonly string[];
}

/** A network as kept in the store. Never changed in place. */
export interface NetworkRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `-o`, as written. */
  readonly options: Readonly<Record<string, string>>;
  /** IPv4 first. */
  readonly subnets: readonly Subnet[];
  /** The bridge's interface on this host. */
  readonly bridge: string;
  /** The one that containers get without `--network`: it resolves no names, as Docker's does not. */
  readonly isDefault: boolean;
  /** The bridge is gone or being taken away; whoever needs it makes it under the lock. */
  readonly isDown?: boolean | undefined;
  /** Being removed; for everybody else it is gone. */
  readonly isRemoved?: boolean | undefined;
  /** By container id. What is here may exist in the kernel; what is not is rubbish there. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
}

/** How a container wants to join a network. */
export interface Join {
  /** Network id. */
  readonly network: string;
  readonly aliases: readonly string[];
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
  readonly macAddress?: string | undefined;
  /** Shown only: the default route goes to the first network. */
  readonly gatewayPriority?: number | undefined;
}

/** An endpoint with its network. */
export interface Joined {
  readonly network: NetworkRecord;
  readonly endpoint: Endpoint;
}
