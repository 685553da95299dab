// SPDX-License-Identifier: Apache-2.0
import { parseExpose, parsePublish, resolveNetworks } from "../options/index.ts";
import type { NetworkSelection } from "../options/index.ts";
import type { NetworkRequest } from "../engine/index.ts";
import { allValues, defined, flagValue } from "./flag-value.ts";
import { flag, list, text } from "./option-specs.ts";
import type { OptionSpec } from "./command.ts";
import type { ParsedArguments } from "./parsed.ts";

/** The flags of `run` and `create` that join a container to networks and publish its ports. */
export const NETWORK_OPTIONS: readonly OptionSpec[] = [
  list("network", "`bridge` (default), `none`, `host`, `container:NAME` or a network", {
    valueName: "network",
    complete: "network",
  }),
  list("net", "The old name of `--network`", { hidden: true }),
  list("publish", "Publish a port: `[address:][host-port:]port[/protocol]`, ranges too", { short: "p" }),
  flag("publish-all", "Publish all exposed ports on free ports", { short: "P" }),
  list("expose", "Expose a port or a range of ports"),
  list("network-alias", "Further name in the network"),
  list("net-alias", "The old name of `--network-alias`", { hidden: true }),
  text("ip", "IPv4 address in the network"),
  text("ip6", "IPv6 address in the network"),
  text("mac-address", "MAC address, as in `92:d0:c6:0a:29:33`"),
  list("link", "Name another container in /etc/hosts: `name[:alias]`"),
  list("link-local-ip", "Link-local address", { unsupported: "addresses are given by the network" }),
];

/** What these flags come to. Throws `E_USAGE` with Docker's text. */
export function networkRequest(parsed: ParsedArguments): NetworkRequest {
  const { mode, attachments, links } = selection(parsed);
  const exposed = allValues(parsed, "expose", parseExpose).flat();
  return {
    mode,
    attachments,
    links,
    ports: allValues(parsed, "publish", parsePublish).flat(),
    publishAll: parsed.boolean("publish-all"),
    exposed: exposed.map(({ port, protocol }) => `${port}/${protocol}`),
  };
}

function selection(parsed: ParsedArguments): NetworkSelection {
  const networks = [...parsed.list("network"), ...parsed.list("net")];
  return flagValue(parsed, "network", networks.join(","), () =>
    resolveNetworks({
      networks,
      aliases: [...parsed.list("network-alias"), ...parsed.list("net-alias")],
      links: parsed.list("link"),
      ...defined({
        ip: parsed.string("ip"),
        ip6: parsed.string("ip6"),
        macAddress: parsed.string("mac-address"),
      }),
    }),
  );
}
