// SPDX-License-Identifier: Apache-2.0
import { parseIpAddress } from "../../options/index.ts";
import { defined, oneValue } from "../flag-value.ts";
import { refused } from "../option-specs.ts";
import type { CommandBody } from "../command.ts";

/** `tare network connect`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NETWORK CONTAINER",
  count: { min: 2, max: 2 },
  options: [
    { name: "alias", type: "list", description: "Further name in the network" },
    { name: "ip", type: "string", description: "IPv4 address in the network" },
    { name: "ip6", type: "string", description: "IPv6 address in the network" },
    {
      name: "gw-priority",
      type: "string",
      valueName: "int",
      description: "Accepted and shown; the default route stays where it is",
    },
    refused("link", "containers of a network know one another by name"),
    refused("link-local-ip", "addresses are given by the network"),
    refused("driver-opt", "a bridge has no options of one container"),
  ],
  complete: ["network", "container"],
  examples: [{ line: "tare network connect --alias db team postgres", text: "reach it as `db` from that network too" }],
  async run(context, parsed) {
    const { networks } = await context.engine();
    const [network = "", container = ""] = parsed.positionals;
    await networks.connect(network, container, {
      aliases: parsed.list("alias"),
      ...defined({
        ipv4: oneValue(parsed, "ip", parseIpAddress),
        ipv6: oneValue(parsed, "ip6", parseIpAddress),
        gatewayPriority: parsed.integer("gw-priority"),
      }),
    });
  },
};
