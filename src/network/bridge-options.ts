// SPDX-License-Identifier: Apache-2.0
/* Docker's own options of a bridge (`-o`); those that mean something here are checked at `network create`, the others kept. */
import type { NetworkRecord } from "./types.ts";

type Options = Pick<NetworkRecord, "options">;

export const BRIDGE_NAME = "com.docker.network.bridge.name";
export const MTU = "com.docker.network.driver.mtu";
export const BINDING = "com.docker.network.bridge.host_binding_ipv4";
const OPEN_INSIDE = "com.docker.network.bridge.enable_icc";
const MASQUERADED = "com.docker.network.bridge.enable_ip_masquerade";
/** Those that are `true` or `false`. */
export const SWITCHES: readonly string[] = [OPEN_INSIDE, MASQUERADED];

/** Where ports of a network's containers are published that name no address, if it has a say. */
export function hostBinding({ options }: Options): string | undefined {
  return options[BINDING];
}

/** Whether the containers of a network reach one another. */
export function isOpenInside({ options }: Options): boolean {
  return options[OPEN_INSIDE] !== "false";
}

/** Whether what leaves a network gets this host's address. */
export function isMasqueraded({ options }: Options): boolean {
  return options[MASQUERADED] !== "false";
}

/** The size of packets as words of `ip link add`; empty where the kernel's own will do. */
export function mtuWords({ options }: Options): string {
  const mtu = options[MTU];
  return mtu === undefined ? "" : ` mtu ${mtu}`;
}
