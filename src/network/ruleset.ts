// SPDX-License-Identifier: Apache-2.0
/*
 * The rules of a store, one nftables table of its own (`inet tare…`), so that nobody else's rules are touched and
 * everything goes with the table. Chains are fixed; bridges and published ports are elements of sets and maps, so that
 * adding and removing one is a small transaction whatever else is there.
 *
 *   raw          nobody reaches 127.0.0.0/8 from outside, also not by a forged packet that a published port would turn
 *   prerouting,  a published port becomes the container's (from outside; from this host)
 *   output
 *   forward      inside one bridge all; into a bridge answers and published ports only; nothing out of internal ones
 *   postrouting  what leaves a subnet gets this host's address; so does what came from this host's loopback
 */
import { isMasqueraded, isOpenInside } from "./bridge-options.ts";
import { hostText } from "./publish.ts";
import type { Joined, NetworkRecord, PublishedPort } from "./types.ts";

/** The table without bridges. Making it again changes nothing. */
export function baseRules(table: string): string {
  const name = `inet ${table}`;
  const flushed = ["raw", "published", "prerouting", "output", "forward", "postrouting"];
  return `
table ${name} {
  set bridges { type ifname; }
  set internal { type ifname; }
  set same { type ifname . ifname; }
  set nat4 { type ipv4_addr; flags interval; }
  set nat6 { type ipv6_addr; flags interval; }
  map ports4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map ports6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
  map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  chain raw { type filter hook prerouting priority raw; }
  chain published { }
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain output { type nat hook output priority -100; }
  chain forward { type filter hook forward priority filter; }
  chain postrouting { type nat hook postrouting priority srcnat; }
}
${flushed.map((chain) => `flush chain ${name} ${chain}`).join("\n")}
table ${name} {
  chain raw {
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain published {
    dnat ip to ip daddr . meta l4proto . th dport map @ports4
    dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports6
    dnat ip6 to meta l4proto . th dport map @any6
  }
  chain prerouting {
    fib daddr type local jump published
  }
  chain output {
    fib daddr type local jump published
  }
  chain forward {
    iifname . oifname @same accept
    iifname @internal drop
    oifname @internal drop
    iifname @bridges oifname @bridges drop
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain postrouting {
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
    iifname . oifname @same ct status dnat masquerade
    ip saddr @nat4 ip daddr != @nat4 ip daddr != 224.0.0.0/4 masquerade
    ip6 saddr @nat6 ip6 daddr != @nat6 ip6 daddr != ff00::/8 masquerade
  }
}
`;
}

/** Adds a network's bridge, or takes it out. */
export function bridgeRules(table: string, verb: "add" | "delete", network: NetworkRecord): string {
  const { bridge, internal, subnets } = network;
  const lines = [
    ["bridges", `"${bridge}"`],
    ...(isOpenInside(network) ? [["same", `"${bridge}" . "${bridge}"`]] : []),
    ...(internal ? [["internal", `"${bridge}"`]] : []),
    ...(!internal && isMasqueraded(network)
      ? subnets.map(({ subnet }) => [subnet.includes(":") ? "nat6" : "nat4", subnet])
      : []),
  ];
  return lines.map(([set, element]) => `${verb} element inet ${table} ${set} { ${element} }\n`).join("");
}

/** Publishes a container's ports, or stops that; empty without any. */
export function portRules(table: string, verb: "add" | "delete", joined: readonly Joined[]): string {
  return joined
    .flatMap(({ endpoint }) =>
      endpoint.ports.flatMap((port) => {
        const target = port.hostIp.includes(":") ? endpoint.ipv6 : endpoint.ipv4;
        return target === undefined ? [] : [`${verb} element inet ${table} ${portElement(port, target)}\n`];
      }),
    )
    .join("");
}

function portElement(port: PublishedPort, target: string): string {
  const { hostIp, hostPort, containerPort, protocol } = port;
  const suffix = hostIp.includes(":") ? "6" : "4";
  const key = `${protocol} . ${hostPort} : ${target} . ${containerPort}`;
  const isAny = hostIp === "0.0.0.0" || hostIp === "::";
  return isAny ? `any${suffix} { ${key} }` : `ports${suffix} { ${hostIp} . ${key} }`;
}

/** For messages: where a published port is reached. */
export function addressOf({ hostIp, hostPort }: Pick<PublishedPort, "hostIp" | "hostPort">): string {
  return `${hostText(hostIp)}:${hostPort}`;
}
